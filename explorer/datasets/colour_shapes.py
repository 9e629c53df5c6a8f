"""Coloured shapes on black, 64 × 64 pixels in RGB, drawn at random from six known factors.

The shapes of `shapes`, larger. After 3D Shapes (Burgess and Kim 2018) in what is known of
each picture.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.datasets.drawings import recall_mapped
from explorer.datasets.images import ImageDataset, split_rows
from explorer.datasets.rows import Bytes, Ints
from explorer.datasets.shapes import SHAPES, is_inside

Floats = npt.NDArray[np.float64]

VERSION = 1
"""Raised whenever the same seed would draw other pixels."""
COUNT = 10_000
SIDE = 64
FACTORS: dict[str, tuple[float, float]] = {
    "hue": (0.0, 270.0),
    "size": (0.5, 1.0),
    "rotation": (0.0, 90.0),
    "x": (21.0, 43.0),
    "y": (21.0, 43.0),
}
"""Lowest and highest value, all between being equally likely: hue in degrees from red to violet,
size as a part of the largest, rotation in degrees to the left, x and y of the centre in pixels from
the upper left corner.

A quarter turn, so that no shape comes back onto itself; and a rainbow rather than the whole circle
of hues, so that red and violet lie apart on a line."""
SATURATION = 0.85

# Every pixel is the mean of 3 × 3 points; a shape reaches at most 20 pixels from its centre.
FINE = 3
REACH = 21
ENLARGED = 2.8
CHUNK = 64


def load_colour_shapes(folder: Path, count: int = COUNT, seed: int = 0) -> ImageDataset:
    """Return `count` coloured shapes, split 80/10/10, drawn once and kept in `folder`.

    Factors: those of FACTORS, and shape (0 square, 1 ellipse, 2 heart), which is also the label.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(SHAPES)).astype(np.int64)
    factors = {name: rng.uniform(*bounds, size=count) for name, bounds in FACTORS.items()}
    # 123 MB, of which a page shows some: what nobody looks at stays on the disk.
    images = recall_mapped(
        folder / name_file(count, seed),
        (count, 3, SIDE, SIDE),
        lambda: paint(draw_cover(labels, factors), factors["hue"]),
    )
    return ImageDataset(
        name="colour-shapes",
        images=images,
        labels=labels,
        class_names=SHAPES,
        factors={"shape": labels, **factors},
        splits=split_rows(labels, seed=0),
    )


def name_file(count: int = COUNT, seed: int = 0) -> str:
    """Return the name of the file that keeps so many drawings of this seed."""
    return f"colour-shapes-v{VERSION}-{count}-{seed}.npy"


def draw_cover(labels: Ints, factors: dict[str, Floats]) -> Bytes:
    """Return how much of each pixel the shapes cover, (N, 64, 64) of 0 to 255.

    Labels in 0..2 and the factors size, rotation, x and y have the shape (N,).
    """
    cover = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    for label, shape in enumerate(SHAPES):
        rows = np.flatnonzero(labels == label)
        # Some pictures at a time stay in the processor's cache.
        for some in np.array_split(rows, len(rows) // CHUNK + 1):
            if some.size:
                _draw(cover, some, shape, {name: factors[name][some] for name in FACTORS})
    return cover


def paint(cover: Bytes, hue: Floats) -> Bytes:
    """Return pictures (N, 3, H, W): black, and where `cover` (N, H, W) is 255 of hue (N,)."""
    images = np.empty((len(cover), 3, *cover.shape[1:]), np.uint8)
    colours = np.rint(to_rgb(hue) * 256).astype(np.uint16)
    for channel in range(3):
        images[:, channel] = cover.astype(np.uint16) * colours[:, channel, None, None] >> 8
    return images


def to_rgb(hue: Floats) -> Floats:
    """Return colours (N, 3) in [0, 1] of hues in degrees (N,), at full value and SATURATION."""
    place = (np.array([5.0, 3.0, 1.0]) + hue[:, None] / 60) % 6
    return 1 - SATURATION * np.clip(np.minimum(place, 4 - place), 0, 1)


def _draw(cover: Bytes, rows: Ints, shape: str, factors: dict[str, Floats]) -> None:
    """Draw one shape into the pictures of these rows, from the pixels around its centre alone."""
    left, top = (np.floor(factors[name]).astype(np.int64) - REACH for name in ("x", "y"))
    fine = ((np.arange(2 * REACH * FINE) + 0.5) / FINE).astype(np.float32)
    scale = (ENLARGED * factors["size"]).astype(np.float32)[:, None, None]
    right = (fine + (left - factors["x"])[:, None])[:, None, :].astype(np.float32) / scale
    down = (fine + (top - factors["y"])[:, None])[:, :, None].astype(np.float32) / scale
    angle = np.radians(factors["rotation"]).astype(np.float32)[:, None, None]
    cos, sin = np.cos(angle), np.sin(angle)
    inside = is_inside(shape, right * cos - down * sin, -right * sin - down * cos)
    parts = inside.reshape(len(rows), 2 * REACH, FINE, 2 * REACH, FINE).sum(axis=(2, 4))
    covered = np.rint(parts * (255 / FINE**2)).astype(np.uint8)
    for row, first, start, picture in zip(rows, top, left, covered, strict=True):
        cover[row, first : first + 2 * REACH, start : start + 2 * REACH] = picture
