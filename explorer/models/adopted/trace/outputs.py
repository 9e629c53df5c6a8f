"""What people's networks return → named arrays: tensors, tuples, dicts, objects, distributions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    Distribution,
    Independent,
    Laplace,
    Normal,
)

MAX_OUTPUTS = 16
MAX_DEPTH = 3
MEAN, STD, LOGITS = "mean", "std", "logits"
"""Roles that need no guess, since a distribution says them."""


@dataclass(frozen=True)
class Output:
    """One array that a network returns, by its name there; `role` is "" where it is not said."""

    name: str
    array: Tensor
    role: str = ""


def read_outputs(found: Any, batch: int) -> list[Output]:
    """Return the float arrays of `batch` rows in what a network returned, in their order.

    Looks into tuples, mappings, objects with attributes and the distributions of torch.
    """
    outputs = []
    for output in _read(found, "", 0):
        array = output.array
        if array.is_floating_point() and array.ndim >= 2 and array.shape[0] == batch:
            outputs.append(output)
    return outputs[:MAX_OUTPUTS]


def _read(found: Any, name: str, depth: int) -> Iterator[Output]:
    if isinstance(found, Tensor):
        yield Output(name or "output", found)
    elif isinstance(found, Distribution):
        yield from _read_distribution(found, name)
    elif depth < MAX_DEPTH and found is not None:
        for key, part in _parts(found):
            yield from _read(part, f"{name}.{key}" if name else str(key), depth + 1)


def _read_distribution(found: Distribution, name: str) -> Iterator[Output]:
    while isinstance(found, Independent):
        found = found.base_dist
    if isinstance(found, Normal):
        yield Output(f"{name}.loc".lstrip("."), found.loc, MEAN)
        yield Output(f"{name}.scale".lstrip("."), found.scale, STD)
    elif isinstance(found, Bernoulli | ContinuousBernoulli):
        yield Output(f"{name}.logits".lstrip("."), found.logits, LOGITS)
    elif isinstance(found, Laplace):
        yield Output(f"{name}.loc".lstrip("."), found.loc, MEAN)


def _parts(found: Any) -> list[tuple[Any, Any]]:
    if isinstance(found, Mapping):
        return list(found.items())
    if isinstance(found, tuple) and hasattr(found, "_fields"):
        return list(zip(found._fields, found, strict=True))
    if isinstance(found, list | tuple):
        return list(enumerate(found))
    return list(vars(found).items()) if hasattr(found, "__dict__") else []
