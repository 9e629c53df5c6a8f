"""What names hold while a pasted loss is followed: expressions, and what is not a number."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

from explorer.analysis.loss.algebra import NO_AXES, Axes, Expr

BATCH = "B"


@dataclass(frozen=True)
class Ref:
    """A name that the paste does not define, dotted or not: x, self.beta, args[0]."""

    path: str


@dataclass(frozen=True)
class Const:
    """A word, None, True or False."""

    value: Any


@dataclass(frozen=True)
class Many:
    """A tuple or a list."""

    items: tuple["Value", ...]


@dataclass(frozen=True)
class Table:
    """A dict with words as keys."""

    items: Mapping[str, "Value"]


@dataclass(frozen=True)
class Shape:
    """A tensor's shape: the axes' labels, not their sizes."""

    axes: tuple[Axes, ...]


@dataclass(frozen=True)
class Function:
    """A function of the paste; `batched` by vmap, `owner` the class that it stands in.

    `around` are the names of the block that it was defined in.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    owner: str = ""
    batched: bool = False
    around: Mapping[str, "Value"] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True)
class Criterion:
    """A loss object that will be called, such as nn.MSELoss(reduction="sum")."""

    name: str
    settings: Mapping[str, "Value"]


@dataclass(frozen=True)
class Density:
    """A distribution: normal, laplace, bernoulli, categorical or unknown, by its parameters.

    `event` counts the last axes that one draw covers (Independent, MultivariateNormalDiag).
    """

    kind: str
    parameters: tuple[Expr, ...]
    event: int = 0
    path: str = ""


@dataclass(frozen=True)
class Unknown:
    """What a function gives that is not known here; `function` is that function's name."""

    path: str
    function: str = ""


Value = Union[Expr, Ref, Const, Many, Table, Shape, Function, Criterion, Density, Unknown]  # noqa: UP007
Arguments = tuple[list[Value], dict[str, Value]]


class NotFollowed(Exception):
    """An expression whose meaning for the loss is not known; it becomes a term of its own."""


@dataclass(frozen=True)
class Layout:
    """The labels of each axis of the data and of the latents, the batch first."""

    data: tuple[Axes, ...]
    latent: tuple[Axes, ...]

    def axes_of(self, role: str) -> tuple[Axes, ...]:
        """Return the axes of a tensor of this role."""
        return self.latent if role in ("latent", "noise") else self.data

    def inner(self, role: str) -> Axes:
        """Return the labels of all axes but the batch."""
        return NO_AXES.union(*self.axes_of(role)[1:])


@dataclass
class Evidence:
    """What one pass over the paste saw of its tensors: which belong together, what ranks they have.

    `reduced` holds (role, positions, axes reduced before) of each reduction over single axes.
    """

    groups: list[set[str]] = field(default_factory=list)
    ranks: dict[str, int] = field(default_factory=dict)
    reduced: list[tuple[str, tuple[int, ...], int]] = field(default_factory=list)
    arrays: set[str] = field(default_factory=set)
    doubts: dict[tuple[str, str], None] = field(default_factory=dict)
    reshaped: bool = False


class Follower(Protocol):
    """What the table of known functions needs of the reader."""

    layout: Layout
    seen: Evidence
    channels_last: bool

    def expr(self, value: Value) -> Expr:
        """Return a value as an expression."""

    def tensor(self, value: Value, role: str = "image") -> Expr:
        """Return a value as a tensor; an unknown name becomes one of this role."""

    def axes(self, value: Value) -> tuple[Axes, ...]:
        """Return a tensor's axes, of one item where it is x[0]."""

    def integers(self, value: Value) -> tuple[int, ...]:
        """Return axis positions from a number, a tuple or a range."""

    def doubt(self, code: str, text: str = "") -> None:
        """Note something that was taken for granted."""

    def call(self, function: Value, args: list[Value], named: dict[str, Value]) -> Value:
        """Call a function of the paste."""
