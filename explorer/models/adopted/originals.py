"""Networks by the names of their own state_dict: what adopt keeps beside the layers that it folds.

Folding joins batch norms with convolutions and two heads into one layer, whose weights no
state_dict holds. Here the layers stay as they were drawn, and each weight is told by its name, so
that another file of weights can take its place.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.models.adopted.layers.schema import Layers, walk

Key = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Where an array lies in memory and how it is laid out: the same weight, however it was reached."""
MOST_VALUES = 20_000
"""Of constants that are no weights, which the description itself holds."""

MOST_AXES = 6


@dataclass(frozen=True)
class Stored:
    """An array that a recorded graph uses: as the modules hold it, and as it was drawn."""

    own: Tensor
    drawn: Tensor


@dataclass(frozen=True)
class Original:
    """Layers as they were drawn, the names of their weights, and the modules that these are of."""

    layers: Layers
    names: dict[Key, str]
    owners: frozenset[int]

    def name_of(self, tensor: Tensor) -> str | None:
        """Return what the state_dict calls a weight of these layers; None for a constant."""
        return self.names.get(_key(tensor))


def keep_original(
    layers: Layers, stored: Sequence[Stored], modules: Iterable[nn.Module]
) -> Original | None:
    """Return drawn layers with the names of their weights in the state_dict of `modules`.

    None where a weight enters through a computation (weight norm, a transposed matrix), so that
    another one could not be put in its place, or where there are large arrays without a name.
    """
    owned, owners = _name_weights(modules)
    names = {_key(each.drawn): owned[_key(each.own)] for each in stored if _key(each.own) in owned}
    arrays = [tensor for layer in walk(layers) for tensor in layer.tensors.values()]
    found = {_key(tensor) for tensor in arrays}
    places = {place for place, _, _ in names}
    others = [tensor for tensor in arrays if _key(tensor) not in names]
    derived = any(tensor.data_ptr() in places for tensor in others)
    if not names or derived or not found >= set(names):
        return None
    if sum(tensor.numel() for tensor in others) > MOST_VALUES:
        return None
    return Original(layers, names, owners)


def describe_constant(tensor: Tensor) -> dict[str, Any]:
    """Return an array as the plain numbers that it is."""
    return {"values": tensor.detach().flatten().tolist(), "shape": list(tensor.shape)}


def read_constant(value: Any) -> Tensor | None:
    """Return the array that a description holds itself; None where it holds a name."""
    if not isinstance(value, dict) or set(value) != {"values", "shape"}:
        return None
    values, shape = value["values"], value["shape"]
    if not isinstance(values, list) or not isinstance(shape, list) or len(values) > MOST_VALUES:
        return None
    if not all(type(number) in (int, float) for number in values):
        return None
    sizes = all(type(size) is int and 0 < size <= MOST_VALUES for size in shape)
    if not sizes or len(shape) > MOST_AXES or math.prod(shape) != len(values):
        return None
    return torch.tensor(values, dtype=torch.float32).view(shape)


def _name_weights(modules: Iterable[nn.Module]) -> tuple[dict[Key, str], frozenset[int]]:
    """Return the names of all arrays of the modules, and which modules gave any.

    Of several modules that nothing holds together the names are counted: "1.weight".
    """
    given: list[tuple[int, dict[Key, str]]] = []
    for module in modules:
        before = {key for _, names in given for key in names}
        own = {_key(tensor): name for name, tensor in _list_arrays(module)}
        if new := {key: name for key, name in own.items() if key not in before}:
            given.append((id(module), new))
    found = {
        key: name if len(given) == 1 else f"{index}.{name}"
        for index, (_, names) in enumerate(given)
        for key, name in names.items()
    }
    return found, frozenset(owner for owner, _ in given)


def _list_arrays(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor) and tensor.numel():
            yield name, tensor.detach()


def _key(tensor: Tensor) -> Key:
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())
