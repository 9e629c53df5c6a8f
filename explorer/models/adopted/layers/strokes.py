"""The larger layers as both readers draw them: linear, convolutions, norms, pools.

Sizes are (vertical, horizontal) pairs; `shape` is what comes out, without the batch.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.layers.sketch import (
    Item,
    NotLayers,
    Value,
    add,
    apply,
    multiply,
    plain,
    reshape,
)

Shape = Sequence[int]


def tensors(**given: Tensor | None) -> dict[str, Tensor]:
    """Return those weights that are there, in float32."""
    return {name: value.float() for name, value in given.items() if value is not None}


def linear(item: Item, weight: Tensor, bias: Tensor | None) -> Value:
    """Return W·x + b on the last axis, for W (out, in)."""
    value = plain(item, "a matrix product")
    if weight.ndim != 2 or (bias is not None and bias.numel() not in (1, len(weight))):
        raise NotLayers("a matrix product of other than a vector and a matrix")
    if bias is not None:
        bias = bias.flatten().expand(len(weight))
    layer = Layer("linear", {}, tensors(weight=weight.contiguous(), bias=bias))
    return apply(value, layer, (*value.shape[:-1], len(weight)))


def border(item: Item, padding: Sequence[int], mode: str = "constant", fill: float = 0.0) -> Value:
    """Return a picture with (left, right, top, bottom) rows and columns around it."""
    value = plain(item, "a border")
    if not any(padding):
        return value
    left, right, top, bottom = padding
    *rest, height, width = value.shape
    settings = {"padding": list(padding), "mode": mode, "value": float(fill)}
    shape = (*rest, height + top + bottom, width + left + right)
    return apply(value, Layer("pad", settings), shape)


def conv(
    item: Item,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    pads: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    shape: Shape,
) -> Value:
    """Return a convolution; `pads` are (top, left, bottom, right)."""
    _check_pictures(item, weight)
    top, left, bottom, right = pads
    even = top == bottom and left == right
    value = plain(item, "a convolution") if even else border(item, (left, right, top, bottom))
    settings = {
        "stride": list(stride),
        "padding": [top, left] if even else [0, 0],
        "dilation": list(dilation),
        "groups": groups,
    }
    return apply(value, Layer("conv", settings, tensors(weight=weight, bias=bias)), shape)


def transposed_conv(
    item: Item,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    lost: Sequence[int],
    extra: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    shape: Shape,
) -> Value:
    """Return a transposed convolution that loses (top, left, bottom, right) and gains `extra`."""
    _check_pictures(item, weight)
    top, left, bottom, right = lost
    even = top == bottom and left == right and min(lost) >= 0
    settings = {
        "stride": list(stride),
        "padding": [top, left] if even else [0, 0],
        "dilation": list(dilation),
        "groups": groups,
        "extra": list(extra) if even else [0, 0],
    }
    layer = Layer("transposedConv", settings, tensors(weight=weight, bias=bias))
    value = plain(item, "a transposed convolution")
    if even:
        return apply(value, layer, shape)
    full = apply(
        value,
        layer,
        (
            shape[0],
            *(shape[1 + axis] - extra[axis] + lost[axis] + lost[axis + 2] for axis in (0, 1)),
        ),
    )
    return border(full, (-left, extra[1] - right, -top, extra[0] - bottom))


def _check_pictures(item: Item, weight: Tensor) -> None:
    if weight.ndim != 4 or not isinstance(item, Value) or len(item.shape) != 3:
        raise NotLayers("a convolution of other than pictures")


def batch_norm(
    item: Item,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Value:
    """Return batch norm with its stored statistics."""
    value = plain(item, "a batch norm")
    given = tensors(mean=mean, variance=variance, weight=weight, bias=bias)
    return apply(value, Layer("batchNorm", {"eps": eps}, given), value.shape)


def group_norm(
    item: Item, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Value:
    """Return group norm; as many groups as channels make it an instance norm."""
    value = plain(item, "a group norm")
    layer = Layer("groupNorm", {"groups": groups, "eps": eps}, tensors(weight=weight, bias=bias))
    return apply(value, layer, value.shape)


def layer_norm(
    item: Item, shape: Shape, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Value:
    """Return layer norm over the last axes, which have `shape`."""
    value = plain(item, "a layer norm")
    if tuple(value.shape[-len(shape) :]) != tuple(shape):
        raise NotLayers("a layer norm across the batch")
    settings = {"shape": list(shape), "eps": eps}
    return apply(
        value, Layer("layerNorm", settings, tensors(weight=weight, bias=bias)), value.shape
    )


def pool(kind: str, item: Item, settings: dict[str, object], shape: Shape) -> Value:
    """Return "maxPool" or "averagePool"."""
    value = plain(item, "a pool")
    if len(value.shape) != 3:
        raise NotLayers("a pool of other than pictures")
    return apply(value, Layer(kind, settings), shape)


def mean_of_picture(item: Item, keep: bool) -> Value:
    """Return the mean over all pixels of each channel, (C, 1, 1) or (C,)."""
    value = plain(item, "a mean")
    if len(value.shape) != 3:
        raise NotLayers("a mean of other than pictures")
    channels, *size = value.shape
    mean = pool("averagePool", value, {"kernel": size, "stride": size}, (channels, 1, 1))
    return mean if keep else apply(mean, Layer("reshape", {"shape": [channels]}), (channels,))


def total(item: Item, axes: Sequence[int], keep: bool, share: float = 1.0) -> Value:
    """Return the sum over axes of the images, times `share`: a linear layer of equal weights."""
    value = plain(item, "a sum along axes")
    axes = sorted(axes)
    if not axes or axes[0] < 0:
        raise NotLayers("a sum across the batch")
    rest = [axis for axis in range(len(value.shape)) if axis not in axes]
    kept = [value.shape[axis] for axis in rest]
    if not (rest or keep):
        raise NotLayers("one number of a whole image")
    count = math.prod(value.shape[axis] for axis in axes)
    moved = permute(value, [0, *(axis + 1 for axis in (*rest, *axes))])
    weight = torch.full((1, count), share)
    found = linear(reshape(moved, (*kept, count)), weight, None)
    whole = [1 if axis in axes else size for axis, size in enumerate(value.shape)]
    return plain(reshape(found, whole if keep else kept), "a sum along axes")


def mean(item: Item, axes: Sequence[int], keep: bool) -> Value:
    """Return the mean over axes of the images."""
    value = plain(item, "a mean")
    if len(value.shape) == 3 and sorted(axes) == [1, 2]:
        return mean_of_picture(value, keep)
    return total(value, axes, keep, 1 / math.prod(value.shape[axis] for axis in axes))


def variance(item: Item, axes: Sequence[int], keep: bool, correction: float) -> Value:
    """Return the variance over axes of the images; `correction` is taken off their count."""
    value = plain(item, "a variance")
    count = math.prod(value.shape[axis] for axis in axes)
    away = add(value, mean(value, axes, True), -1.0)
    return total(multiply(away, away), axes, keep, 1 / (count - correction))


def repeat(item: Item, shape: Shape) -> Value:
    """Return an array of `shape` in which axes of one place are repeated; new ones come first."""
    value = plain(item, "a repetition")
    before = (*[1] * (len(shape) - len(value.shape)), *value.shape)
    if any(old not in (1, new) for old, new in zip(before, shape, strict=True)):
        raise NotLayers("a repetition of several places")
    value = value if before == value.shape else plain(reshape(value, before), "a repetition")
    last = len(before)
    for axis, size in enumerate(shape):
        if value.shape[axis] != size:
            order = [*range(last + 1)]
            order[axis + 1], order[last] = order[last], order[axis + 1]
            value = permute(linear(permute(value, order), torch.ones(size, 1), None), order)
    return value


def pixel_shuffle(item: Item, block: int, channels_first: bool = True) -> Value:
    """Return channels dealt out to blocks of pixels; `channels_first` is torch's order."""
    value = plain(item, "a pixel shuffle")
    c, h, w = value.shape
    inner = (
        (c // block**2, block, block, h, w)
        if channels_first
        else (block, block, c // block**2, h, w)
    )
    order = (0, 3, 1, 4, 2) if channels_first else (2, 3, 0, 4, 1)
    parts = apply(value, Layer("reshape", {"shape": list(inner)}), inner)
    moved = apply(parts, Layer("permute", {"order": list(order)}), [inner[axis] for axis in order])
    out = (c // block**2, h * block, w * block)
    return apply(moved, Layer("reshape", {"shape": list(out)}), out)


def permute(item: Item, order: Sequence[int]) -> Value:
    """Return the axes of a batch in another order, the batch staying first."""
    value = plain(item, "a transposition")
    if order[0] != 0:
        raise NotLayers("a transposition of the batch")
    own = [axis - 1 for axis in order[1:]]
    return apply(value, Layer("permute", {"order": own}), [value.shape[axis] for axis in own])


def image_size(item: Item) -> list[int]:
    """Return the height and width of a picture."""
    value = plain(item, "a resize")
    if len(value.shape) != 3:
        raise NotLayers("a resize of other than pictures")
    return list(value.shape[1:])


def upsample(item: Item, size: Sequence[int], mode: str, corners: bool = False) -> Value:
    """Return a picture in another size."""
    value = plain(item, "a resize")
    settings = {"size": list(size), "mode": mode, "alignCorners": corners}
    return apply(value, Layer("upsample", settings), (value.shape[0], *size))


def torch_nearest(before: int, after: int) -> Tensor:
    """Return which old pixel torch's nearest upsampling takes for each new one."""
    return torch.floor(torch.arange(after) * (before / after)).long().clamp(max=before - 1)
