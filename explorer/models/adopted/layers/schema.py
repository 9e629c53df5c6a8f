"""A network as data: a list of layers, each a kind with settings, weights and perhaps branches.

Shapes leave out the batch. The list is what `layers.json` holds (weights by name in a safetensors
file beside it), what a browser interprets, and what `network.build_network` turns into a module.

| kind | settings | weights |
|---|---|---|
| linear | | weight (out, in), bias? |
| conv | stride, padding, dilation, groups | weight (out, in/groups, h, w), bias? |
| transposedConv | the same and extra (output padding) | weight (in, out/groups, h, w), bias? |
| affine: x·weight + bias, broadcast | | weight?, bias? |
| batchNorm, with stored statistics | eps | mean, variance, weight?, bias? |
| groupNorm | groups, eps | weight?, bias? |
| layerNorm | shape, eps | weight?, bias? |
| prelu | | weight (channels) |
| relu, silu, tanh, sigmoid, exp, log, logit, erf, flatten | | |
| leakyRelu; elu; gelu; softplus; clamp | slope; alpha; approximate; beta, threshold; low, high | |
| maxPool | kernel, stride, padding, dilation, ceil | |
| averagePool | kernel, stride, padding, countPadding, ceil | |
| pad | padding (left, right, top, bottom), mode, value | |
| reshape; permute | shape; order | |
| slice | axis, start, stop, step | |
| upsample | size, mode, alignCorners | |
| softmax | axis | |
| sum, product, matmul; concat | branches; branches, axis | |
| opaque: a whole network that could not be drawn | module | |

Pairs are (vertical, horizontal). An axis counts from 0 over an image's axes.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import MAX_DEPTH, MAX_LAYERS, MAX_VALUES, shown
from explorer.models.adopted.layers.modules import Opaque

Check = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: settings are plain JSON values, `tensors` its weights, by their names there."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    branches: tuple["Layers", ...] = ()

    def __repr__(self) -> str:
        shapes = {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}
        return f"Layer({self.kind}, {dict(self.settings)}, {shapes}, {list(self.branches)})"


Layers = tuple[Layer, ...]


def walk(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield every layer, those inside branches included."""
    for layer in layers:
        yield layer
        for branch in layer.branches:
            yield from walk(branch)


def count_weights(layers: Sequence[Layer]) -> int:
    """Return how many weights the layers hold together."""
    return sum(tensor.numel() for layer in walk(layers) for tensor in layer.tensors.values())


def opaque_kind(layers: Sequence[Layer]) -> str | None:
    """Return what the network among the layers is that could not be drawn; None without one."""
    kinds = {layer.settings["module"].kind for layer in walk(layers) if layer.kind == "opaque"}
    return min(kinds, default=None)


# Checks of settings: each returns the value in its plain form or raises a ValueError.


