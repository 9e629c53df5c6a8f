"""What moves values about in torch, and normal noise, drawn with our layers."""

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.models.adopted.layers import strokes
from explorer.models.adopted.layers.sketch import (
    BATCH,
    Item,
    Noisy,
    NotLayers,
    Value,
    concat,
    constant_of_image,
    cut,
    plain,
    reshape,
)
from explorer.models.adopted.trace.node import Node, Rule


def _reshape(node: Node) -> Item:
    item = node.item()
    return item if isinstance(item, Tensor) else reshape(item, node.shape)


def _permute(node: Node) -> Item:
    return strokes.permute(node.item(), node.order(node["dims"]))


def _transpose(node: Node) -> Item:
    order = list(range(len(node.whole_shape)))
    first, second = int(node["dim0"]), int(node["dim1"])
    order[first], order[second] = order[second], order[first]
    return strokes.permute(node.item(), node.order(order))


def _t(node: Node) -> Item:
    raise NotLayers("a transposition of the batch")


def _cat(node: Node) -> Item:
    axis = int(node["dim"]) % len(node.whole_shape)
    if not axis:
        raise NotLayers("a join of batches")
    return concat(node["tensors"], axis - 1)


def _stack(node: Node) -> Item:
    axis = int(node["dim"]) % len(node.whole_shape)
    if not axis:
        raise NotLayers("a join of batches")
    shape = list(node.shape)
    shape[axis - 1] = 1
    return concat([reshape(item, shape) for item in node["tensors"]], axis - 1)


def _parts(sizes: Callable[[Node, int], list[int]]) -> Rule:
    def rule(node: Node) -> list[Item]:
        value, axis, at = plain(node.item(), "a split"), node.axis(), 0
        found: list[Item] = []
        for size in sizes(node, value.shape[axis]):
            found.append(cut(value, axis, at, min(at + size, value.shape[axis])))
            at += size
        return found

    return rule


