"""One builder of a torch module for each kind of layer.

Each takes the layer, whose settings are checked, and the shape that comes in (without the batch).
It raises ValueError with what does not fit.
"""

import copy
import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from explorer.models.adopted.layers import modules
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.schema import Layer

M = TypeVar("M", bound=nn.Module)


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape in which arrays of `shapes` meet; RuntimeError where they do not."""
    try:
        return np.broadcast_shapes(*shapes)  # PyTorch would load its compiler for it.
    except ValueError as error:
        raise RuntimeError(str(error)) from error


def pair(values: list[int]) -> tuple[int, int]:
    """Return two sizes."""
    first, second = values
    return first, second


def fill(make: Callable[[], M], tensors: dict[str, Tensor | None]) -> M:
    """Return a module made without memory whose parameters are `tensors`."""
    with torch.device("meta"):
        module = make()
    for name, tensor in tensors.items():
        value = None if tensor is None else nn.Parameter(tensor, requires_grad=False)
        setattr(module, name, value)
    return module


def _weights(layer: Layer) -> dict[str, Tensor | None]:
    return {"weight": layer.tensors.get("weight"), "bias": layer.tensors.get("bias")}


def _linear(layer: Layer, shape: Shape) -> nn.Module:
    outputs, inputs = layer.tensors["weight"].shape
    return fill(lambda: nn.Linear(inputs, outputs, bias=False), _weights(layer))


def _conv(layer: Layer, shape: Shape) -> nn.Module:
    weight, s = layer.tensors["weight"], layer.settings
    outputs, inputs = weight.shape[0], weight.shape[1] * s["groups"]
    if outputs % s["groups"]:
        raise ValueError(f"A convolution's {outputs} filters do not share {s['groups']} groups.")
    return fill(
        lambda: nn.Conv2d(
            inputs,
            outputs,
            pair(list(weight.shape[2:])),
            pair(s["stride"]),
            pair(s["padding"]),
            pair(s["dilation"]),
            s["groups"],
            bias=False,
        ),
        _weights(layer),
    )


def _transposed_conv(layer: Layer, shape: Shape) -> nn.Module:
    weight, s = layer.tensors["weight"], layer.settings
    inputs, outputs = weight.shape[0], weight.shape[1] * s["groups"]
    if inputs % s["groups"]:
        raise ValueError(f"A convolution's {inputs} inputs do not share {s['groups']} groups.")
    return fill(
        lambda: nn.ConvTranspose2d(
            inputs,
            outputs,
            pair(list(weight.shape[2:])),
            pair(s["stride"]),
            pair(s["padding"]),
            pair(s["extra"]),
            s["groups"],
            False,
            pair(s["dilation"]),
        ),
        _weights(layer),
    )


def _affine(layer: Layer, shape: Shape) -> nn.Module:
    weight, bias = layer.tensors.get("weight"), layer.tensors.get("bias")
    for tensor in (weight, bias):
        if tensor is not None and broadcast(shape, tensor.shape) != shape:
            raise ValueError(f"An affine layer's constants must broadcast to {shape}.")
    return modules.Affine(weight, bias)


def _batch_norm(layer: Layer, shape: Shape) -> nn.Module:
    channels = shape[0]
    mean, variance = layer.tensors["mean"], layer.tensors["variance"]
    kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    module = fill(lambda: kind(channels, layer.settings["eps"], affine=False), _weights(layer))
    module.running_mean, module.running_var = mean, variance
    return module


def _group_norm(layer: Layer, shape: Shape) -> nn.Module:
    groups, channels = layer.settings["groups"], shape[0]
    if channels % groups:
        raise ValueError(f"{channels} channels do not share {groups} groups.")
    return fill(
        lambda: nn.GroupNorm(groups, channels, layer.settings["eps"], affine=False), _weights(layer)
    )


def _layer_norm(layer: Layer, shape: Shape) -> nn.Module:
    size, eps = layer.settings["shape"], layer.settings["eps"]
    return fill(lambda: nn.LayerNorm(size, eps, elementwise_affine=False), _weights(layer))


def _prelu(layer: Layer, shape: Shape) -> nn.Module:
    weight = layer.tensors["weight"]
    return fill(lambda: nn.PReLU(weight.numel()), {"weight": weight})


def _max_pool(layer: Layer, shape: Shape) -> nn.Module:
    s = layer.settings
    return nn.MaxPool2d(
        pair(s["kernel"]),
        pair(s["stride"]),
        pair(s["padding"]),
        pair(s["dilation"]),
        ceil_mode=s["ceil"],
    )


def _average_pool(layer: Layer, shape: Shape) -> nn.Module:
    s = layer.settings
    return nn.AvgPool2d(
        pair(s["kernel"]), pair(s["stride"]), pair(s["padding"]), s["ceil"], s["countPadding"]
    )


def _reshape(layer: Layer, shape: Shape) -> nn.Module:
    target = layer.settings["shape"]
    if math.prod(target) != math.prod(shape):
        raise ValueError(f"{shape} cannot be reshaped to {target}.")
    # The modules that exact inference and the browser's export look for.
    if len(target) == 1:
        return nn.Flatten()
    return nn.Unflatten(1, tuple(target)) if len(shape) == 1 else modules.Reshape(target)


def _permute(layer: Layer, shape: Shape) -> nn.Module:
    order = layer.settings["order"]
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"The axes of {shape} cannot be put in the order {order}.")
    return modules.Permute(order)


def _slice(layer: Layer, shape: Shape) -> nn.Module:
    s = layer.settings
    if s["axis"] >= len(shape) or s["start"] >= min(s["stop"], shape[s["axis"]]):
        raise ValueError(f"There is nothing to cut out of {shape} by {dict(s)}.")
    return modules.Slice(s["axis"], s["start"], s["stop"], s["step"])


def _upsample(layer: Layer, shape: Shape) -> nn.Module:
    size, mode = tuple(layer.settings["size"]), layer.settings["mode"]
    if mode == "nearest":
        return nn.Upsample(size, mode=mode)
    return nn.Upsample(size, mode=mode, align_corners=layer.settings["alignCorners"])


def _opaque(layer: Layer, shape: Shape) -> nn.Module:
    # A copy, since a network may be brought to another precision.
    return copy.deepcopy(layer.settings["module"])


def _plain(make: Callable[..., nn.Module], *names: str) -> Callable[[Layer, Shape], nn.Module]:
    """Return the builder of a module that takes the settings by position."""
    return lambda layer, shape: make(*(layer.settings[name] for name in names))


BUILDERS: dict[str, Callable[[Layer, Shape], nn.Module]] = {
    "linear": _linear,
    "conv": _conv,
    "transposedConv": _transposed_conv,
    "affine": _affine,
    "batchNorm": _batch_norm,
    "groupNorm": _group_norm,
    "layerNorm": _layer_norm,
    "prelu": _prelu,
    "relu": _plain(nn.ReLU),
    "silu": _plain(nn.SiLU),
    "tanh": _plain(nn.Tanh),
    "sigmoid": _plain(nn.Sigmoid),
    "leakyRelu": _plain(nn.LeakyReLU, "slope"),
    "elu": _plain(nn.ELU, "alpha"),
    "gelu": _plain(nn.GELU, "approximate"),
    "softplus": _plain(nn.Softplus, "beta", "threshold"),
    "clamp": _plain(modules.Clamp, "low", "high"),
    "exp": _plain(modules.Exp),
    "log": _plain(modules.Log),
    "logit": _plain(modules.Logit),
    "erf": _plain(modules.Erf),
    "maxPool": _max_pool,
    "averagePool": _average_pool,
    "pad": _plain(modules.Pad, "padding", "mode", "value"),
    "softmax": lambda layer, shape: nn.Softmax(layer.settings["axis"] + 1),
    "flatten": _plain(nn.Flatten),
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "upsample": _upsample,
    "opaque": _opaque,
}
POINTWISE = frozenset(
    "relu silu tanh sigmoid leakyRelu elu gelu softplus clamp exp log logit erf".split()
)
"""Kinds that put out what they are given, value by value: of the same shape."""
JOINS: dict[str, Callable[[Layer, list[nn.Sequential]], nn.Module]] = {
    "sum": lambda layer, parts: modules.Sum(parts),
    "product": lambda layer, parts: modules.Product(parts),
    "matmul": lambda layer, parts: modules.MatrixProduct(parts),
    "concat": lambda layer, parts: modules.Concat(parts, layer.settings["axis"]),
}
