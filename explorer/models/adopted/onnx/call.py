"""One operator's call: its arrays and attributes, with the few questions that operators ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import MAX_VALUES
from explorer.models.adopted.onnx.file import OnnxNode

FLOAT, BOOL = {1, 10, 11, 16}, 9
"""Element types that become the network's own precision; the others become int64."""


class DataShape(ExplorerError):
    """A shape or an index depends on what the picture shows."""


@dataclass(frozen=True)
class Call:
    """Arrays in (None for one left out), on `device`: "meta" where only shapes are followed.

    `dtype` is the precision of floats, `noise` what normal noise is read as.
    """

    node: OnnxNode
    inputs: Sequence[Tensor | None]
    opset: int
    device: torch.device
    dtype: torch.dtype
    noise: float

    def __getitem__(self, index: int) -> Tensor:
        """Return an array that must be there."""
        found = self.get(index)
        if found is None:
            raise ValueError(f"{self.node.operator} lacks its input {index + 1}")
        return found

    def get(self, index: int) -> Tensor | None:
        """Return an array that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute or its default."""
        return self.node.attributes.get(name, default)

    def word(self, name: str, default: str) -> str:
        """Return an attribute that is a text."""
        value = self.attribute(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a number."""
        value = self.attribute(name, default)
        return float(value) if isinstance(value, int | float) else default

    def wholes(self, index: int, name: str = "") -> list[int] | None:
        """Return a list of whole numbers: an array in, else an attribute; None for neither."""
        given = self.get(index)
        if given is None:
            value = self.attribute(name)
            return value if value is None or isinstance(value, list) else [int(value)]
        if given.is_meta:
            raise DataShape(
                f"The shapes of this network depend on what a picture shows "
                f"({self.node.operator}); export a plain forward pass, or bring its codes (.npz)."
            )
        if given.numel() > 64:
            raise ValueError("a list of more than 64 sizes")
        return [int(value) for value in given.flatten().tolist()]

    def numbers(self, index: int, name: str = "") -> list[float] | None:
        """Return a list of numbers in the same way."""
        given = self.get(index)
        if given is None:
            return self.attribute(name)
        if given.is_meta or given.numel() > 64:
            raise ValueError("a list that depends on the picture")
        return [float(value) for value in given.flatten().tolist()]

    def cast(self, kind: int) -> torch.dtype:
        """Return the type that stands for an ONNX element type."""
        return self.dtype if kind in FLOAT else torch.bool if kind == BOOL else torch.int64

    def axis(self, name: str, default: int, dims: int) -> int:
        """Return an axis, counted from the front."""
        return int(self.number(name, default)) % dims


def bounded(sizes: Sequence[int]) -> list[int]:
    """Return the sizes of an array to be made, none of them absurd."""
    if any(not 0 <= size <= MAX_VALUES * 1000 for size in sizes):
        raise ValueError("a size that is none")
    return list(sizes)
