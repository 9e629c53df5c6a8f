"""Every way in which a foreign pair might be meant: inputs, ranges, heads and outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.models.adopted.foreign import Foreign, Segment
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.reading import (
    FITS,
    SPREADS,
    Cut,
    Image,
    Reading,
    Scaling,
    channel_constant,
    fit_images,
    lay_out,
    layouts_of,
)
from explorer.models.adopted.trace.outputs import LOGITS, MEAN, STD

USUAL: tuple[Scaling, ...] = ((1.0, 0.0), (2.0, -1.0), (255.0, 0.0))
"""Pixels in [0, 1], in [−1, 1] and as bytes, by the scale and shift that make them so."""
CENTRED: Scaling = (1.0, -0.5)
"""Pixels in [−½, ½]."""
COPIED: dict[int, tuple[tuple[Sequence[float], Sequence[float]], ...]] = {
    1: (((0.1307,), (0.3081,)),),
    3: (((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),),
}
"""Mean and deviation per channel that are copied from tutorial to tutorial: MNIST's, ImageNet's."""
FEWEST_BYTES = 20.0
"""Pixels that never exceed this are no bytes."""


def read_inputs(
    encoder: Foreign, images: np.ndarray, told: Mapping[str, Any]
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Yield (fit, images, layout) by which images (N, C, H, W) may enter the encoder."""
    channels, height, width = images.shape[1:]
    direct = layouts_of(encoder.shape, images.shape[1:])
    for layout in direct:
        if told.get("layout", layout) == layout:
            yield "none", images, layout
    for size in [] if direct else sizes_of(encoder.shape, channels):
        for fit in FITS[1:]:
            larger = size[0] >= height and size[1] >= width
            if told.get("fit", fit) != fit or (fit == "pad" and not larger):
                continue
            for layout in layouts_of(encoder.shape, (channels, *size)):
                if told.get("layout", layout) == layout:
                    yield fit, fit_images(images, size, fit), layout


def sizes_of(shape: Shape, channels: int) -> list[tuple[int, int]]:
    """Return the (height, width) that an encoder's input may stand for."""
    if len(shape) == 3 and shape[0] == channels:
        return [(shape[1], shape[2])]
    if len(shape) == 3 and shape[2] == channels:
        return [(shape[0], shape[1])]
    if len(shape) == 2 and channels == 1:
        return [(shape[0], shape[1])]
    side = round((shape[0] / channels) ** 0.5) if len(shape) == 1 else 0
    return [(side, side)] if side and side * side * channels == shape[0] else []


def ranges_of(images: np.ndarray, told: Mapping[str, Any]) -> list[Scaling]:
    """Return (scale, shift) of pixels in [0, 1]: the usual ones, centred, and standardised.

    By the constants that everybody copies, or else by the images' own mean and deviation.
    """
    if "scale" in told or "shift" in told:
        return [(plain_numbers(told.get("scale", 1.0)), plain_numbers(told.get("shift", 0.0)))]
    mean, sd = _moments(images)
    found = [_standardise(*known) for known in COPIED.get(len(mean), ())]
    near = any(np.allclose(sd, known[1], rtol=0.1) for known in COPIED.get(len(mean), ()))
    if not near and (sd > 1e-3).all():
        found.append(_standardise(mean, sd))
    return [*USUAL, CENTRED, *found]


