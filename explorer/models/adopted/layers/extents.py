"""Shapes that layers put out, known without running them.

PyTorch loads its compiler to run most of them without memory: a second, and 70 MB. What is not
certain here (None) is left to that.
"""

from collections.abc import Sequence

from torch import nn

from explorer.models.adopted.layers.builders import POINTWISE
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.schema import Layer

SAME = POINTWISE | {"affine"}
"""Kinds that put out the shape which they are given."""


def find_shape(
    module: nn.Module, layer: Layer, shape: Shape, branches: Sequence[Shape] = ()
) -> Shape | None:
    """Return what a layer makes of `shape`, and its branches of theirs (without the batch)."""
    if not shape or 0 in shape:
        return None
    if branches:
        return _join(layer, branches)
    if layer.kind in SAME:
        return shape
    if isinstance(module, nn.Linear) and shape[-1] == module.in_features:
        return *shape[:-1], module.out_features
    if layer.kind == "batchNorm":
        fits = len(shape) <= 3 and all(t.shape == shape[:1] for t in layer.tensors.values())
        return shape if fits else None
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return _convolve(module, shape)
    return None


def _join(layer: Layer, branches: Sequence[Shape]) -> Shape | None:
    first = branches[0]
    if layer.kind in ("sum", "product"):
        return first if all(shape == first for shape in branches) else None
    if layer.kind == "concat":
        return join_shapes(branches, layer.settings["axis"])
    return None


def _convolve(module: nn.Conv2d | nn.ConvTranspose2d, shape: Shape) -> Shape | None:
    if len(shape) != 3 or shape[0] != module.in_channels or isinstance(module.padding, str):
        return None
    if module.bias is not None and module.bias.shape != (module.out_channels,):
        return None
    padding = [2 * size for size in module.padding]
    windows = zip(
        shape[1:], module.kernel_size, module.stride, padding, module.dilation, strict=True
    )
    if isinstance(module, nn.ConvTranspose2d):
        extra = module.output_padding
        places = [spread_places(*w, more) for w, more in zip(windows, extra, strict=True)]
    else:
        places = [count_places(*window) for window in windows]
    return (module.out_channels, *places) if min(places) > 0 else None


def count_places(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return at how many places a kernel lies along an axis; `padding` is that of both sides."""
    return (size + padding - (kernel - 1) * dilation - 1) // stride + 1


def spread_places(
    size: int, kernel: int, stride: int, padding: int, dilation: int, extra: int
) -> int:
    """Return how far a transposed convolution spreads an axis; 0 for an `extra` that is none."""
    if not 0 <= extra < max(stride, dilation):
        return 0
    return (size - 1) * stride - padding + (kernel - 1) * dilation + 1 + extra


def join_shapes(shapes: Sequence[Sequence[int]], axis: int) -> Shape | None:
    """Return the shape of arrays that are joined along an axis, None where the others differ."""
    first = list(shapes[0])
    rest = first[:axis] + first[axis + 1 :]
    alike = all([*each[:axis], *each[axis + 1 :]] == rest for each in shapes)
    if not alike or any(len(each) != len(first) or axis >= len(each) for each in shapes):
        return None
    first[axis] = sum(each[axis] for each in shapes)
    return tuple(first)
