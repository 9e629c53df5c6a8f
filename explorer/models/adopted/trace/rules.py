"""Arithmetic, activations, linear layers, norms and pools of torch, drawn with our layers.

Operators are those of torch's own export before any decomposition: linear, conv2d, group_norm stay
what they are. Names: https://docs.pytorch.org/docs/stable/torch.compiler_ir.html.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.models.adopted.layers import strokes
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.layers.sketch import (
    Item,
    NotLayers,
    Value,
    add,
    cut,
    divide,
    elementwise,
    matrix_product,
    multiply,
    plain,
    power,
    softmax,
)
from explorer.models.adopted.trace.einsum import einsum
from explorer.models.adopted.trace.node import Node, Rule


def _activation(kind: str, **settings: str) -> Rule:
    """Return the rule of an activation whose settings are arguments."""

    def rule(node: Node) -> Item:
        values = {name: node[argument] for name, argument in settings.items()}
        values = {name: v if isinstance(v, str) else float(v) for name, v in values.items()}
        return elementwise(node.item(), Layer(kind, values), node.name)

    return rule


def _clamp(low: float = -1e30, high: float = 1e30) -> Rule:
    def rule(node: Node) -> Item:
        bounds = [node["min"] or node["min_val"], node["max"] or node["max_val"]]
        bounds = [low if bounds[0] is None else bounds[0], high if bounds[1] is None else bounds[1]]
        if any(isinstance(bound, Tensor | Value) for bound in bounds):
            raise NotLayers("a clamp by arrays")
        settings = {"low": float(bounds[0]), "high": float(bounds[1])}
        return elementwise(node.item(), Layer("clamp", settings), "a clamp")

    return rule


def _expm1(node: Node) -> Item:
    return add(elementwise(node.item(), Layer("exp"), "expm1"), torch.tensor(-1.0))


def _log1p(node: Node) -> Item:
    return elementwise(add(node.item(), torch.tensor(1.0)), Layer("log"), "log1p")


def _elu(node: Node) -> Item:
    alpha, scale = float(node["alpha"]), float(node["scale"])
    found = elementwise(node.item(), Layer("elu", {"alpha": alpha}), "ELU")
    if node["input_scale"] != 1:
        raise NotLayers("an ELU with a scale of its input")
    return multiply(found, torch.tensor(scale))


def _selu(node: Node) -> Item:
    found = elementwise(node.item(), Layer("elu", {"alpha": 1.6732632423543772}), "SELU")
    return multiply(found, torch.tensor(1.0507009873554805))


def _mish(node: Node) -> Item:
    gate = elementwise(node.item(), Layer("softplus"), "Mish")
    return multiply(node.item(), elementwise(gate, Layer("tanh"), "Mish"))


def _hard_sigmoid(node: Node) -> Item:
    shifted = multiply(add(node.item(), torch.tensor(3.0)), torch.tensor(1 / 6))
    return elementwise(shifted, Layer("clamp", {"low": 0.0, "high": 1.0}), "hard sigmoid")


def _log_sigmoid(node: Node) -> Item:
    minus = torch.tensor(-1.0)
    return multiply(elementwise(multiply(node.item(), minus), Layer("softplus"), "softplus"), minus)


def _prelu(node: Node) -> Item:
    weight = node.weight("weight").float().flatten()
    return elementwise(node.item(), Layer("prelu", {}, {"weight": weight}), "PReLU")


def _add(sign: float) -> Rule:
    def rule(node: Node) -> Item:
        other, alpha = node.item("other"), node["alpha"]
        if alpha not in (None, 1):
            other = multiply(other, torch.tensor(float(alpha)))
        return add(node.item(), other, sign)

    return rule


def _rsub(node: Node) -> Item:
    return add(node.item("other"), node.item(), -1.0)


def _power(node: Node) -> Item:
    exponent = 2.0 if node["exponent"] is None else node["exponent"]
    if not isinstance(exponent, int | float):
        raise NotLayers("a power that is an array")
    return power(node.item(), float(exponent), "a power")


def _linear(node: Node) -> Item:
    return strokes.linear(node.item("input"), node.weight("weight"), node.constant("bias"))


def _matmul(node: Node) -> Item:
    first = node.item("input") if node["input"] is not None else node.item()
    name = "mat2" if node["mat2"] is not None else "other"
    if isinstance(node[name], Value):
        return matrix_product(first, node[name])
    return strokes.linear(first, node.weight(name).mT, None)


def _softmax(node: Node) -> Item:
    return softmax(node.item(), node.axis())


def _attention(node: Node) -> Item:
    """Draw softmax(QKᵀ·scale)V; torch scales by 1/√(width) where it is not told."""
    if (
        node["attn_mask"] is not None
        or node["is_causal"]
        or node["dropout_p"]
        or node["enable_gqa"]
    ):
        raise NotLayers("attention with a mask or dropout")
    query = plain(node.item("query"), "attention")
    key = plain(node.item("key"), "attention")
    axes = len(key.shape)
    turned = strokes.permute(key, [*range(axes - 1), axes, axes - 1])
    scale = query.shape[-1] ** -0.5 if node["scale"] is None else float(node["scale"])
    scores = multiply(matrix_product(query, turned), torch.tensor(scale))
    return matrix_product(softmax(scores, axes - 1), node.item("value"))


def _root(exponent: float) -> Rule:
    """Return the rule of √x or 1/√x: variances are positive."""
    return lambda node: power(node.item(), exponent, "a root")


def _baddbmm(node: Node) -> Item:
    found = multiply(
        matrix_product(node.item("batch1"), node.item("batch2")),
        torch.tensor(float(node["alpha"])),
    )
    if node["beta"] == 0:  # As attention is often written: what is added was never filled.
        return found
    return add(found, multiply(node.item(), torch.tensor(float(node["beta"]))))


def _gated(node: Node) -> Item:
    """Draw GLU: one half of the channels opens and closes the other."""
    axis = node.axis()
    half = plain(node.item(), "GLU").shape[axis] // 2
    gate = elementwise(cut(node.item(), axis, half, 2 * half), Layer("sigmoid"), "GLU")
    return multiply(cut(node.item(), axis, 0, half), gate)


def _abs(node: Node) -> Item:
    mirrored = multiply(node.item(), torch.tensor(-1.0))
    positive = elementwise(node.item(), Layer("relu"), "|x|")
    return add(positive, elementwise(mirrored, Layer("relu"), "|x|"))


def _addmm(node: Node) -> Item:
    return strokes.linear(node.item("mat1"), node.weight("mat2").mT, node.constant("self"))


def _conv(node: Node) -> Item:
    weight = node.weight("weight")
    stride, dilation = node.pair("stride", 1), node.pair("dilation", 1)
    if isinstance(node["padding"], str):
        pads = [0, 0, 0, 0]
        if node["padding"] == "same":
            reach = [(k - 1) * d for k, d in zip(weight.shape[2:], dilation, strict=True)]
            pads = [r // 2 for r in reach] + [r - r // 2 for r in reach]
    else:
        pads = node.pair("padding") * 2
    return strokes.conv(
        node.item("input"),
        weight,
        node.constant("bias"),
        stride,
        pads,
        dilation,
        int(node["groups"] or 1),
        node.shape,
    )


def _conv_transpose(node: Node) -> Item:
    return strokes.transposed_conv(
        node.item("input"),
        node.weight("weight"),
        node.constant("bias"),
        node.pair("stride", 1),
        node.pair("padding") * 2,
        node.pair("output_padding"),
        node.pair("dilation", 1),
        int(node["groups"] or 1),
        node.shape,
    )


def _batch_norm(node: Node) -> Item:
    if node["training"] or node["running_mean"] is None:
        raise NotLayers("a batch norm without stored statistics: call .eval() on the model")
    return strokes.batch_norm(
        node.item("input"),
        node.weight("running_mean"),
        node.weight("running_var"),
        node.constant("weight"),
        node.constant("bias"),
        float(node["eps"]),
    )


def _instance_norm(node: Node) -> Item:
    if not node["use_input_stats"]:
        return _batch_norm(node)
    value = plain(node.item("input"), "an instance norm")
    return strokes.group_norm(
        value, value.shape[0], node.constant("weight"), node.constant("bias"), float(node["eps"])
    )


def _group_norm(node: Node) -> Item:
    return strokes.group_norm(
        node.item("input"),
        int(node["num_groups"]),
        node.constant("weight"),
        node.constant("bias"),
        float(node["eps"]),
    )


def _layer_norm(node: Node) -> Item:
    return strokes.layer_norm(
        node.item("input"),
        node["normalized_shape"],
        node.constant("weight"),
        node.constant("bias"),
        float(node["eps"]),
    )


def _pool(kind: str) -> Rule:
    def rule(node: Node) -> Item:
        kernel = node.pair("kernel_size")
        settings: dict[str, object] = {
            "kernel": kernel,
            "stride": node.pair("stride") if node["stride"] else kernel,
            "padding": node.pair("padding"),
            "ceil": bool(node["ceil_mode"]),
        }
        if kind == "maxPool":
            settings["dilation"] = node.pair("dilation", 1)
        else:
            settings["countPadding"] = bool(node["count_include_pad"])
            if node["divisor_override"]:
                raise NotLayers("a pool with a divisor of its own")
        return strokes.pool(kind, node.item(), settings, node.shape)

    return rule


def _adaptive_pool(node: Node) -> Item:
    size, wanted = strokes.image_size(node.item()), node.pair("output_size")
    if any(before % after for before, after in zip(size, wanted, strict=True)):
        raise NotLayers("an adaptive pool whose windows differ")
    kernel = [before // after for before, after in zip(size, wanted, strict=True)]
    return strokes.pool(
        "averagePool", node.item(), {"kernel": kernel, "stride": kernel}, node.shape
    )


def _along(draw: Callable[[Item, Sequence[int], bool], Item]) -> Rule:
    """Return the rule of what is reduced along axes of the images."""
    return lambda node: draw(node.item(), node.axes(), bool(node["keepdim"]))


def _spread(exponent: float) -> Rule:
    """Return the rule of a variance to the power of `exponent`: of that, or of a deviation."""

    def rule(node: Node) -> Item:
        correction = 1.0 if node["unbiased"] is None else float(node["unbiased"])
        correction = correction if node["correction"] is None else float(node["correction"])
        found = strokes.variance(node.item(), node.axes(), bool(node["keepdim"]), correction)
        return found if exponent == 1 else power(found, exponent, "a deviation")

    return rule


def _length(node: Node) -> Item:
    """Draw the Euclidean length along axes."""
    if node["ord" if node["ord"] is not None else "p"] not in (None, 2):
        raise NotLayers("a length other than the Euclidean one")
    squares = multiply(node.item(), node.item())
    return power(strokes.total(squares, node.axes(), bool(node["keepdim"])), 0.5, "a length")


RULES: dict[str, Rule] = {
    "add": _add(1.0),
    "sub": _add(-1.0),
    "rsub": _rsub,
    "mul": lambda n: multiply(n.item(), n.item("other")),
    "div": lambda n: divide(n.item(), n.item("other")),
    "neg": lambda n: multiply(n.item(), torch.tensor(-1.0)),
    "pow": _power,
    "square": _power,
    "reciprocal": lambda n: power(n.item(), -1.0, "1/x"),
    "abs": _abs,
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "bmm": _matmul,
    "einsum": einsum,
    "softmax": _softmax,
    "_softmax": _softmax,
    "scaled_dot_product_attention": _attention,
    "baddbmm": _baddbmm,
    "sqrt": _root(0.5),
    "rsqrt": _root(-0.5),
    "addmm": _addmm,
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "batch_norm": _batch_norm,
    "instance_norm": _instance_norm,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "relu": _activation("relu"),
    "silu": _activation("silu"),
    "tanh": _activation("tanh"),
    "sigmoid": _activation("sigmoid"),
    "exp": _activation("exp"),
    "log": _activation("log"),
    "expm1": _expm1,
    "log1p": _log1p,
    "erf": _activation("erf"),
    "logit": _activation("logit"),
    "leaky_relu": _activation("leakyRelu", slope="negative_slope"),
    "gelu": _activation("gelu", approximate="approximate"),
    "softplus": _activation("softplus", beta="beta", threshold="threshold"),
    "elu": _elu,
    "selu": _selu,
    "prelu": _prelu,
    "mish": _mish,
    "hardsigmoid": _hard_sigmoid,
    "hardswish": lambda n: multiply(n.item(), _hard_sigmoid(n)),
    "log_sigmoid": _log_sigmoid,
    "clamp": _clamp(),
    "clamp_min": _clamp(),
    "clamp_max": _clamp(),
    "hardtanh": _clamp(),
    "relu6": _clamp(0.0, 6.0),
    "max_pool2d": _pool("maxPool"),
    "avg_pool2d": _pool("averagePool"),
    "adaptive_avg_pool2d": _adaptive_pool,
    "mean": _along(strokes.mean),
    "sum": _along(strokes.total),
    "var": _spread(1.0),
    "std": _spread(0.5),
    "norm": _length,
    "linalg_vector_norm": _length,
    "glu": _gated,
}
