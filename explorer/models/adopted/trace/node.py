"""One operator of a torch graph, to be drawn: its arguments by name and the shape that it makes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.models.adopted.layers.sketch import BATCH, Item, Noisy, NotLayers, Value, plain

Arguments = Sequence[Any]
Rule = Callable[["Node"], Any]


class Node:
    """One operator to be drawn: its arguments by name, and the shape that it makes."""

    def __init__(self, target: Any, args: Arguments, kwargs: dict[str, Any], shape: Any) -> None:
        self.name = str(target)
        schema = target._schema.arguments
        values = dict(zip((argument.name for argument in schema), args, strict=False))
        self.arguments = {a.name: a.default_value for a in schema} | values | kwargs
        self.whole_shape = tuple(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that comes out, without the batch."""
        if not self.whole_shape or self.whole_shape[0] != BATCH:
            raise NotLayers(f"{self.name}, which does not keep the images of a batch apart")
        return self.whole_shape[1:]

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    def item(self, name: str = "self") -> Item:
        """Return an argument that is an array; plain numbers become constants."""
        found = self[name]
        if isinstance(found, int | float):
            return torch.tensor(float(found))
        if not isinstance(found, Value | Noisy | Tensor):
            raise NotLayers(f"{self.name} without {name}")
        return found

    def constant(self, name: str) -> Tensor | None:
        """Return a weight, None where it is left out."""
        found = self[name]
        if found is not None and not isinstance(found, Tensor):
            raise NotLayers(f"{self.name} whose {name} depends on the picture")
        return found

    def weight(self, name: str) -> Tensor:
        """Return a weight that must be there."""
        found = self.constant(name)
        if found is None:
            raise NotLayers(f"{self.name} without {name}")
        return found

    def pair(self, name: str, default: int = 0) -> list[int]:
        """Return a list of two sizes; one alone stands for both."""
        given = self[name]
        given = [default] if given is None or given == [] else given
        given = [given] if isinstance(given, int) else list(given)
        return given * 2 if len(given) == 1 else given

    def axis(self, name: str = "dim") -> int:
        """Return an axis of the images; the batch is refused."""
        value = plain(self.item(), self.name)
        axis = int(self[name]) % (len(value.shape) + 1)
        if not axis:
            raise NotLayers(f"{self.name} across the batch")
        return axis - 1

    def axes(self, name: str = "dim") -> list[int]:
        """Return several axes of the images; without any all are meant, which a batch refuses."""
        value, given = plain(self.item(), self.name), self[name]
        given = [given] if isinstance(given, int) else list(given or [0])
        axes = [axis % (len(value.shape) + 1) - 1 for axis in given]
        if min(axes) < 0:
            raise NotLayers(f"{self.name} across the batch")
        return axes
