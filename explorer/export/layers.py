"""Networks of torch modules as layer lists, by the schema that adopted networks are kept in.

The browser interprets that schema, so our own models and foreign ones are described alike.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.adopted.layers import modules
from explorer.models.adopted.layers.network import Network, build_network
from explorer.models.adopted.layers.schema import Layer, Layers
from explorer.models.networks import CapVariance, NormaliseMean, SkipLinear

Shape = tuple[int, ...]


@torch.no_grad()
def draw_network(network: nn.Module, shape: Sequence[int]) -> Network:
    """Return a network for inputs of `shape` (without the batch) as checked layers that compute.

    Raises ExplorerError for a module that has no counterpart among the layers.
    """
    if isinstance(network, Network):
        return network
    return build_network(_draw(network, tuple(shape))[0], shape)


def _draw(module: nn.Module, shape: Shape) -> tuple[Layers, Shape]:
    """Return a module's layers and the shape that it puts out."""
    if isinstance(module, nn.Sequential):
        layers: Layers = ()
        for part in module:
            more, shape = _draw(part, shape)
            layers += more
        return layers, shape
    drawn = _find_rule(module)(module, shape)
    return drawn, build_network(drawn, shape).shape_out


def _find_rule(module: nn.Module) -> Callable[[Any, Shape], Layers]:
    for kind in type(module).__mro__:
        if kind in RULES:
            return RULES[kind]
    raise ExplorerError(f"The browser has no counterpart of the layer {type(module).__name__}.")


def _tensors(**tensors: Tensor | None) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in tensors.items() if tensor is not None}


def _weights(module: Any) -> dict[str, Tensor]:
    return _tensors(weight=module.weight, bias=module.bias)


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else [int(each) for each in value]


def _plain(kind: str, **names: str) -> Callable[[Any, Shape], Layers]:
    """Return the rule of a module without weights; `names` are setting=attribute."""
    return lambda module, shape: (
        Layer(kind, {name: getattr(module, held) for name, held in names.items()}),
    )


def _linear(module: nn.Linear, shape: Shape) -> Layers:
    return (Layer("linear", {}, _weights(module)),)


def _conv(module: Any, shape: Shape) -> Layers:
    settings: dict[str, Any] = {
        "stride": _pair(module.stride),
        "padding": [0, 0],
        "dilation": _pair(module.dilation),
        "groups": module.groups,
    }
    if isinstance(module, nn.ConvTranspose2d):
        settings |= {
            "padding": _pair(module.padding),
            "extra": _pair(module.output_padding),
        }
        return (Layer("transposedConv", settings, _weights(module)),)
    if module.padding_mode == "zeros" and not isinstance(module.padding, str):
        return (Layer("conv", settings | {"padding": _pair(module.padding)}, _weights(module)),)
    # Padded by other than zeros, or by more on one side: torch keeps how much by axes reversed.
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    border = list(module._reversed_padding_repeated_twice)
    return _pad(border, mode, 0.0) + (Layer("conv", settings, _weights(module)),)


def _pad(border: Sequence[int], mode: str, value: float) -> Layers:
    return (Layer("pad", {"padding": list(border), "mode": mode, "value": value}),)


def _padding(mode: str) -> Callable[[Any, Shape], Layers]:
    return lambda module, shape: _pad(module.padding, mode, float(getattr(module, "value", 0)))


def _batch_norm(module: Any, shape: Shape) -> Layers:
    if module.running_mean is None:
        raise ExplorerError("A batch norm without stored statistics cannot see one image alone.")
    tensors = _tensors(mean=module.running_mean, variance=module.running_var)
    return (Layer("batchNorm", {"eps": module.eps}, tensors | _weights(module)),)


def _group_norm(module: nn.GroupNorm, shape: Shape) -> Layers:
    settings = {"groups": module.num_groups, "eps": module.eps}
    return (Layer("groupNorm", settings, _weights(module)),)


def _instance_norm(module: nn.InstanceNorm2d, shape: Shape) -> Layers:
    if module.track_running_stats:
        return _batch_norm(module, shape)
    return (Layer("groupNorm", {"groups": shape[0], "eps": module.eps}, _weights(module)),)


