"""What moves values about in ONNX, and normal noise, drawn with our layers."""

import torch

from explorer.models.adopted.layers import strokes
from explorer.models.adopted.layers.sketch import (
    Item,
    Noisy,
    NotLayers,
    concat,
    cut,
    plain,
    reshape,
)
from explorer.models.adopted.onnx.shapes import (
    PAD_MODES,
    nearest_pixels,
    pad_pairs,
    resize_mode,
    slices_of,
    split_sizes,
)
from explorer.models.adopted.onnx.stroke import Rule, Stroke


def _reshape(stroke: Stroke) -> Item:
    return reshape(stroke[0], stroke.shape)


def _transpose(stroke: Stroke) -> Item:
    order = stroke.call.attribute("perm") or [1, 0]
    return strokes.permute(stroke[0], order)


def _concat(stroke: Stroke) -> Item:
    items = [stroke[index] for index in range(len(stroke.items))]
    dims = len(stroke.shape) + 1
    axis = stroke.call.axis("axis", 1, dims) - 1
    if axis < 0:
        raise NotLayers("a join of batches")
    return concat(items, axis)


def _split(stroke: Stroke) -> list[Item]:
    value = plain(stroke[0], "a split")
    axis = stroke.call.axis("axis", 0, len(value.shape) + 1) - 1
    if axis < 0:
        raise NotLayers("a split of the batch")
    found: list[Item] = []
    at = 0
    for size in split_sizes(stroke.call, value.shape[axis]):
        found.append(cut(value, axis, at, at + size))
        at += size
    return found


def _slice(stroke: Stroke) -> Item:
    item = stroke[0]
    dims = len(plain(item, "a slice").shape) + 1
    for axis, start, stop, step in slices_of(stroke.call, dims):
        item = cut(item, axis - 1, start, stop, step)
    return item


def _gather(stroke: Stroke) -> Item:
    value, chosen = plain(stroke[0], "a choice"), stroke.constant(1)
    axis = stroke.call.axis("axis", 0, len(value.shape) + 1) - 1
    if chosen.numel() != 1:
        raise NotLayers("a choice of several places")
    at = int(chosen) % value.shape[axis]
    return reshape(cut(value, axis, at, at + 1), stroke.shape)


def _pad(stroke: Stroke) -> Item:
    call, dims = stroke.call, len(stroke.shape) + 1
    pairs = pad_pairs(call, dims)
    if dims != 4 or any(pair != (0, 0) for pair in pairs[:2]):
        raise NotLayers("a border around other than pictures")
    fill = (call.numbers(2) or [call.number("value", 0.0)])[0]
    mode = PAD_MODES[call.word("mode", "constant")]
    return strokes.border(stroke[0], (*pairs[3], *pairs[2]), mode, fill)


def _resize(stroke: Stroke) -> Item:
    before, after = strokes.image_size(stroke[0]), list(stroke.shape[1:])
    mode, rule = resize_mode(stroke.call)
    if mode == "nearest":
        for old, new in zip(before, after, strict=True):
            theirs = nearest_pixels(stroke.call, old, new)
            if bool((theirs != strokes.torch_nearest(old, new)).any()):
                raise NotLayers("a resize by another rule than torch's")
        return strokes.upsample(stroke[0], after, "nearest")
    if mode != "linear" or rule not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise NotLayers(f"a resize by {mode}, {rule}")
    return strokes.upsample(stroke[0], after, "bilinear", rule == "align_corners")


def _depth_to_space(stroke: Stroke) -> Item:
    stroke.pictures(0)
    block = int(stroke.call.number("blocksize", 1))
    return strokes.pixel_shuffle(stroke[0], block, stroke.call.word("mode", "DCR") == "CRD")


def _expand(stroke: Stroke) -> Item:
    value = plain(stroke[0], "a repetition")
    return value if stroke.shape == value.shape else strokes.repeat(value, stroke.shape)


def _noise(stroke: Stroke) -> Item:
    call = stroke.call
    shape = (1, *stroke.shape)
    mean = torch.full(shape, call.number("mean", 0.0))
    return Noisy(mean, torch.full(shape, call.number("scale", 1.0)))


MOVES: dict[str, Rule] = {
    "Identity": lambda s: s[0],
    "Dropout": lambda s: s[0],
    "Cast": lambda s: s[0],
    "Reshape": _reshape,
    "Flatten": _reshape,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Tile": _expand,
    "RandomNormalLike": _noise,
    "RandomNormal": _noise,
}