def _chunks(node: Node, size: int) -> list[int]:
    share = -(-size // int(node["chunks"]))
    return [share] * -(-size // share)


def _splits(node: Node, size: int) -> list[int]:
    given = node["split_size"] if node["split_size"] is not None else node["split_sizes"]
    return [given] * -(-size // given) if isinstance(given, int) else list(given)


def _slice(node: Node) -> Item:
    start, stop = node["start"] or 0, node["end"]
    item = node.item()
    if int(node["dim"] or 0) == 0 and not start and (stop is None or stop >= BATCH):
        return item
    axis = node.axis()
    return cut(item, axis, start, 2**62 if stop is None else stop, node["step"] or 1)


def _select(node: Node) -> Item:
    value, axis = plain(node.item(), "a choice"), node.axis()
    at = int(node["index"]) % value.shape[axis]
    return reshape(cut(value, axis, at, at + 1), node.shape)


def _narrow(node: Node) -> Item:
    return cut(node.item(), node.axis(), node["start"], node["start"] + node["length"])


def _unbind(node: Node) -> list[Item]:
    value, axis = plain(node.item(), "a split"), node.axis()
    shape = [size for index, size in enumerate(value.shape) if index != axis]
    return [reshape(cut(value, axis, at, at + 1), shape) for at in range(value.shape[axis])]


def _pad(node: Node) -> Item:
    pads = list(node["pad"])
    if len(node.shape) != 3 or any(pads[4:]):
        raise NotLayers("a border around other than pictures")
    padding = (pads + [0, 0, 0, 0])[:4]
    return strokes.border(
        node.item(), padding, node["mode"] or "constant", float(node["value"] or 0)
    )


def _upsample(mode: str) -> Rule:
    def rule(node: Node) -> Item:
        return strokes.upsample(
            node.item("input") if node["input"] is not None else node.item(),
            node.shape[1:],
            mode,
            bool(node["align_corners"]),
        )

    return rule


def _pixel_shuffle(node: Node) -> Item:
    return strokes.pixel_shuffle(node.item(), int(node["upscale_factor"]))


def _pixel_unshuffle(node: Node) -> Item:
    value, block = plain(node.item(), "a pixel unshuffle"), int(node["downscale_factor"])
    c, h, w = value.shape
    split = reshape(value, (c, h // block, block, w // block, block))
    return reshape(strokes.permute(split, (0, 1, 3, 5, 2, 4)), node.shape)


def _roll(node: Node) -> Item:
    """Draw a roll: the two parts change places along each axis."""
    value = result = plain(node.item(), "a roll")
    for shift, dim in zip(node["shifts"], node["dims"], strict=True):
        axis = int(dim) % (len(value.shape) + 1) - 1
        if axis < 0:
            raise NotLayers("a roll of the batch")
        size = value.shape[axis]
        if at := -int(shift) % size:
            parts = (cut(result, axis, at, size), cut(result, axis, 0, at))
            result = concat(parts, axis)
    return result


def _expand(node: Node) -> Item:
    item = node.item()
    if isinstance(item, Tensor):
        return item.expand(node.whole_shape)
    shape = item.mean.shape if isinstance(item, Noisy) else item.shape
    if tuple(shape) in (node.shape, (1, *node.shape)):
        return item
    return strokes.repeat(item, node.shape)


def _repeat(node: Node) -> Item:
    item = node.item()
    if isinstance(item, Tensor):
        return item.repeat(*node["repeats"])
    if node["repeats"][0] != 1:
        raise NotLayers("a repetition of the images")
    return strokes.repeat(item, node.shape)


def _broadcast(node: Node) -> list[Item]:
    found = []
    for item in node["tensors"]:
        if isinstance(item, Noisy) or (isinstance(item, Value) and len(item.shape) == 0):
            raise NotLayers("a repetition")
        found.append(item)
    return found


def _noise(node: Node) -> Item:
    shape = (1, *node.shape)
    return Noisy(torch.zeros(shape), torch.ones(shape))


def _normal(node: Node) -> Item:
    """Return `empty.normal_(mean, std)` or `torch.normal(mean, std)`; both may be values."""
    mean, std = node["mean"], node["std"]
    if isinstance(mean, Value) or isinstance(std, Value):
        parts = [
            x if isinstance(x, Value | Tensor) else torch.tensor(float(x)) for x in (mean, std)
        ]
        return Noisy(*parts)
    shape = (1, *node.shape)
    return Noisy(
        torch.full(shape, float(mean or 0)), torch.full(shape, float(1 if std is None else std))
    )


def _same(node: Node) -> Item:
    return node.item("input") if node["input"] is not None else node.item()


def _dropout(node: Node) -> Item:
    if node["train"]:
        raise NotLayers("dropout in training mode: call .eval() on the model")
    return node.item("input")


def _zeros_like(value: float) -> Rule:
    return lambda node: torch.full((1, *node.shape), value)


def _constant_like(node: Node) -> Item:
    return constant_of_image(
        torch.full(node.whole_shape, float(node["fill_value"])), len(node.shape)
    )


MOVES: dict[str, Rule] = {
    "view": _reshape,
    "reshape": _reshape,
    "_unsafe_view": _reshape,
    "flatten": _reshape,
    "unflatten": _reshape,
    "squeeze": _reshape,
    "unsqueeze": _reshape,
    "permute": _permute,
    "transpose": _transpose,
    "t": _t,
    "cat": _cat,
    "stack": _stack,
    "chunk": _parts(_chunks),
    "split": _parts(_splits),
    "split_with_sizes": _parts(_splits),
    "slice": _slice,
    "select": _select,
    "narrow": _narrow,
    "unbind": _unbind,
    "pad": _pad,
    "upsample_nearest2d": _upsample("nearest"),
    "upsample_bilinear2d": _upsample("bilinear"),
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "roll": _roll,
    "expand": _expand,
    "expand_as": _expand,
    "repeat": _repeat,
    "broadcast_tensors": _broadcast,
    "randn": _noise,
    "randn_like": _noise,
    "normal": _normal,
    "zeros_like": _zeros_like(0.0),
    "ones_like": _zeros_like(1.0),
    "full_like": _constant_like,
    "new_zeros": _zeros_like(0.0),
    "new_ones": _zeros_like(1.0),
    # What is filled with noise in the next step.
    "empty_like": _zeros_like(0.0),
    "new_empty": _zeros_like(0.0),
    "dropout": _dropout,
    "feature_dropout": _dropout,
    "clone": _same,
    "contiguous": _same,
    "detach": _same,
    "alias": _same,
    "to": _same,
    "_to_copy": _same,
    "lift_fresh_copy": _same,
}