def _layer_norm(module: nn.LayerNorm, shape: Shape) -> Layers:
    settings = {"shape": list(module.normalized_shape), "eps": module.eps}
    return (Layer("layerNorm", settings, _weights(module)),)


def _max_pool(module: nn.MaxPool2d, shape: Shape) -> Layers:
    return (
        Layer(
            "maxPool",
            {
                "kernel": _pair(module.kernel_size),
                "stride": _pair(module.stride),
                "padding": _pair(module.padding),
                "dilation": _pair(module.dilation),
                "ceil": module.ceil_mode,
            },
        ),
    )


def _average_pool(module: nn.AvgPool2d, shape: Shape) -> Layers:
    return (
        Layer(
            "averagePool",
            {
                "kernel": _pair(module.kernel_size),
                "stride": _pair(module.stride),
                "padding": _pair(module.padding),
                "ceil": module.ceil_mode,
                "countPadding": module.count_include_pad,
            },
        ),
    )


def _adaptive_pool(kind: str) -> Callable[[Any, Shape], Layers]:
    def draw(module: Any, shape: Shape) -> Layers:
        wanted = module.output_size
        wanted = [wanted, wanted] if wanted is None or isinstance(wanted, int) else wanted
        sizes = [
            size if goal is None else goal for goal, size in zip(wanted, shape[1:], strict=True)
        ]
        if any(size % goal for size, goal in zip(shape[1:], sizes, strict=True)):
            raise ExplorerError(
                f"An adaptive pool of {shape[1:]} to {tuple(sizes)} has windows of several sizes; "
                "the browser knows those that divide the picture evenly."
            )
        kernel = [size // goal for size, goal in zip(shape[1:], sizes, strict=True)]
        return (Layer(kind, {"kernel": kernel, "stride": kernel}),)

    return draw


def _flatten(module: nn.Flatten, shape: Shape) -> Layers:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise ExplorerError("The browser flattens whole images only.")
    return (Layer("flatten"),)


def _unflatten(module: nn.Unflatten, shape: Shape) -> Layers:
    axis = int(module.dim) - 1
    target = (*shape[:axis], *module.unflattened_size, *shape[axis + 1 :])
    return _reshape(target)


def _reshape(shape: Sequence[int]) -> Layers:
    return (Layer("reshape", {"shape": [int(size) for size in shape]}),)


def _pixel_shuffle(module: nn.PixelShuffle, shape: Shape) -> Layers:
    block, (channels, height, width) = module.upscale_factor, shape
    out = channels // block**2
    return (
        *_reshape((out, block, block, height, width)),
        Layer("permute", {"order": [0, 3, 1, 4, 2]}),
        *_reshape((out, height * block, width * block)),
    )


def _upsample(module: nn.Upsample, shape: Shape) -> Layers:
    if module.size is not None:
        size = _pair(module.size)
    else:
        factor = module.scale_factor
        factors = factor if isinstance(factor, tuple) else (factor, factor)
        size = [
            math.floor(side * float(by or 1)) for side, by in zip(shape[1:], factors, strict=True)
        ]
    settings = {"size": size, "mode": module.mode, "alignCorners": bool(module.align_corners)}
    return (Layer("upsample", settings),)


def _prelu(module: nn.PReLU, shape: Shape) -> Layers:
    return (Layer("prelu", {}, _tensors(weight=module.weight)),)


def _affine(module: modules.Affine, shape: Shape) -> Layers:
    return (Layer("affine", {}, _weights(module)),)


def _slice(axis: int, start: int, stop: int, step: int = 1) -> Layer:
    return Layer("slice", {"axis": axis, "start": start, "stop": stop, "step": step})


def _cut(module: modules.Slice, shape: Shape) -> Layers:
    start, stop, step = module.part.indices(shape[module.axis])
    return (_slice(module.axis, start, stop, step),)


def _branches(kind: str) -> Callable[[Any, Shape], Layers]:
    def draw(module: Any, shape: Shape) -> Layers:
        branches = tuple(_draw(branch, shape)[0] for branch in module.branches)
        settings = {"axis": module.axis} if isinstance(module, modules.Concat) else {}
        return (Layer(kind, settings, {}, branches),)

    return draw


def _softmax(module: nn.Softmax, shape: Shape) -> Layers:
    axis = -1 if module.dim is None else module.dim
    return (Layer("softmax", {"axis": axis - 1 if axis > 0 else len(shape) + axis}),)


def _join(*branches: Layers) -> Layers:
    return (Layer("concat", {"axis": 0}, {}, branches),)


def _skip_linear(module: SkipLinear, shape: Shape) -> Layers:
    hidden, _ = _draw(nn.Sequential(module.linear, module.activation), shape)
    return _join(hidden, (_slice(0, shape[0] - module.latent_dim, shape[0]),))


def _cap_variance(module: CapVariance, shape: Shape) -> Layers:
    half = shape[0] // 2
    minus, cap = torch.tensor([-1.0]), torch.tensor([float(module.raw_cap)])
    turn = Layer("affine", {}, {"weight": minus, "bias": cap})
    raw = (_slice(0, half, 2 * half), turn, Layer("softplus"), turn)
    return _join((_slice(0, 0, half),), raw)


def _normalise_mean(module: NormaliseMean, shape: Shape) -> Layers:
    half = shape[0] // 2
    tensors = _tensors(
        mean=module.norm.running_mean,
        variance=module.norm.running_var,
        weight=torch.full((half,), module.spread),
        bias=module.shift,
    )
    norm = Layer("batchNorm", {"eps": module.norm.eps}, tensors)
    return _join((_slice(0, 0, half), norm), (_slice(0, half, 2 * half),))


RULES: dict[type[nn.Module], Callable[[Any, Shape], Layers]] = {
    nn.Linear: _linear,
    nn.Conv2d: _conv,
    nn.ConvTranspose2d: _conv,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.GroupNorm: _group_norm,
    nn.InstanceNorm2d: _instance_norm,
    nn.LayerNorm: _layer_norm,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
    nn.AdaptiveMaxPool2d: _adaptive_pool("maxPool"),
    nn.AdaptiveAvgPool2d: _adaptive_pool("averagePool"),
    nn.ZeroPad2d: _padding("constant"),
    nn.ConstantPad2d: _padding("constant"),
    nn.ReflectionPad2d: _padding("reflect"),
    nn.ReplicationPad2d: _padding("replicate"),
    nn.CircularPad2d: _padding("circular"),
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.PixelShuffle: _pixel_shuffle,
    nn.Upsample: _upsample,
    nn.Identity: lambda module, shape: (),
    nn.Dropout: lambda module, shape: (),
    nn.Dropout2d: lambda module, shape: (),
    nn.ReLU: _plain("relu"),
    nn.SiLU: _plain("silu"),
    nn.Tanh: _plain("tanh"),
    nn.Sigmoid: _plain("sigmoid"),
    nn.LeakyReLU: _plain("leakyRelu", slope="negative_slope"),
    nn.ELU: _plain("elu", alpha="alpha"),
    nn.GELU: _plain("gelu", approximate="approximate"),
    nn.Softplus: _plain("softplus", beta="beta", threshold="threshold"),
    nn.Hardtanh: _plain("clamp", low="min_val", high="max_val"),
    nn.PReLU: _prelu,
    modules.Affine: _affine,
    modules.Exp: _plain("exp"),
    modules.Log: _plain("log"),
    modules.Erf: _plain("erf"),
    modules.Logit: _plain("logit"),
    modules.Clamp: _plain("clamp", low="low", high="high"),
    modules.Pad: lambda module, shape: _pad(module.padding, module.mode, module.value),
    modules.Reshape: lambda module, shape: _reshape(module.shape),
    modules.Permute: lambda module, shape: (
        Layer("permute", {"order": [axis - 1 for axis in module.order[1:]]}),
    ),
    modules.Slice: _cut,
    modules.Sum: _branches("sum"),
    modules.Product: _branches("product"),
    modules.Concat: _branches("concat"),
    modules.MatrixProduct: _branches("matmul"),
    nn.Softmax: _softmax,
    SkipLinear: _skip_linear,
    CapVariance: _cap_variance,
    NormaliseMean: _normalise_mean,
}
"""How each module is drawn; one that inherits is drawn as what it inherits from."""
