"""One ONNX operator, to be drawn: its items, its call with the constants, the shape it makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from explorer.models.adopted.layers.sketch import Item, NotLayers, plain
from explorer.models.adopted.onnx.call import Call


@dataclass(frozen=True)
class Stroke:
    """One operator to be drawn: its items, its call with the constants, the shape it makes."""

    call: Call
    items: Sequence[Item | None]
    shape: tuple[int, ...]
    """Of the first output, without the batch."""

    def __getitem__(self, index: int) -> Item:
        found = self.items[index] if index < len(self.items) else None
        if found is None:
            raise NotLayers(f"a {self.call.node.operator} without its input {index + 1}")
        return found

    def constant(self, index: int) -> Tensor:
        """Return a weight."""
        found = self[index]
        if not isinstance(found, Tensor):
            raise NotLayers(f"a {self.call.node.operator} whose weights depend on the picture")
        return found

    def maybe(self, index: int) -> Tensor | None:
        """Return a weight that may be left out."""
        given = self.items[index] if index < len(self.items) else None
        return None if given is None else self.constant(index)

    def pictures(self, index: int) -> tuple[int, ...]:
        """Return the shape (C, H, W) of a picture that comes in."""
        value = plain(self[index], f"a {self.call.node.operator}")
        if len(value.shape) != 3:
            raise NotLayers(f"a {self.call.node.operator} of other than pictures")
        return value.shape


Rule = Callable[[Stroke], Item | list[Item]]
