"""Arithmetic, activations, linear layers and norms of ONNX, in torch.

Each takes a `Call` and returns an array, or a tuple of them. Definitions:
https://onnx.ai/onnx/operators/.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from explorer.models.adopted.onnx.call import Call

Result = Tensor | tuple[Tensor, ...]
Operator = Callable[[Call], Result]


def one(function: Callable[[Tensor], Tensor]) -> Operator:
    """Return the operator of a function of one array."""
    return lambda call: function(call[0])


def two(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    """Return the operator of a function of two arrays."""
    return lambda call: function(call[0], call[1])


def many(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    """Return the operator that joins any number of arrays two by two."""

    def join(call: Call) -> Tensor:
        total = call[0]
        for index in range(1, len(call.inputs)):
            total = function(total, call[index])
        return total

    return join


def _divide(a: Tensor, b: Tensor) -> Tensor:
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _clip(call: Call) -> Tensor:
    x = call[0]
    for index, name, bound in ((1, "min", torch.maximum), (2, "max", torch.minimum)):
        limit = call.get(index)
        if limit is None and name in call.node.attributes:
            limit = torch.tensor(call.number(name, 0.0), device=x.device)
        x = x if limit is None else bound(x, limit.to(x.dtype))
    return x


def _prelu(call: Call) -> Tensor:
    x = call[0]
    return torch.where(x < 0, x * call[1], x)


def _hard_sigmoid(call: Call) -> Tensor:
    return (call.number("alpha", 0.2) * call[0] + call.number("beta", 0.5)).clamp(0, 1)


def _softmax(function: Callable[..., Tensor]) -> Operator:
    def apply(call: Call) -> Tensor:
        x = call[0]
        if call.opset >= 13:
            return function(x, call.axis("axis", -1, x.ndim))
        # Before opset 13 all axes from this one on were taken together.
        axis = call.axis("axis", 1, x.ndim)
        return function(x.flatten(axis), -1).reshape(x.shape)

    return apply


def _gemm(call: Call) -> Tensor:
    a = call[0].mT if call.number("transA", 0) else call[0]
    b = call[1].mT if call.number("transB", 0) else call[1]
    product = (a @ b) * call.number("alpha", 1.0)
    bias = call.get(2)
    return product if bias is None else product + bias * call.number("beta", 1.0)


def _gelu(call: Call) -> Tensor:
    return functional.gelu(call[0], approximate=call.word("approximate", "none"))


def pads_of(call: Call, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """Return (before…, after…) per spatial axis, from pads or auto_pad, for inputs of `sizes`."""
    count = len(kernel)
    mode = call.word("auto_pad", "NOTSET")
    if mode in ("NOTSET", ""):
        return list(call.attribute("pads") or [0] * (2 * count))
    if mode == "VALID":
        return [0] * (2 * count)
    strides = call.attribute("strides") or [1] * count
    dilations = call.attribute("dilations") or [1] * count
    before, after = [], []
    for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        outputs = -(-size // stride)
        total = max(0, (outputs - 1) * stride + (k - 1) * dilation + 1 - size)
        small, large = total // 2, total - total // 2
        before.append(small if mode == "SAME_UPPER" else large)
        after.append(large if mode == "SAME_UPPER" else small)
    return before + after


def pad_pixels(x: Tensor, pads: Sequence[int], value: float) -> Tensor:
    """Return x (N, C, …) with `pads` (before…, after…) on its spatial axes."""
    count = len(pads) // 2
    pairs = [pads[axis + side * count] for axis in reversed(range(count)) for side in (0, 1)]
    return functional.pad(x, pairs, value=value) if any(pads) else x


def _conv(call: Call) -> Tensor:
    x, weight = call[0], call[1]
    count = weight.ndim - 2
    x = pad_pixels(x, pads_of(call, x.shape[2:], weight.shape[2:]), 0.0)
    function: Any = (functional.conv1d, functional.conv2d, functional.conv3d)[count - 1]
    return function(
        x,
        weight,
        call.get(2),
        call.attribute("strides") or [1] * count,
        0,
        call.attribute("dilations") or [1] * count,
        int(call.number("group", 1)),
    )


def transposed_pads(call: Call, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """Return what a transposed convolution loses (before…, after…) on each spatial axis."""
    count = len(kernel)
    strides = call.attribute("strides") or [1] * count
    dilations = call.attribute("dilations") or [1] * count
    extra = call.attribute("output_padding") or [0] * count
    wanted = call.attribute("output_shape")
    mode = call.word("auto_pad", "NOTSET")
    if wanted is None and not mode.startswith("SAME"):
        return (
            list(call.attribute("pads") or [0] * (2 * count))
            if mode != "VALID"
            else [0] * 2 * count
        )
    if wanted is None:
        wanted = [size * stride for size, stride in zip(sizes, strides, strict=True)]
    before, after = [], []
    for axis in range(count):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        total = strides[axis] * (sizes[axis] - 1) + extra[axis] + reach - wanted[-count:][axis]
        small, large = total // 2, total - total // 2
        before.append(large if mode == "SAME_LOWER" else small)
        after.append(small if mode == "SAME_LOWER" else large)
    return before + after


def _conv_transpose(call: Call) -> Tensor:
    x, weight = call[0], call[1]
    count = weight.ndim - 2
    lost = transposed_pads(call, x.shape[2:], weight.shape[2:])
    extra = call.attribute("output_padding") or [0] * count
    function: Any = (
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.conv_transpose3d,
    )[count - 1]
    strides = call.attribute("strides") or [1] * count
    dilations = call.attribute("dilations") or [1] * count
    groups = int(call.number("group", 1))
    if lost[:count] == lost[count:] and min(lost) >= 0:
        return function(x, weight, call.get(2), strides, lost[:count], extra, groups, dilations)
    full = function(x, weight, call.get(2), strides, 0, 0, groups, dilations)
    return pad_pixels(
        full,
        [-n for n in lost[:count]] + [e - n for e, n in zip(extra, lost[count:], strict=True)],
        0.0,
    )


def _batch_norm(call: Call) -> Tensor:
    if call.number("training_mode", 0):
        raise ValueError("batch norm that is still in training mode")
    scale, bias, mean, variance = call[1], call[2], call[3], call[4]
    return functional.batch_norm(
        call[0], mean, variance, scale, bias, False, 0.0, call.number("epsilon", 1e-5)
    )


def _instance_norm(call: Call) -> Tensor:
    x = call[0]
    return functional.group_norm(x, x.shape[1], call[1], call[2], call.number("epsilon", 1e-5))


def _group_norm(call: Call) -> Tensor:
    x, groups = call[0], int(call.number("num_groups", 1))
    scale, bias = call[1], call[2]
    if scale.numel() == groups != x.shape[1]:  # Opset 18 had one per group.
        scale = scale.repeat_interleave(x.shape[1] // groups)
        bias = bias.repeat_interleave(x.shape[1] // groups)
    return functional.group_norm(x, groups, scale, bias, call.number("epsilon", 1e-5))


def _layer_norm(call: Call) -> Tensor:
    x = call[0]
    shape = x.shape[call.axis("axis", -1, x.ndim) :]
    bias, eps = call.get(2), call.number("epsilon", 1e-5)
    scaled = functional.layer_norm(x, shape, None, None, eps) * call[1]
    return scaled if bias is None else scaled + bias


def _max_pool(call: Call) -> Tensor:
    x, kernel = call[0], call.attribute("kernel_shape")
    count = len(kernel)
    x = pad_pixels(x, pads_of(call, x.shape[2:], kernel), -math.inf)
    function: Any = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[count - 1]
    return function(
        x,
        kernel,
        call.attribute("strides") or [1] * count,
        0,
        call.attribute("dilations") or 1,
        bool(call.number("ceil_mode", 0)),
    )


def _average_pool(call: Call) -> Tensor:
    x, kernel = call[0], call.attribute("kernel_shape")
    count = len(kernel)
    pads = pads_of(call, x.shape[2:], kernel)
    function: Any = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[count - 1]
    settings = (call.attribute("strides") or [1] * count, 0, bool(call.number("ceil_mode", 0)))
    mean = function(pad_pixels(x, pads, 0.0), kernel, *settings)
    if call.number("count_include_pad", 0) or not any(pads):
        return mean
    # The share of each window that lies inside the picture.
    inside = function(pad_pixels(torch.ones_like(x[:1, :1]), pads, 0.0), kernel, *settings)
    return mean / inside


EINSUM = re.compile(r"[A-Za-z]+(,[A-Za-z]+)?->[A-Za-z]*")
"""Of one or two arrays, every axis named and what comes out too."""


def _einsum(call: Call) -> Tensor:
    equation = call.word("equation", "").replace(" ", "")
    if not EINSUM.fullmatch(equation):
        raise ValueError("an Einsum of this sort is not read")
    return torch.einsum(equation, *(call[index] for index in range(1 + equation.count(","))))


def _global_pool(function: Callable[..., Tensor]) -> Operator:
    return lambda call: function(call[0], tuple(range(2, call[0].ndim)), keepdim=True)


def _reduce(function: Callable[..., Tensor], first: int) -> Operator:
    """Return the reduction that takes its axes as an input from opset `first` on."""

    def apply(call: Call) -> Tensor:
        x, keep = call[0], bool(call.number("keepdims", 1))
        axes = call.wholes(1, "axes") if call.opset >= first else call.attribute("axes")
        if not axes:
            if call.number("noop_with_empty_axes", 0):
                return x
            axes = list(range(x.ndim))
        return function(x, tuple(axis % max(1, x.ndim) for axis in axes), keep)

    return apply


def _product(x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def _square_sum(x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    return x.square().sum(tuple(axes), keepdim=keep)


def _length(x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    return _square_sum(x, axes, keep).sqrt()


def _noise_like(call: Call) -> Tensor:
    return torch.full_like(call[0], _noise(call), dtype=call.dtype)


def _noise_of_shape(call: Call) -> Tensor:
    shape = [int(size) for size in call.attribute("shape") or []]
    return torch.full(shape, _noise(call), dtype=call.dtype, device=call.device)


def _noise(call: Call) -> float:
    return call.number("mean", 0.0) + call.number("scale", 1.0) * call.noise


OPERATORS: dict[str, Operator] = {
    "Add": two(torch.add),
    "Sub": two(torch.sub),
    "Mul": two(torch.mul),
    "Div": two(_divide),
    "Pow": lambda call: torch.pow(call[0], call[1].to(call[0].dtype)),
    "Mod": lambda call: (torch.fmod if call.number("fmod", 0) else torch.remainder)(
        call[0], call[1]
    ),
    "Max": many(torch.maximum),
    "Min": many(torch.minimum),
    "Sum": many(torch.add),
    "Abs": one(torch.abs),
    "Neg": one(torch.neg),
    "Exp": one(torch.exp),
    "Log": one(torch.log),
    "Sqrt": one(torch.sqrt),
    "Floor": one(torch.floor),
    "Ceil": one(torch.ceil),
    "Reciprocal": one(torch.reciprocal),
    "Erf": one(torch.erf),
    "Sin": one(torch.sin),
    "Cos": one(torch.cos),
    "Sign": one(torch.sign),
    "Round": one(torch.round),
    "Equal": two(torch.eq),
    "Greater": two(torch.gt),
    "Less": two(torch.lt),
    "GreaterOrEqual": two(torch.ge),
    "LessOrEqual": two(torch.le),
    "Where": lambda call: torch.where(call[0].bool(), call[1], call[2]),
    "Clip": _clip,
    "Relu": one(torch.relu),
    "LeakyRelu": lambda call: functional.leaky_relu(call[0], call.number("alpha", 0.01)),
    "PRelu": _prelu,
    "Elu": lambda call: functional.elu(call[0], call.number("alpha", 1.0)),
    "Sigmoid": one(torch.sigmoid),
    "Tanh": one(torch.tanh),
    "Softplus": one(functional.softplus),
    "Swish": lambda call: call[0] * torch.sigmoid(call.number("alpha", 1.0) * call[0]),
    "Gelu": _gelu,
    "Selu": lambda call: (
        call.number("gamma", 1.0507009873554805)
        * functional.elu(call[0], call.number("alpha", 1.6732632423543772))
    ),
    "Celu": lambda call: functional.celu(call[0], call.number("alpha", 1.0)),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": one(functional.hardswish),
    "Mish": one(functional.mish),
    "Softsign": one(functional.softsign),
    "ThresholdedRelu": lambda call: functional.threshold(call[0], call.number("alpha", 1.0), 0.0),
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
    "Gemm": _gemm,
    "MatMul": two(torch.matmul),
    "Einsum": _einsum,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_pool(torch.mean),
    "GlobalMaxPool": _global_pool(torch.amax),
    "ReduceMean": _reduce(torch.mean, 18),
    "ReduceSum": _reduce(torch.sum, 13),
    "ReduceProd": _reduce(_product, 18),
    "ReduceMax": _reduce(torch.amax, 18),
    "ReduceMin": _reduce(torch.amin, 18),
    "ReduceL2": _reduce(_length, 18),
    "ReduceSumSquare": _reduce(_square_sum, 18),
    "RandomNormalLike": _noise_like,
    "RandomNormal": _noise_of_shape,
}
