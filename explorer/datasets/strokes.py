"""Handwriting-like digits of 28 × 28 pixels, drawn from random splines with known factors.

A digit is a skeleton (`allographs`) whose points are shaken, bent, slanted, turned and sized, then
inked by a pen of varying pressure and centred by its mass, as MNIST's digits are.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.datasets.allographs import PATHS, Skeleton, get_shares, read_skeletons
from explorer.datasets.drawings import recall_arrays
from explorer.datasets.images import ImageDataset, split_rows
from explorer.datasets.rows import Bytes, Ints

Floats = npt.NDArray[np.float64]

VERSION = 2
"""Raised whenever the same seed would draw other pixels."""

COUNT = 20_000
SIDE = 28
# MNIST's digits have their centre of mass on this pixel, in both directions; so have these, for
# models that were trained on MNIST and are shown drawings.
MIDDLE = 14.0
FACTORS: dict[str, tuple[float, float, float]] = {
    "slant": (-15.0, 12.0, 38.0),
    "thickness": (1.3, 2.3, 4.6),
    "size": (17.0, 20.0, 21.5),
    "rotation": (-12.0, 0.0, 12.0),
    "curvature": (-0.15, 0.0, 0.15),
}
"""Lowest, likeliest and highest value: slant in degrees to the right, thickness (width of the
line) and size (longest side of the ink) in pixels, rotation in degrees to the left, curvature as
the part of its height by which the middle of the digit bulges to the right."""

# Half the width of the soft edge of a line, and the reach of a pen that this leaves room for.
EDGE = 0.65
REACH = 3
MARGIN = 4
SPACING = 0.45 / 20


def load_strokes(folder: Path, count: int = COUNT, seed: int = 0) -> ImageDataset:
    """Return drawn digits with their factors, split 80/10/10, from the folder's cache if there.

    The classes are equally frequent; the factors are those of FACTORS, and 'class'.
    """

    def draw() -> dict[str, npt.NDArray[np.generic]]:
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(count) % 10)
        factors = sample_factors(count, rng)
        return {"images": draw_strokes(labels, factors, rng), "labels": labels, **factors}

    arrays = recall_arrays(folder / name_file(count, seed), draw)
    labels = arrays["labels"]
    return ImageDataset(
        name="strokes",
        images=arrays["images"],
        labels=labels,
        class_names=tuple("0123456789"),
        factors={"class": labels} | {name: arrays[name] for name in FACTORS},
        splits=split_rows(labels, seed),
    )


def name_file(count: int = COUNT, seed: int = 0) -> str:
    """Return the name of the file that keeps so many drawings of this seed."""
    return f"strokes-v{VERSION}-{count}-{seed}.npz"


def sample_factors(count: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Return independent factors, each of shape (count,), from triangular distributions."""
    return {name: rng.triangular(*bounds, size=count) for name, bounds in FACTORS.items()}