def whole(low: int, high: int) -> Check:
    """Return a check of one whole number."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return check


def wholes(low: int, high: int, least: int, most: int) -> Check:
    """Return a check of `least` to `most` whole numbers; one alone stands for a pair."""
    one = whole(low, high)

    def check(value: Any) -> list[int]:
        values = [value] * most if least == most == 2 and isinstance(value, int) else value
        if not isinstance(values, list | tuple) or not least <= len(values) <= most:
            raise ValueError(f"must be a list of {least} to {most} whole numbers")
        return [one(item) for item in values]

    return check


def number(low: float, high: float) -> Check:
    """Return a check of one finite number."""

    def check(value: Any) -> float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    return check


def choice(*options: Any) -> Check:
    """Return a check of one of the options."""

    def check(value: Any) -> Any:
        if value not in options:
            raise ValueError(f"must be one of {', '.join(map(str, options))}")
        return value

    return check


LARGE = 1_000_000
PAIR, BORDER = wholes(1, 10_000, 2, 2), wholes(0, 10_000, 2, 2)
SHAPE = wholes(1, MAX_VALUES, 1, 6)
TRUTH = choice(True, False)
EPS = number(0, 1e3)
REQUIRED = object()


@dataclass(frozen=True)
class Schema:
    """What one kind of layer takes: settings with their check and default, weights with axes.

    The axes of a weight are how many it must have, 0 for any number; names ending in "?" may be
    missing. `branches` tells whether there are any.
    """

    settings: Mapping[str, tuple[Check, Any]] = field(default_factory=dict)
    tensors: Mapping[str, int] = field(default_factory=dict)
    branches: bool = False


def _opaque(value: Any) -> Any:
    if not isinstance(value, Opaque):
        raise ValueError("must be a network that was read before")
    return value


_AFFINE = {"weight?": 0, "bias?": 0}
_CONV: dict[str, tuple[Check, Any]] = {
    "stride": (PAIR, [1, 1]),
    "padding": (BORDER, [0, 0]),
    "dilation": (PAIR, [1, 1]),
    "groups": (whole(1, LARGE), 1),
}
_POOL: dict[str, tuple[Check, Any]] = {
    "kernel": (PAIR, REQUIRED),
    "stride": (PAIR, REQUIRED),
    "padding": (BORDER, [0, 0]),
    "ceil": (TRUTH, False),
}
SCHEMAS: dict[str, Schema] = {
    "linear": Schema({}, {"weight": 2, "bias?": 1}),
    "conv": Schema(_CONV, {"weight": 4, "bias?": 1}),
    "transposedConv": Schema(
        {**_CONV, "extra": (BORDER, [0, 0])},
        {"weight": 4, "bias?": 1},
    ),
    "affine": Schema({}, _AFFINE),
    "batchNorm": Schema({"eps": (EPS, 1e-5)}, {"mean": 1, "variance": 1, **_AFFINE}),
    "opaque": Schema({"module": (_opaque, REQUIRED)}),
    "groupNorm": Schema({"groups": (whole(1, LARGE), REQUIRED), "eps": (EPS, 1e-5)}, _AFFINE),
    "layerNorm": Schema({"shape": (SHAPE, REQUIRED), "eps": (EPS, 1e-5)}, _AFFINE),
    "prelu": Schema({}, {"weight": 1}),
    "leakyRelu": Schema({"slope": (number(-1e3, 1e3), 0.01)}),
    "elu": Schema({"alpha": (number(-1e3, 1e3), 1.0)}),
    "gelu": Schema({"approximate": (choice("none", "tanh"), "none")}),
    "softplus": Schema({"beta": (number(1e-3, 1e3), 1.0), "threshold": (number(0, 1e3), 20.0)}),
    "clamp": Schema(
        {"low": (number(-1e30, 1e30), REQUIRED), "high": (number(-1e30, 1e30), REQUIRED)}
    ),
    "maxPool": Schema({**_POOL, "dilation": (PAIR, [1, 1])}),
    "averagePool": Schema({**_POOL, "countPadding": (TRUTH, True)}),
    "pad": Schema(
        {
            "padding": (wholes(-10_000, 10_000, 4, 4), REQUIRED),
            "mode": (choice("constant", "reflect", "replicate", "circular"), "constant"),
            "value": (number(-1e30, 1e30), 0.0),
        }
    ),
    "softmax": Schema({"axis": (whole(0, 5), REQUIRED)}),
    "reshape": Schema({"shape": (SHAPE, REQUIRED)}),
    "permute": Schema({"order": (wholes(0, 5, 1, 6), REQUIRED)}),
    "slice": Schema(
        {
            "axis": (whole(0, 5), REQUIRED),
            "start": (whole(0, MAX_VALUES), 0),
            "stop": (whole(1, MAX_VALUES), REQUIRED),
            "step": (whole(1, MAX_VALUES), 1),
        }
    ),
    "upsample": Schema(
        {
            "size": (PAIR, REQUIRED),
            "mode": (choice("nearest", "bilinear"), "nearest"),
            "alignCorners": (TRUTH, False),
        }
    ),
    "sum": Schema(branches=True),
    "product": Schema(branches=True),
    "matmul": Schema(branches=True),
    "concat": Schema({"axis": (whole(0, 5), REQUIRED)}, branches=True),
    **{
        kind: Schema()
        for kind in ("relu", "silu", "tanh", "sigmoid", "exp", "log", "logit", "erf", "flatten")
    },
}


def check_layers(layers: Sequence[Layer], where: str = "This network") -> Layers:
    """Return the layers with every setting present and in its plain form.

    Raises ExplorerError, naming the layer, for kinds, settings and weights that are none of ours.
    """
    if sum(1 for _ in walk(layers)) > MAX_LAYERS:
        raise ExplorerError(f"{where} has more than {MAX_LAYERS:,} layers; bring a smaller one.")
    return _check(layers, where, 0)


def _check(layers: Sequence[Layer], where: str, depth: int) -> Layers:
    if depth > MAX_DEPTH:
        raise ExplorerError(f"{where} has branches {depth} deep; at most {MAX_DEPTH} are read.")
    return tuple(
        check_layer(layer, f"Layer {index + 1} ({shown(layer.kind)}) of {where}", depth)
        for index, layer in enumerate(layers)
    )


def check_layer(layer: Layer, where: str, depth: int = 0) -> Layer:
    """Return one layer with every setting present and in its plain form."""
    schema = SCHEMAS.get(layer.kind)
    if schema is None:
        raise ExplorerError(f"{where} is no layer of ours; known are {', '.join(SCHEMAS)}.")
    settings = {}
    for name, (check, default) in schema.settings.items():
        value = layer.settings.get(name, default)
        if value is REQUIRED:
            raise ExplorerError(f"{where} lacks its setting {name!r}.")
        try:
            settings[name] = check(value)
        except ValueError as error:
            raise ExplorerError(f"{where}: {name} {error}.") from error
    names = {name.rstrip("?") for name in schema.tensors}
    unknown = sorted((set(layer.settings) - set(settings)) | (set(layer.tensors) - names))
    if unknown:
        raise ExplorerError(f"{where} has a field {shown(unknown[0])!r} that this kind does not.")
    for name, axes in schema.tensors.items():
        tensor = layer.tensors.get(name.rstrip("?"))
        if tensor is None and not name.endswith("?"):
            raise ExplorerError(f"{where} lacks its array {name!r}.")
        if tensor is not None and not tensor.is_floating_point():
            raise ExplorerError(f"{where}: {name.rstrip('?')} is no array of floats.")
        if tensor is not None and axes and tensor.ndim != axes:
            raise ExplorerError(
                f"{where}: {name.rstrip('?')} has {tensor.ndim} axes in place of {axes}."
            )
    if bool(layer.branches) != schema.branches:
        raise ExplorerError(f"{where} {'lacks its' if schema.branches else 'has no'} branches.")
    branches = tuple(_check(branch, where, depth + 1) for branch in layer.branches)
    return Layer(layer.kind, settings, dict(layer.tensors), branches)
