"""Arithmetic, activations, linear layers, norms and pools of ONNX, drawn with our layers."""

import functools
from collections.abc import Callable, Sequence

import torch

from explorer.models.adopted.layers import strokes
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.layers.sketch import (
    Item,
    NotLayers,
    Value,
    add,
    divide,
    elementwise,
    matrix_product,
    multiply,
    plain,
    power,
    softmax,
)
from explorer.models.adopted.onnx.operators import pads_of, transposed_pads
from explorer.models.adopted.onnx.stroke import Rule, Stroke

SAME_SOFTPLUS = 15.0
"""Beyond it softplus(x) and x are the same to 3e-7."""


def _activation(kind: str, **settings: tuple[str, float]) -> Callable[[Stroke], Item]:
    """Return the rule of an activation whose settings are attributes with a default."""

    def rule(stroke: Stroke) -> Item:
        values = {name: stroke.call.number(*given) for name, given in settings.items()}
        return elementwise(stroke[0], Layer(kind, values), stroke.call.node.operator)

    return rule


def _where(stroke: Stroke) -> Item:
    """Return x where x > t else softplus(x), for t at which the two are the same."""
    condition, above, below = (
        plain(stroke[index], "a choice by the picture") for index in range(3)
    )
    known = condition.layer is not None and condition.layer.kind == "above"
    if known and condition.sources[0] is above and below.sources == (above,):
        if below.layer is not None and below.layer.kind == "softplus":
            return below
    raise NotLayers("a choice by the picture")


def _above(stroke: Stroke) -> Item:
    """Mark a comparison, which has no layer of its own, for the choice that follows it."""
    value, limit = plain(stroke[0], "a comparison"), stroke.constant(1)
    if limit.numel() != 1 or float(limit) < SAME_SOFTPLUS:
        raise NotLayers("a comparison")
    return elementwise(value, Layer("above"), "a comparison")


def _gelu(stroke: Stroke) -> Item:
    settings = {"approximate": stroke.call.word("approximate", "none")}
    return elementwise(stroke[0], Layer("gelu", settings), "GELU")


def _swish(stroke: Stroke) -> Item:
    if stroke.call.number("alpha", 1.0) != 1:
        raise NotLayers("a swish with a slope of its own")
    return elementwise(stroke[0], Layer("silu"), "SiLU")


def _clip(stroke: Stroke) -> Item:
    bounds = []
    for index, name, default in ((1, "min", -1e30), (2, "max", 1e30)):
        given = stroke.maybe(index)
        bounds.append(stroke.call.number(name, default) if given is None else float(given))
    settings = dict(zip(("low", "high"), bounds, strict=True))
    return elementwise(stroke[0], Layer("clamp", settings), "a clamp")


def _prelu(stroke: Stroke) -> Item:
    weight, value = stroke.constant(1), plain(stroke[0], "PReLU")
    if weight.numel() not in (1, value.shape[0]):
        raise NotLayers("a slope for each pixel")
    return elementwise(value, Layer("prelu", {}, {"weight": weight.float().flatten()}), "PReLU")


def _power(stroke: Stroke) -> Item:
    if stroke.constant(1).numel() != 1:
        raise NotLayers("a power that is an array")
    return power(stroke[0], float(stroke.constant(1)), "a power")


def _gemm(stroke: Stroke) -> Item:
    call = stroke.call
    weight = stroke.constant(1) * call.number("alpha", 1.0)
    weight = weight if call.number("transB", 0) else weight.mT
    bias = stroke.maybe(2)
    if call.number("transA", 0):
        raise NotLayers("a matrix product across the batch")
    return strokes.linear(
        stroke[0], weight, None if bias is None else bias * call.number("beta", 1.0)
    )


def _matmul(stroke: Stroke) -> Item:
    if isinstance(stroke[1], Value):
        return matrix_product(stroke[0], stroke[1])
    return strokes.linear(stroke[0], stroke.constant(1).mT, None)


def _softmax(stroke: Stroke) -> Item:
    """Draw a softmax along one axis; before opset 13 it took all axes from that one on."""
    axes, is_late = len(stroke.shape), stroke.call.opset >= 13
    axis = stroke.call.axis("axis", -1 if is_late else 1, axes + 1)
    if not axis or (not is_late and axis != axes):
        raise NotLayers("a softmax across the batch, or along several axes")
    return softmax(stroke[0], axis - 1)


def _hard_sigmoid(x: Item, slope: float, shift: float) -> Item:
    line = add(multiply(x, torch.tensor(slope)), torch.tensor(shift))
    return elementwise(line, Layer("clamp", {"low": 0.0, "high": 1.0}), "a hard sigmoid")


def _mish(stroke: Stroke) -> Item:
    gate = elementwise(elementwise(stroke[0], Layer("softplus"), "Mish"), Layer("tanh"), "Mish")
    return multiply(stroke[0], gate)


def _wholes(stroke: Stroke, name: str, default: int) -> list[int]:
    return list(stroke.call.attribute(name) or [default, default])


def _conv(stroke: Stroke) -> Item:
    weight, size = stroke.constant(1), stroke.pictures(0)[1:]
    return strokes.conv(
        stroke[0],
        weight,
        stroke.maybe(2),
        _wholes(stroke, "strides", 1),
        pads_of(stroke.call, size, weight.shape[2:]),
        _wholes(stroke, "dilations", 1),
        int(stroke.call.number("group", 1)),
        stroke.shape,
    )