def draw_strokes(labels: Ints, factors: Mapping[str, Floats], rng: np.random.Generator) -> Bytes:
    """Draw one digit per label, uint8 of shape (N, 1, 28, 28).

    Labels in 0..9 and every factor, within the range that FACTORS gives it, have the shape (N,).
    What is not a factor (the skeleton, the shaking of the hand, the pressure of the pen) comes
    from the generator, in the same way whatever the factors are.
    """
    count = len(labels)
    hand = _Hand(count, rng)
    images = np.zeros((count, 1, SIDE, SIDE), np.uint8)
    for digit in PATHS:
        chosen = np.searchsorted(np.cumsum(get_shares(digit))[:-1], hand.choice)
        for variant, skeleton in enumerate(read_skeletons(digit, SPACING)):
            rows = np.flatnonzero((labels == digit) & (chosen == variant))
            # Some hundred drawings at a time stay in the processor's cache.
            for some in np.array_split(rows, len(rows) // 512 + 1):
                if some.size:
                    these = {name: values[some] for name, values in factors.items()}
                    points, radii = _trace(skeleton, these, hand, some)
                    images[some, 0] = _ink(points, radii)
    return images


class _Hand:
    """What differs between two drawings of the same factors, drawn for all N at once."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        points = max(len(s.points) for digit in PATHS for s in read_skeletons(digit, SPACING))
        self.choice = rng.random(count)
        shake = np.clip(rng.normal(size=(count, points + 2, 2)), -2.5, 2.5)
        # Neighbouring points move together, or round digits come out as polygons.
        self.shake = (shake[:, :-2] + 1.6 * shake[:, 1:-1] + shake[:, 2:]) / 2.14
        self.width = np.exp(0.13 * np.clip(rng.normal(size=count), -2, 2))
        self.roundness = rng.uniform(0.75, 1.2, count)
        self.wave = rng.normal(size=(count, 2))
        self.wave_phase = rng.uniform(0, 2 * np.pi, (count, 2))
        self.lean = np.clip(rng.normal(size=(count, 2)), -2, 2)
        self.tremor = rng.normal(size=(count, 2))
        self.tremor_turns = rng.uniform(14, 26, count)
        self.pressure = rng.uniform(0.0, 0.16, count)
        self.pressure_turns = rng.uniform(0.5, 2.0, count)
        self.pressure_phase = rng.uniform(0, 2 * np.pi, count)
        self.taper = rng.uniform(0.0, 0.45, (count, 2))


def _trace(
    skeleton: Skeleton, factors: Mapping[str, Floats], hand: _Hand, rows: Ints
) -> tuple[Floats, Floats]:
    """Return the way of the pen in pixels (n, T, 2) and its radius there (n, T)."""
    x, y = _shape(skeleton, factors["curvature"][:, None], hand, rows)
    x = x - np.tan(np.radians(factors["slant"]))[:, None] * y
    angle = np.radians(factors["rotation"])[:, None]
    x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    thickness, size = factors["thickness"][:, None], factors["size"][:, None]
    scale = (size - thickness) / np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))[:, None]
    radii = _press(skeleton, hand, rows) * thickness / 2
    return _centre(np.stack([x * scale, y * scale], axis=-1), radii), radii


def _shape(skeleton: Skeleton, curvature: Floats, hand: _Hand, rows: Ints) -> tuple[Floats, Floats]:
    """Return x and y (n, T) of the upright digit, about its middle and one unit high."""
    points = skeleton.points + 0.034 * hand.shake[rows, : len(skeleton.points)]
    way = skeleton.chords @ points + hand.roundness[rows, None, None] * (skeleton.bends @ points)
    x = (way[..., 0] - 0.35) * hand.width[rows, None]
    y = way[..., 1] - 0.5
    # A wider foot than head, and a higher one.
    x = x * (1 + 0.22 * hand.lean[rows, :1] * y)
    y = y + 0.14 * hand.lean[rows, 1:] * (0.25 - y**2)
    wave, phase = 0.022 * hand.wave[rows], hand.wave_phase[rows]
    x, y = (
        x + wave[:, :1] * np.sin(5 * y + phase[:, :1]),
        y + wave[:, 1:] * np.sin(5 * x + phase[:, 1:]),
    )
    tremor, turns = 0.005 * hand.tremor[rows], hand.tremor_turns[rows, None]
    x = x + tremor[:, :1] * np.sin(turns * (x + y) + phase[:, :1])
    y = y + tremor[:, 1:] * np.sin(turns * (x - y) + phase[:, 1:])
    return x + curvature * (1 - 4 * y**2), y


def _press(skeleton: Skeleton, hand: _Hand, rows: Ints) -> Floats:
    """Return the relative width of the line (n, T), with a mean of one per drawing."""
    relative = np.empty((len(rows), len(skeleton.strokes)))
    for stroke in np.unique(skeleton.strokes):
        part = skeleton.strokes == stroke
        along = np.linspace(0, 1, part.sum())
        turns = 2 * np.pi * hand.pressure_turns[rows, None] * along
        swell = np.sin(turns + hand.pressure_phase[rows, None] + stroke)
        swell += 0.35 * np.sin(11 * turns)
        start, end = hand.taper[rows].T[..., None]
        relative[:, part] = (1 + hand.pressure[rows, None] * swell) * (
            1 - start * np.exp(-along / 0.06) - end * np.exp((along - 1) / 0.06)
        )
    return relative / relative.mean(axis=1, keepdims=True)


def _centre(way: Floats, radii: Floats) -> Floats:
    """Move the centre of mass to MIDDLE, as far as the ink stays on the picture."""
    lowest, highest = (way.min(axis=1, keepdims=True), way.max(axis=1, keepdims=True))
    way = way - (lowest + highest) / 2 + MIDDLE
    # Every other sample leaves no gaps that would shift the mass.
    picture = _ink(way[:, ::2], radii[:, ::2]) / 255
    sums = np.stack([picture.sum(axis=1), picture.sum(axis=2)], axis=1) @ np.arange(SIDE)
    way = way + (MIDDLE - sums / picture.sum(axis=(1, 2))[:, None])[:, None]
    reach = radii[..., None] + EDGE / 2
    lowest = (way - reach).min(axis=1, keepdims=True)
    highest = (way + reach).max(axis=1, keepdims=True)
    moved: Floats = way - np.clip(lowest, None, 0) - np.clip(highest - SIDE + 1, 0, None)
    return moved


def _ink(points: Floats, radii: Floats) -> Bytes:
    """Return the pictures (n, 28, 28) of a round pen that passes through the points (n, T, 2)."""
    count, samples = radii.shape
    width = SIDE + 2 * MARGIN
    depth = np.full(count * width * width, -EDGE, np.float32)
    window = np.arange(-REACH, REACH + 1)
    nearest = np.rint(points).astype(np.int64)
    offset = (points - nearest).astype(np.float32)
    squares = (window.astype(np.float32) - offset[..., None]) ** 2
    corner = np.arange(count) * width * width + (nearest[..., 1].T + MARGIN) * width
    corner += nearest[..., 0].T + MARGIN
    around = (window[:, None] * width + window).ravel()
    inner = radii.astype(np.float32)[..., None]
    for i in range(samples):
        far = np.sqrt(squares[:, i, 1, :, None] + squares[:, i, 0, None, :])
        # Every drawing has its own canvas, so no pixel appears twice in one step.
        pixels = corner[i][:, None] + around
        depth[pixels] = np.maximum(depth[pixels], inner[:, i] - far.reshape(count, -1))
    depth = depth.reshape(count, width, width)[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.rint(255 * np.clip((depth / EDGE + 1) / 2, 0, 1)).astype(np.uint8)
