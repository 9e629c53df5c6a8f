"""Layer lists → torch modules: shapes are followed without memory before anything is computed."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.builders import BUILDERS, JOINS
from explorer.models.adopted.layers.extents import find_shape
from explorer.models.adopted.layers.limits import CHUNK_VALUES, Cost, check_values, check_weights
from explorer.models.adopted.layers.modules import Opaque, Shape, count_multiply_adds
from explorer.models.adopted.layers.schema import Layer, check_layers, count_weights


class Network(nn.Sequential):
    """A layer list as a chain of modules, which passes large batches through in parts.

    `shape` is what goes in and `shape_out` what comes out, both without the batch; `layers` is
    the list that it was built from, `cost` what one image costs.
    """

    def __init__(
        self,
        parts: Sequence[nn.Module],
        layers: Sequence[Layer],
        shape: Shape,
        shape_out: Shape,
        cost: Cost,
    ) -> None:
        super().__init__(*parts)
        self.layers = tuple(layers)
        self.shape, self.shape_out = shape, shape_out
        self.cost = cost

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layers make of x (B, *shape): (B, *shape_out)."""
        most = max(1, CHUNK_VALUES // max(1, self.cost.widest))
        if len(x) <= most or torch.is_grad_enabled():
            return self._pass(x)
        return torch.cat([self._pass(part) for part in torch.split(x, most)])

    def _pass(self, x: Tensor) -> Tensor:
        for module in self:
            x = module(x)
        return x


def build_network(
    layers: Sequence[Layer], shape: Sequence[int], where: str = "this network"
) -> Network:
    """Return the module of a layer list for inputs of `shape` (without the batch), in eval mode.

    Raises ExplorerError, naming the layer, where shapes do not meet or grow beyond the limits;
    nothing is computed for that.
    """
    layers = check_layers(layers, where)
    check_weights(count_weights(layers), where)
    cost = Cost()
    parts, out = _build(layers, tuple(shape), where, cost)
    network = Network(parts, layers, tuple(shape), out, cost)
    return network.eval().requires_grad_(False)


def _build(
    layers: Sequence[Layer], shape: Shape, where: str, cost: Cost
) -> tuple[list[nn.Module], Shape]:
    parts = []
    for index, layer in enumerate(layers):
        module, shape = _build_layer(layer, shape, f"{index + 1} of {where}", cost)
        parts.append(module)
    return parts, shape


def _build_layer(layer: Layer, shape: Shape, where: str, cost: Cost) -> tuple[nn.Module, Shape]:
    built: list[tuple[list[nn.Module], Shape]] = []
    if layer.branches:
        built = [_build(branch, shape, where, cost) for branch in layer.branches]
        sequences = [nn.Sequential(*parts) for parts, _ in built]
        if layer.kind == "matmul" and len(built) != 2:
            raise ExplorerError(f"Layer {where} (matmul) has {len(built)} branches in place of 2.")
        module = JOINS[layer.kind](layer, sequences)
    else:
        try:
            module = BUILDERS[layer.kind](layer, shape)
        except (ValueError, RuntimeError) as error:
            reason = str(error) if isinstance(error, ValueError) else f"it does not fit {shape}."
            raise ExplorerError(f"Layer {where} ({layer.kind}): {reason}") from error
    out = _follow(module, layer, shape, [made for _, made in built], where)
    count = math.prod(out)
    check_values(count, f"Layer {where}")
    own = 0 if layer.branches else count_multiply_adds(module, shape, out)
    if layer.kind == "matmul":
        own = count * built[0][1][-1]
    inner = module.cost if isinstance(module, Opaque) else Cost()
    cost.add(own + inner.multiply_adds, max(count, inner.widest))
    return module, out


def _follow(
    module: nn.Module, layer: Layer, shape: Shape, branches: Sequence[Shape], where: str
) -> Shape:
    """Return the shape that a module puts out, by a run without memory where it is not known."""
    if isinstance(module, Opaque):
        return module.follow(shape)
    known = find_shape(module, layer, shape, branches)
    if known is not None:
        return known
    state = {name: value.to("meta") for name, value in module.state_dict(keep_vars=True).items()}
    dtype = next((value.dtype for value in state.values()), torch.get_default_dtype())
    x = torch.empty((2, *shape), device="meta", dtype=dtype)
    try:
        with torch.no_grad():
            out = functional_call(module, state, (x,))
    except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError) as error:
        raise ExplorerError(
            f"Layer {where} ({layer.kind}) does not fit an input of {shape}."
        ) from error
    if out.ndim < 2 or out.shape[0] != 2 or not out.numel():
        raise ExplorerError(f"Layer {where} ({layer.kind}) makes nothing of an input of {shape}.")
    return tuple(out.shape[1:])