def _conv_transpose(stroke: Stroke) -> Item:
    weight, size = stroke.constant(1), stroke.pictures(0)[1:]
    return strokes.transposed_conv(
        stroke[0],
        weight,
        stroke.maybe(2),
        _wholes(stroke, "strides", 1),
        transposed_pads(stroke.call, size, weight.shape[2:]),
        _wholes(stroke, "output_padding", 0),
        _wholes(stroke, "dilations", 1),
        int(stroke.call.number("group", 1)),
        stroke.shape,
    )


def _batch_norm(stroke: Stroke) -> Item:
    scale, bias, mean, variance = (stroke.constant(index) for index in range(1, 5))
    eps = stroke.call.number("epsilon", 1e-5)
    return strokes.batch_norm(stroke[0], mean, variance, scale, bias, eps)


def _instance_norm(stroke: Stroke) -> Item:
    channels = plain(stroke[0], "an instance norm").shape[0]
    eps = stroke.call.number("epsilon", 1e-5)
    return strokes.group_norm(stroke[0], channels, stroke.constant(1), stroke.constant(2), eps)


def _group_norm(stroke: Stroke) -> Item:
    groups = int(stroke.call.number("num_groups", 1))
    channels = plain(stroke[0], "a group norm").shape[0]
    scale, bias = stroke.constant(1), stroke.constant(2)
    if scale.numel() == groups != channels:
        scale = scale.repeat_interleave(channels // groups)
        bias = bias.repeat_interleave(channels // groups)
    return strokes.group_norm(stroke[0], groups, scale, bias, stroke.call.number("epsilon", 1e-5))


def _layer_norm(stroke: Stroke) -> Item:
    value = plain(stroke[0], "a layer norm")
    axis = stroke.call.axis("axis", -1, len(value.shape) + 1)
    shape = value.shape[axis - 1 :] if axis else ()
    return strokes.layer_norm(
        value, shape, stroke.constant(1), stroke.maybe(2), stroke.call.number("epsilon", 1e-5)
    )


def _pool(kind: str) -> Callable[[Stroke], Item]:
    def rule(stroke: Stroke) -> Item:
        call, size = stroke.call, stroke.pictures(0)[1:]
        kernel = list(call.attribute("kernel_shape"))
        top, left, bottom, right = pads_of(call, size, kernel)
        if (top, left) != (bottom, right):
            raise NotLayers("a pool with an uneven border")
        settings: dict[str, object] = {
            "kernel": kernel,
            "stride": _wholes(stroke, "strides", 1),
            "padding": [top, left],
            "ceil": bool(call.number("ceil_mode", 0)),
        }
        if kind == "maxPool":
            settings["dilation"] = _wholes(stroke, "dilations", 1)
        else:
            settings["countPadding"] = bool(call.number("count_include_pad", 0))
        return strokes.pool(kind, stroke[0], settings, stroke.shape)

    return rule


def _along(draw: Callable[[Item, Sequence[int], bool], Item]) -> Rule:
    """Return the rule of what is reduced along axes of the images."""

    def rule(stroke: Stroke) -> Item:
        count = len(plain(stroke[0], "a mean").shape) + 1
        axes = [axis % count - 1 for axis in stroke.call.wholes(1, "axes") or range(count)]
        if min(axes) < 0:
            raise NotLayers("a mean across the batch")
        return draw(stroke[0], axes, bool(stroke.call.number("keepdims", 1)))

    return rule


def _squares(item: Item, axes: Sequence[int], keep: bool) -> Item:
    return strokes.total(multiply(item, item), axes, keep)


def _length(item: Item, axes: Sequence[int], keep: bool) -> Item:
    return power(_squares(item, axes, keep), 0.5, "a length")


RULES: dict[str, Rule] = {
    "Add": lambda s: add(s[0], s[1]),
    "Sub": lambda s: add(s[0], s[1], -1.0),
    "Mul": lambda s: multiply(s[0], s[1]),
    "Div": lambda s: divide(s[0], s[1]),
    "Sum": lambda s: functools.reduce(add, (s[index] for index in range(len(s.items)))),
    "Greater": _above,
    "Where": _where,
    "Neg": lambda s: multiply(s[0], torch.tensor(-1.0)),
    "Pow": _power,
    "Relu": _activation("relu"),
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "Softplus": _activation("softplus"),
    "Exp": _activation("exp"),
    "Log": _activation("log"),
    "Sqrt": lambda s: power(s[0], 0.5, "a root"),
    "Reciprocal": lambda s: power(s[0], -1.0, "1/x"),
    "Erf": _activation("erf"),
    "LeakyRelu": _activation("leakyRelu", slope=("alpha", 0.01)),
    "Elu": _activation("elu", alpha=("alpha", 1.0)),
    "Gelu": _gelu,
    "Swish": _swish,
    "Clip": _clip,
    "PRelu": _prelu,
    "HardSigmoid": lambda s: _hard_sigmoid(
        s[0], s.call.number("alpha", 0.2), s.call.number("beta", 0.5)
    ),
    "HardSwish": lambda s: multiply(s[0], _hard_sigmoid(s[0], 1 / 6, 0.5)),
    "Mish": _mish,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Softmax": _softmax,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "MaxPool": _pool("maxPool"),
    "AveragePool": _pool("averagePool"),
    "GlobalAveragePool": lambda s: strokes.mean_of_picture(s[0], True),
    "ReduceMean": _along(strokes.mean),
    "ReduceSum": _along(strokes.total),
    "ReduceSumSquare": _along(_squares),
    "ReduceL2": _along(_length),
}
