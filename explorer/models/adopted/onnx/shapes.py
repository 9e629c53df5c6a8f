"""Operators of ONNX that move values about: shapes, slices, joins, pads, resizing."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from explorer.models.adopted.layers.builders import broadcast
from explorer.models.adopted.onnx.call import Call, bounded
from explorer.models.adopted.onnx.operators import Operator, Result


def _constant(call: Call) -> Tensor:
    for name, value in call.node.attributes.items():
        if name == "value" and isinstance(value, Tensor):
            return value.to(call.dtype) if value.is_floating_point() else value
        if name in ("value_float", "value_floats"):
            return torch.tensor(value, dtype=call.dtype)
        if name in ("value_int", "value_ints"):
            return torch.tensor(value, dtype=torch.int64)
    raise ValueError("a constant of no kind that is read")


def _constant_of_shape(call: Call) -> Tensor:
    shape = bounded(call.wholes(0) or [])
    value = call.attribute("value")
    if value is None:
        return torch.zeros(shape, dtype=call.dtype, device=call.device)
    dtype = call.dtype if value.is_floating_point() else value.dtype
    return torch.full(shape, value.flatten()[0].item(), dtype=dtype, device=call.device)


def _range(call: Call) -> Tensor:
    start, limit, step = ((call.numbers(index) or [0.0])[0] for index in range(3))
    if not step or not 0 <= (limit - start) / step <= 1e6:
        raise ValueError("a range that does not end")
    dtype = call.dtype if call[0].is_floating_point() else torch.int64
    return torch.arange(start, limit, step, device=call.device).to(dtype)


def _shape(call: Call) -> Tensor:
    sizes = list(call[0].shape)
    end = call.attribute("end")
    return torch.tensor(sizes[int(call.number("start", 0)) : end], dtype=torch.int64)


def _reshape(call: Call) -> Tensor:
    x, sizes = call[0], call.wholes(1, "shape") or []
    if not call.number("allowzero", 0):
        sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return x.reshape(sizes)


def _flatten(call: Call) -> Tensor:
    x = call[0]
    axis = int(call.number("axis", 1))
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), -1)


def _squeeze(call: Call) -> Tensor:
    x, axes = call[0], call.wholes(1, "axes")
    if axes is None:
        axes = [axis for axis, size in enumerate(x.shape) if size == 1]
    axes = [axis % x.ndim for axis in axes]
    if any(x.shape[axis] != 1 for axis in axes):
        raise ValueError("an axis to be dropped that is not of size 1")
    return x.reshape([size for axis, size in enumerate(x.shape) if axis not in axes])


def _unsqueeze(call: Call) -> Tensor:
    x, axes = call[0], call.wholes(1, "axes") or []
    dims = x.ndim + len(axes)
    for axis in sorted(axis % dims for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _transpose(call: Call) -> Tensor:
    return call[0].permute(call.attribute("perm") or list(reversed(range(call[0].ndim))))


def _concat(call: Call) -> Tensor:
    arrays = [call[index] for index in range(len(call.inputs))]
    return torch.cat(arrays, call.axis("axis", 0, arrays[0].ndim))


def split_sizes(call: Call, size: int) -> list[int]:
    """Return the sizes of the parts that an axis of `size` is split into."""
    given = call.wholes(1, "split")
    if given:
        return given
    count = int(call.number("num_outputs", len(call.node.outputs)))
    share = -(-size // count)
    return [min(share, size - share * index) for index in range(count)]


def _split(call: Call) -> Result:
    x = call[0]
    axis = call.axis("axis", 0, x.ndim)
    return torch.split(x, split_sizes(call, x.shape[axis]), axis)


def slices_of(call: Call, dims: int) -> list[tuple[int, int, int, int]]:
    """Return (axis, start, stop, step) of each axis that is cut."""
    starts, stops = call.wholes(1, "starts") or [], call.wholes(2, "ends") or []
    axes = call.wholes(3, "axes") or list(range(len(starts)))
    steps = call.wholes(4, "steps") or [1] * len(starts)
    return [
        (axis % dims, start, stop, step)
        for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True)
    ]


def _slice(call: Call) -> Tensor:
    x = call[0]
    for axis, start, stop, step in slices_of(call, x.ndim):
        if step > 0:
            # As exporters write it, the end may be the largest whole number there is.
            cut = slice(*slice(start, stop, step).indices(x.shape[axis]))
            x = x[(slice(None),) * axis + (cut,)]
        else:
            chosen = torch.tensor(range(x.shape[axis])[start:stop:step], device=x.device)
            x = x.index_select(axis, chosen.long())
    return x


def _gather(call: Call) -> Tensor:
    x, chosen = call[0], call[1].long()
    axis = call.axis("axis", 0, x.ndim)
    size = x.shape[axis]
    flat = torch.where(chosen < 0, chosen + size, chosen).flatten().to(x.device)
    found = x.index_select(axis, flat)
    return found.reshape((*x.shape[:axis], *chosen.shape, *x.shape[axis + 1 :]))


def _expand(call: Call) -> Tensor:
    shape = broadcast(tuple(bounded(call.wholes(1) or [])), call[0].shape)
    return call[0].expand(shape)


def _tile(call: Call) -> Tensor:
    return call[0].repeat(bounded(call.wholes(1) or []))


def pad_pairs(call: Call, dims: int) -> list[tuple[int, int]]:
    """Return (before, after) of every axis."""
    pads = call.wholes(1, "pads") or []
    axes = [axis % dims for axis in call.wholes(3) or range(dims)]
    pairs = [(0, 0)] * dims
    for index, axis in enumerate(axes):
        pairs[axis] = pads[index], pads[index + len(axes)]
    return pairs


PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _pad(call: Call) -> Tensor:
    x = call[0]
    mode = PAD_MODES[call.word("mode", "constant")]
    pairs = pad_pairs(call, x.ndim)
    kept = 0 if mode == "constant" else 2
    if any(pair != (0, 0) for pair in pairs[:kept]):
        raise ValueError("a border around images or channels")
    flat = [size for pair in reversed(pairs[kept:]) for size in pair]
    if mode != "constant":
        return functional.pad(x, flat, mode)
    return functional.pad(x, flat, value=(call.numbers(2) or [call.number("value", 0.0)])[0])


def resized(call: Call, sizes: list[int]) -> list[int]:
    """Return the sizes that every axis is resized to."""
    old = call.opset < 11 or call.node.operator == "Upsample"
    factors = call.numbers(1, "scales") if old else call.numbers(2)
    wanted = None if old else call.wholes(3)
    if wanted is None:
        wanted = [math.floor(size * f) for size, f in zip(sizes, factors or [], strict=True)]
    axes = call.attribute("axes")
    if axes is not None:
        full = list(sizes)
        for axis, size in zip(axes, wanted, strict=True):
            full[axis % len(sizes)] = size
        wanted = full
    return bounded(wanted)


def resize_mode(call: Call) -> tuple[str, str]:
    """Return the interpolation and the rule by which coordinates are found."""
    asymmetric = call.opset < 11 or call.node.operator == "Upsample"
    rule = "asymmetric" if asymmetric else call.word("coordinate_transformation_mode", "half_pixel")
    return call.word("mode", "nearest"), rule


def coordinates(rule: str, before: int, after: int) -> Tensor:
    """Return where each new pixel lies among the old ones, float64 (after,)."""
    at = torch.arange(after, dtype=torch.float64)
    if rule == "align_corners":
        return at * (before - 1) / max(1, after - 1)
    if rule == "asymmetric":
        return at * before / after
    if rule == "pytorch_half_pixel" and after == 1:
        return torch.zeros(1, dtype=torch.float64)
    if rule in ("half_pixel", "pytorch_half_pixel"):
        return (at + 0.5) * before / after - 0.5
    raise ValueError(f"resizing by {rule}")


def nearest_pixels(call: Call, before: int, after: int) -> Tensor:
    """Return which old pixel each new one takes, int64 (after,)."""
    at = coordinates(resize_mode(call)[1], before, after)
    old = call.opset < 11 or call.node.operator == "Upsample"
    rounding = "floor" if old else call.word("nearest_mode", "round_prefer_floor")
    found = {
        "floor": torch.floor(at),
        "ceil": torch.ceil(at),
        "round_prefer_floor": torch.ceil(at - 0.5),
        "round_prefer_ceil": torch.floor(at + 0.5),
    }[rounding]
    return found.clamp(0, before - 1).long()


def _resize(call: Call) -> Tensor:
    x = call[0]
    mode, rule = resize_mode(call)
    if mode not in ("nearest", "linear"):
        raise ValueError(f"resizing by {mode} interpolation")
    wanted = resized(call, list(x.shape))
    for axis, (before, after) in enumerate(zip(x.shape, wanted, strict=True)):
        if before == after:
            continue
        if mode == "nearest":
            x = x.index_select(axis, nearest_pixels(call, before, after).to(x.device))
            continue
        at = coordinates(rule, before, after).clamp(0, before - 1)
        low = at.floor().clamp(max=before - 1)
        share = (at - low).to(x.dtype).to(x.device)
        share = share.reshape(-1, *[1] * (x.ndim - axis - 1))
        first = x.index_select(axis, low.long().to(x.device))
        second = x.index_select(axis, (low + 1).clamp(max=before - 1).long().to(x.device))
        x = first * (1 - share) + second * share
    return x


def _depth_to_space(call: Call) -> Tensor:
    x, block = call[0], int(call.number("blocksize", 1))
    n, c, h, w = x.shape
    if call.word("mode", "DCR") == "CRD":
        return functional.pixel_shuffle(x, block)
    parts = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, c // block**2, h * block, w * block)


def _cast(call: Call) -> Tensor:
    return call[0].to(call.cast(int(call.number("to", 1))))


def _identity(call: Call) -> Tensor:
    if call.node.operator == "Dropout" and (call.numbers(2) or [0.0])[0]:
        raise ValueError("dropout that is still in training mode")
    return call[0]


SHAPE_OPERATORS: dict[str, Operator] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Shape": _shape,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Expand": _expand,
    "Tile": _tile,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _depth_to_space,
    "Cast": _cast,
    "Identity": _identity,
    "Dropout": _identity,
}
SHAPE_INPUTS: dict[str, set[int]] = {
    "ConstantOfShape": {0},
    "Range": {0, 1, 2},
    "Reshape": {1},
    "Squeeze": {1},
    "Unsqueeze": {1},
    "Split": {1},
    "Slice": {1, 2, 3, 4},
    "Expand": {1},
    "Tile": {1},
    "Pad": {1, 2, 3},
    "Resize": {1, 2, 3},
    "Upsample": {1},
    "ReduceMean": {1},
    "ReduceSum": {1},
    "ReduceProd": {1},
    "ReduceMax": {1},
    "ReduceMin": {1},
    "ReduceL2": {1},
    "ReduceSumSquare": {1},
}
"""Inputs that are sizes and places: they must be known without looking at a picture."""
