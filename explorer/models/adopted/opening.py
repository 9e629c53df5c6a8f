"""Whatever a person hands over as encoder and decoder → the foreign networks to be probed."""

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import (
    Foreign,
    OpenSizes,
    Segment,
    keep_callable,
    open_callable,
    open_onnx,
)
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.reading import LAYOUTS, Image, shape_of_layout
from explorer.models.adopted.trace.export import NotTraced, call_once

Source = Path | bytes | Foreign | Callable[..., Any]
OTHER_SIDES = (28, 32, 48, 64, 96, 128, 256)
"""Sides of images that are tried where a network does not take the images' own size."""
TRIED = 2
"""Images with which it is found out what a callable takes."""


def open_pair(
    encode: Source, decode: Source, image: Image, *, keep: bool = False
) -> tuple[list[Foreign], list[Foreign]]:
    """Return encoder and decoder, each once for every input shape that it takes.

    `encode` and `decode` are ONNX files or their bytes, torch callables, or networks read before;
    `image` is (C, H, W). A callable that cannot be drawn raises NotTraced, or is kept for this
    process alone with `keep`. Networks of another size of image are found too.
    """
    encoders = open_encoder(encode, image, keep=keep)
    decoders = open_decoder(decode, encoders, image, keep=keep)
    made = {part.stop - part.start for decoder in decoders for part in decoder.segments}
    if math.prod(image) not in made and len(made) == 1 and encoders[0].shape == image:
        # An encoder that takes any size tells nothing: the decoder's pictures have theirs.
        side = math.isqrt(min(made) // image[0])
        if image[0] * side**2 in made:
            encoders = open_encoder(encode, (image[0], side, side), keep=keep)
    return encoders, decoders


def open_encoder(source: Source, image: Image, *, keep: bool = False) -> list[Foreign]:
    """Return an encoder once for each input shape that it takes of images (C, H, W).

    `source` is an ONNX file or its bytes, a torch callable, or a network read before. A callable
    that cannot be drawn raises NotTraced, or is kept for this process alone with `keep`.
    """
    if isinstance(source, Foreign):
        return [source]
    if isinstance(source, Path | bytes):
        return [_open_file(source, _shapes_of(image))]
    reasons: list[str] = []
    for sizes in (_shapes_of(image), _other_shapes(image[0])):
        found: list[Foreign] = []
        for shape in sizes:
            if found and (image[0] == 1 or len(shape) != len(found[0].shape)):
                continue  # The first that works stands for its equals.
            try:
                _check_call(source, shape)
            except Exception as error:  # Whatever their code raises at a shape it does not take.
                reasons.append(f"{shape}: {type(error).__name__}")
                continue
            found.append(_open(source, shape, "The encoder", keep))
        if found:
            return found
    raise ExplorerError(
        f"This encoder takes images of {image} in no layout that was tried "
        f"({', '.join(reasons[:3])}): wrap it in a function of a batch of pixels (B, C, H, W)."
    )


def open_decoder(
    source: Source, encoders: Sequence[Foreign], image: Image, *, keep: bool = False
) -> list[Foreign]:
    """Return a decoder once for each code shape that it takes of those the encoder may give."""
    if isinstance(source, Foreign):
        return [source]
    codes = dict.fromkeys(_code_shapes(part for e in encoders for part in e.segments))
    if isinstance(source, Path | bytes):
        return [_open_file(source, list(codes))]
    found: list[Foreign] = []
    for shape in codes:
        if any(math.prod(shape) == math.prod(f.shape) for f in found):
            continue
        try:
            _check_call(source, shape)
        except Exception:  # noqa: S112 (as above)
            continue
        found.append(_open(source, shape, "The decoder", keep))
    if not found:
        names = ", ".join(f"{part.name} {part.shape}" for part in encoders[0].segments)
        raise ExplorerError(
            f"This decoder takes no code of the sizes that the encoder gives ({names}): wrap it in "
            "a function of a batch of codes (B, K)."
        )
    return found


def _open(call: Any, shape: Shape, where: str, keep: bool) -> Foreign:
    try:
        return open_callable(call, shape, where)
    except NotTraced as error:
        if not keep:
            raise
        warnings.warn(f"{error} Until then its run has codes and pictures alone.", stacklevel=5)
        return keep_callable(call, shape, where)


def _check_call(call: Any, shape: Shape) -> None:
    with torch.no_grad():
        if not call_once(call, torch.zeros((TRIED, *shape))):
            raise ValueError("no arrays")


def _open_file(source: Path | bytes, shapes: Sequence[Shape]) -> Foreign:
    """Open an ONNX file by its declared shape, or by the first that fits where sizes are open."""
    try:
        return open_onnx(source)
    except OpenSizes as error:
        for shape in shapes:
            if error.allows(shape):
                with contextlib.suppress(ExplorerError):
                    return open_onnx(source, shape)
        raise


def _shapes_of(image: Image) -> list[Shape]:
    """Return the shapes in which images (C, H, W) may enter."""
    layouts = [name for name in LAYOUTS if image[0] == 1 or name != "NHW"]
    return list(dict.fromkeys(shape_of_layout(layout, image) for layout in layouts))


def _other_shapes(channels: int) -> list[Shape]:
    """Return the shapes of images of other usual sizes."""
    images = [(channels, side, side) for side in OTHER_SIDES]
    return list(dict.fromkeys(shape_of_layout(n, image) for image in images for n in LAYOUTS[:3]))


def _code_shapes(parts: Iterator[Segment]) -> Iterator[Shape]:
    """Yield the shapes that a code may have: an output's own, flat, or half of either."""
    for part in parts:
        size = part.stop - part.start
        for count in (size, size // 2):
            if count:
                yield (count,)
                yield (count, 1, 1)
        if len(part.shape) == 3:
            yield part.shape
            if part.shape[0] % 2 == 0:
                yield (part.shape[0] // 2, *part.shape[1:])