def _moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each channel's mean and deviation in [0, 1], from at most 2000 images."""
    some = images[:: max(1, len(images) // 2000)]
    return some.mean((0, 2, 3)) / 255, some.std((0, 2, 3)) / 255


def _standardise(mean: Sequence[float] | np.ndarray, sd: Sequence[float] | np.ndarray) -> Scaling:
    scale, shift = 1 / np.asarray(sd), -np.asarray(mean) / np.asarray(sd)
    return plain_numbers(scale.round(4).tolist()), plain_numbers(shift.round(4).tolist())


def plain_numbers(value: Any) -> float | tuple[float, ...]:
    """Return one number, or one per channel."""
    if isinstance(value, int | float):
        return float(value)
    numbers = tuple(float(item) for item in value)
    return numbers[0] if len(numbers) == 1 else numbers


def enter(x: Tensor, layout: str, scaling: Scaling) -> Tensor:
    """Return pixels x (B, C, H, W) in [0, 1] as the encoder is fed."""
    pixels = x * channel_constant(scaling[0]) + channel_constant(scaling[1])
    for layer in lay_out(layout, (x.shape[1], x.shape[2], x.shape[3])):
        pixels = _lay(pixels, layer)
    return pixels


def _lay(x: Tensor, layer: Layer) -> Tensor:
    if layer.kind == "permute":
        return x.permute(0, *(axis + 1 for axis in layer.settings["order"]))
    return x.reshape(len(x), *layer.settings["shape"])


Heads = tuple[str, Cut, Cut, tuple[str, ...]]
"""A way to read the outputs: its name, mean, spread, and what the spread may be."""


def heads_of(encoder: Foreign, told: Mapping[str, Any]) -> Iterator[Heads]:
    """Yield every way to read the outputs."""
    parts = encoder.segments
    certain = list(_distributions(parts))
    for mean, spread in certain:
        name = "noise" if "noise" in mean.name else "distribution"
        yield name, _whole(mean), _whole(spread), ("sd",)
    if certain:
        return
    known = (told["spread"],) if "spread" in told else tuple(SPREADS)
    for heads, mean_cut, spread_cut in _pairs(parts):
        if heads.startswith(told.get("heads", "")):
            yield heads, mean_cut, spread_cut, known


def _distributions(parts: Sequence[Segment]) -> Iterator[tuple[Segment, Segment]]:
    """Yield mean and spread of each distribution that is returned: a prior may stand beside q."""
    for mean in parts:
        for spread in parts:
            told = (mean.role, spread.role) == (MEAN, STD) and mean.shape == spread.shape
            if told and _stem(mean.name) == _stem(spread.name):
                yield mean, spread


def _stem(name: str) -> str:
    """Return the name of a distribution, from that of one of its two arrays."""
    return name.rpartition(", noise")[0] or name.rpartition(".")[0]


def _pairs(parts: Sequence[Segment]) -> Iterator[tuple[str, Cut, Cut]]:
    for index, first in enumerate(parts):
        for second in parts[index + 1 :]:
            if first.shape == second.shape:
                names = f"({first.name}, {second.name})"
                yield f"two outputs: mean, spread {names}", _whole(first), _whole(second)
                yield f"two outputs: spread, mean {names}", _whole(second), _whole(first)
    for part in parts:
        size = part.stop - part.start
        if size % 2 == 0:
            middle = part.start + size // 2
            front, back = Cut(part.start, middle), Cut(middle, part.stop)
            even, odd = Cut(part.start, part.stop, 2), Cut(part.start + 1, part.stop, 2)
            yield "halves: mean, spread", front, back
            yield "interleaved: mean, spread", even, odd
            yield "halves: spread, mean", back, front
            yield "interleaved: spread, mean", odd, even


def _whole(part: Segment) -> Cut:
    return Cut(part.start, part.stop)


@dataclass(frozen=True)
class Picture:
    """One way to read a decoder's flat row: what pixels are, their layout and place.

    `limits` are the least and the largest value; `unexplained` is the share of the images' variance
    that the pictures miss.
    """

    output: str
    layout: str
    at: Cut
    limits: tuple[float, float]
    unexplained: float


def pictures_of(
    decoder: Foreign,
    mean: Tensor,
    images: np.ndarray,
    scaling: Scaling,
    told: Mapping[str, Any],
) -> Iterator[Picture]:
    """Yield every way to read what is decoded from codes mean (B, K) of images (B, C, H, W)."""
    image: Image = images.shape[1:]
    x = torch.from_numpy(images).float().div(255).flatten(1)
    total = float((x - x.mean(0)).square().sum()) or 1.0
    flat = decoder.network(mean.reshape(-1, *decoder.shape))
    for part in decoder.segments:
        pixels = _whole(part).of(flat)
        if pixels.shape[1] != x.shape[1] or not bool(pixels.isfinite().all()):
            continue
        limits = float(pixels.min()), float(pixels.max())
        layouts = [name for name in layouts_of(part.shape, image) if name != "NHW"] or ["flat"]
        for output in _output_kinds(limits, part, scaling, told):
            for layout in layouts:
                if told.get("output_layout", layout) == layout:
                    shown = as_unit(pixels, output, scaling, image, layout)
                    missed = float((shown - x).square().sum()) / total
                    yield Picture(output, layout, _whole(part), limits, missed)


def _output_kinds(
    limits: tuple[float, float], part: Segment, scaling: Scaling, told: Mapping[str, Any]
) -> list[str]:
    """Return what pixels within these limits may be."""
    if "output" in told:
        return [told["output"]]
    if part.role == LOGITS:
        return ["logits"]
    low, high = limits
    found = ["unit", "signed"] if low >= 0 and high <= 1 else ["logits", "unit", "signed"]
    if high > FEWEST_BYTES:
        found.append("bytes")
    return found if scaling in USUAL else [*found, "as input"]


def as_unit(pixels: Tensor, output: str, scaling: Scaling, image: Image, layout: str) -> Tensor:
    """Return pictures (B, D) in [0, 1], channels first."""
    channels, height, width = image
    if output == "logits":
        pixels = torch.sigmoid(pixels)
    elif output == "signed":
        pixels = (pixels + 1) / 2
    elif output == "bytes":
        pixels = pixels / 255
    if layout in ("NHWC", "flat NHWC"):
        pixels = pixels.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
    pixels = pixels.reshape(-1, *image)
    if output == "as input":
        scale, shift = (channel_constant(value) for value in scaling)
        pixels = (pixels - shift) / scale
    return pixels.flatten(1)


@dataclass(frozen=True)
class Code:
    """What an encoder gives under a draft of a reading: means and raw spreads (B, K) of images."""

    draft: Reading
    encoder: Foreign
    images: np.ndarray
    mean: Tensor
    raw: Tensor
    spreads: tuple[str, ...]


@dataclass(frozen=True)
class Half:
    """A reading whose spread is still open, with the codes and the pictures that it gives."""

    code: Code
    reading: Reading
    decoder: Foreign
    picture: Picture
