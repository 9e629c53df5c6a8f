"""What the names of a paste are as tensors and numbers."""

import ast
import re
from collections.abc import Mapping

from explorer.analysis.loss.algebra import (
    NO_AXES,
    ONE,
    Atom,
    Axes,
    Expr,
    number,
    of_atom,
    shaped,
    size_of,
)
from explorer.analysis.loss.densities import scale_of
from explorer.analysis.loss.names import SPREADS, guess_role, last_part, makes_picture
from explorer.analysis.loss.source import Source
from explorer.analysis.loss.values import (
    BATCH,
    Const,
    Evidence,
    Layout,
    Many,
    NotFollowed,
    Ref,
    Unknown,
    Value,
)

TERMS = ("kl", "reconstruction", "perceptual", "adversarial", "regulariser")


class Tensors:
    """One pass over a paste: what its names stand for, and what was seen of them."""

    def __init__(
        self, source: Source, layout: Layout, roles: Mapping[str, str], given: Mapping[str, float]
    ) -> None:
        self.source = source
        self.layout = layout
        self.roles = roles
        self.given = given
        self.seen = Evidence()
        self.channels_last = source.library != "torch"
        self.attributes: dict[str, dict[str, Value]] = {}
        self.calls = 0
        self.inside: list[ast.AST] = []

    def doubt(self, code: str, text: str = "") -> None:
        """Note something that was taken for granted."""
        self.seen.doubts[code, text] = None

    def role(self, path: str) -> str | None:
        """Return what a name stands for."""
        return self.roles.get(path) or guess_role(path)

    def expr(self, value: Value) -> Expr:
        """Return a value as an expression."""
        if isinstance(value, Expr):
            return value
        if isinstance(value, Ref):
            return self._of_name(value.path, self.role(value.path))
        if isinstance(value, Const) and isinstance(value.value, bool):
            return number(float(value.value))
        if isinstance(value, Unknown) and makes_picture(value.function):
            # A decoder called on the spot: what it gives is the picture, by the code that makes it.
            return self._of_name(value.path, "image")
        if isinstance(value, Unknown):
            role = guess_role(value.function or value.path)
            return of_atom(Atom("term", (value.path, role if role in TERMS else "unknown")))
        raise NotFollowed(type(value).__name__)

    def tensor(self, value: Value, role: str = "image") -> Expr:
        """Return a value as a tensor; an unknown name becomes one of this role."""
        if isinstance(value, Ref):
            found = self.role(value.path)
            if found is None or found in TERMS and value.path not in self.roles:
                found = found if found in ("kl", "reconstruction") else role
                if self._number_given(value.path) is None:
                    self.seen.arrays.add(value.path)
            return self._of_name(value.path, found)
        expr = self.expr(value)
        self._note_names(expr)
        if not expr.is_scalar:
            return expr
        self.seen.arrays |= {
            atom.parts[0]
            for atom in expr.atoms()
            if atom.kind == "symbol" and guess_role(atom.parts[0]) is None
        }
        return expr

    def _of_name(self, path: str, role: str | None) -> Expr:
        known_number = self._number_given(path)
        if known_number is not None:
            return self._as_scale(path, number(known_number))
        if role in ("image", "latent", "noise"):
            shape = self.layout.axes_of(role)
            kind = "noise" if role == "noise" else "name"
            return of_atom(Atom(kind, (path,), NO_AXES.union(*shape)), shape)
        if role == "mask":
            self.doubt("masked", path)
            return shaped(ONE, self.layout.data)
        if role == "spread":
            return of_atom(Atom("name", (path,)))
        if role in TERMS:
            return of_atom(Atom("term", (path, role)))
        if role == "time":
            return of_atom(Atom("time", (path,)))
        if role is not None and role.startswith("size:"):
            return self._size(role[5:])
        return of_atom(Atom("symbol", (path,)))

    def _as_scale(self, path: str, value: Expr) -> Expr:
        power_of = SPREADS.get(last_part(path))
        plain = value.number
        if power_of is None or plain is None or plain <= 0 or plain == 1:
            return value
        return scale_of(plain, power_of)

    def _number_given(self, path: str) -> float | None:
        for name in (path, path.rsplit(".", 1)[-1]):
            if name in self.given:
                return float(self.given[name])
        return None

    def _size(self, axis: str) -> Expr:
        if axis == "data":
            return size_of(self.layout.inner("image"))
        if axis == "K":
            return size_of(self.layout.inner("latent"))
        if axis == BATCH or axis in self.layout.inner("image"):
            return size_of({axis})
        return of_atom(Atom("symbol", (f"size:{axis}",)))

    def axes(self, value: Value) -> tuple[Axes, ...]:
        """Return a tensor's axes, of one item where it is x[0]."""
        if isinstance(value, Ref) and re.fullmatch(r".+\[-?\d+\]", value.path):
            role = self.role(value.path[: value.path.rindex("[")])
            if role in ("image", "latent"):
                return self.layout.axes_of(role)[1:]
        return self.tensor(value).shape

    def integers(self, value: Value) -> tuple[int, ...]:
        """Return axis positions from a number, a tuple or a range."""
        if isinstance(value, Many):
            return tuple(place for item in value.items for place in self.integers(item))
        found = self.expr(value).number
        if found is None or found != int(found):
            raise NotFollowed("axis")
        return (int(found),)

    def _note_names(self, expr: Expr) -> None:
        """Tensors that meet element by element belong to one space."""
        if any(term.summed for term, _ in expr.terms):
            return
        names = {
            atom.parts[0]
            for atom in expr.atoms(reduced=False)
            if atom.kind == "name" or (atom.kind == "symbol" and guess_role(atom.parts[0]) is None)
        }
        if names:
            self.seen.groups.append(names)
