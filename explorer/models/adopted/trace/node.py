"""One operator of a torch graph, to be drawn: its arguments by name and the shape that it makes.

Attention often folds its heads into the batch, (B·heads, tokens, width): such an array is drawn as
one of each image, (heads, tokens, width).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.models.adopted.layers.sketch import BATCH, Item, Noisy, NotLayers, Value, plain

Arguments = Sequence[Any]
Rule = Callable[["Node"], Any]


class Node:
    """One operator to be drawn: its arguments by name, and the shapes that it takes and makes."""

    def __init__(
        self, target: Any, args: Arguments, kwargs: dict[str, Any], shape: Any, taken: Any = ()
    ) -> None:
        self.name = str(target)
        schema = target._schema.arguments
        values = dict(zip((argument.name for argument in schema), args, strict=False))
        self.arguments = {a.name: a.default_value for a in schema} | values | kwargs
        self.whole_shape, self.taken = tuple(shape), tuple(taken)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that comes out, without the batch."""
        first = self.whole_shape[0] if self.whole_shape else 0
        if not first or first % BATCH:
            raise NotLayers(f"{self.name}, which does not keep the images of a batch apart")
        folded = () if first == BATCH else (first // BATCH,)
        return (*folded, *self.whole_shape[1:])

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
        return self._own_axis(int(self[name]))

    def _own_axis(self, axis: int) -> int:
        """Return where an axis of the array that comes in lies among the axes of an image."""
        dims = len(plain(self.item(), self.name).shape)
        axis %= len(self.taken)
        if not axis:
            raise NotLayers(f"{self.name} across the batch")
        return axis + dims - len(self.taken)

    def order(self, axes: Sequence[int]) -> list[int]:
        """Return an order of the axes that come in as one with the batch alone at its front."""
        extra = len(plain(self.item(), self.name).shape) + 1 - len(self.taken)
        return [*range(extra), *(axis % len(self.taken) + extra for axis in axes)]

    def axes(self, name: str = "dim") -> list[int]:
        """Return several axes of the images; without any all are meant, which a batch refuses."""
        given = self[name]
        given = [given] if isinstance(given, int) else list(given or [0])
        return [self._own_axis(axis) for axis in given]
