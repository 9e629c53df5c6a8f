"""The expressions of a pasted loss, followed without executing any of it."""

import ast
from abc import abstractmethod
from collections.abc import Sequence

from explorer.analysis.loss.algebra import (
    NO_AXES,
    Atom,
    Expr,
    add,
    divide,
    multiply,
    number,
    of_atom,
    power,
    scale,
    size_of,
    subtract,
)
from explorer.analysis.loss.calls import CONSTANTS, MODULES, attribute, known
from explorer.analysis.loss.elementwise import size_at
from explorer.analysis.loss.functions import exponential, logarithm
from explorer.analysis.loss.names import guess_role, last_part
from explorer.analysis.loss.tensors import Tensors
from explorer.analysis.loss.values import (
    Const,
    Function,
    Many,
    NotFollowed,
    Ref,
    Shape,
    Table,
    Unknown,
    Value,
)

OPERATORS = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
}


class Expressions(Tensors):
    """Expressions, conditions and assignments; calls are left to `Reader`."""

    @abstractmethod
    def call(self, function: Value, args: list[Value], named: dict[str, Value]) -> Value:
        """Call a function of the paste."""

    @abstractmethod
    def _call(self, node: ast.Call, names: dict[str, Value]) -> Value:
        """Return what a call gives."""

    def value(self, node: ast.expr, names: dict[str, Value]) -> Value:
        """Return what an expression of the paste stands for; never fails, but may not know."""
        try:
            return self._value(node, names)
        except (NotFollowed, ArithmeticError):
            return Unknown(short(node))

    def _value(self, node: ast.expr, names: dict[str, Value]) -> Value:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool | str) or node.value is None:
                return Const(node.value)
            if isinstance(node.value, int | float) and abs(node.value) < 1e300:
                return number(float(node.value))
            raise NotFollowed("constant")
        if isinstance(node, ast.Name):
            return names.get(node.id) or self._global(node.id)
        if isinstance(node, ast.BinOp):
            return self._binary(node, names)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.USub):
                return scale(self.expr(self.value(node.operand, names)), -1.0)
            if isinstance(node.op, ast.Not):
                decided = self.decide(node.operand, names)
                return Unknown(short(node)) if decided is None else Const(not decided)
            return self.value(node.operand, names)
        if isinstance(node, ast.Call):
            return self._call(node, names)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, names)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, names)
        if isinstance(node, ast.Tuple | ast.List):
            return Many(tuple(self._items(node.elts, names)))
        if isinstance(node, ast.Dict):
            return Table(
                {
                    str(key.value): self.value(item, names)
                    for key, item in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
            )
        if isinstance(node, ast.IfExp):
            return self._choose(node, names)
        if isinstance(node, ast.Lambda):
            return Function(node, around=names)
        if isinstance(node, ast.NamedExpr):
            names[node.target.id] = self.value(node.value, names)
            return names[node.target.id]
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return self._comprehension(node, names)
        raise NotFollowed(short(node))

    def _items(self, nodes: Sequence[ast.expr], names: dict[str, Value]) -> list[Value]:
        items: list[Value] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value, names)
                if isinstance(inner, Ref):  # Of a pair (mean, log-variance) most likely.
                    items += [Ref(f"{inner.path}[0]"), Ref(f"{inner.path}[1]")]
                else:
                    items += inner.items if isinstance(inner, Many) else [inner]
            else:
                items.append(self.value(node, names))
        return items

    def _global(self, name: str) -> Value:
        if name in self.source.functions:
            return Function(
                self.source.functions[name],
                self.source.owners[name],
                batched=name in self.source.batched,
            )
        return Ref(name)

    def _binary(self, node: ast.BinOp, names: dict[str, Value]) -> Value:
        left, right = self.value(node.left, names), self.value(node.right, names)
        if isinstance(node.op, ast.Add) and isinstance(left, Many) and isinstance(right, Many):
            return Many((*left.items, *right.items))
        one, other = self.expr(left), self.expr(right)
        if isinstance(node.op, ast.Pow):
            if other.number is not None:
                return power(one, other.number)
            if one.is_scalar and other.is_scalar:
                return exponential(multiply(other, logarithm(one)))
            raise NotFollowed("power")
        if isinstance(node.op, ast.Mod | ast.FloorDiv):
            if one.is_scalar and any(atom.kind == "time" for atom in one.atoms()):
                cyclic = isinstance(node.op, ast.Mod)
                return of_atom(Atom("time", ("cycle" if cyclic else "staircase",)))
            if isinstance(node.op, ast.FloorDiv):
                return divide(one, other)
            raise NotFollowed("modulo")
        if type(node.op) not in OPERATORS:
            raise NotFollowed("operator")
        result = OPERATORS[type(node.op)](one, other)
        if isinstance(node.op, ast.Add | ast.Sub):  # A factor may be a weight, a summand is not.
            self._note_names(result)
        return result

    def _attribute(self, node: ast.Attribute, names: dict[str, Value]) -> Value:
        path = dotted(node)
        if path is not None and path in names:
            return names[path]
        if path is not None and self._is_module(path, names):
            name = node.attr
            return number(CONSTANTS[name]) if name in CONSTANTS else Ref(path)
        base = self.value(node.value, names)
        if isinstance(base, Table) and node.attr in base.items:
            return base.items[node.attr]
        if (
            isinstance(base, Ref)
            and base.path in ("self", "cls")
            and node.attr in (self.source.functions)
        ):
            return self._global(node.attr)
        is_tensor = not isinstance(base, Ref) or self.role(base.path) in ("image", "latent")
        is_tensor = is_tensor or (node.attr in ("shape", "ndim") and isinstance(base, Ref))
        if is_tensor:
            try:
                return attribute(self, base, node.attr)
            except NotFollowed:
                pass
        if isinstance(base, Ref | Unknown):
            return Ref(f"{base.path}.{node.attr}")
        raise NotFollowed(node.attr)

    def _is_module(self, path: str, names: dict[str, Value]) -> bool:
        first = path.split(".")[0]
        return first not in names and (first in MODULES or first in self.source.modules)

    def _subscript(self, node: ast.Subscript, names: dict[str, Value]) -> Value:
        base = self.value(node.value, names)
        index = node.slice
        if isinstance(base, Many | Shape):
            return self._item(base, index, names)
        if isinstance(base, Table):
            held = self.value(index, names)
            word = str(index.value if isinstance(index, ast.Constant) else "")
            word = str(held.value) if isinstance(held, Const) else word
            if word in base.items:
                return base.items[word]
        if isinstance(base, Expr) and (base.shape or base.is_scalar):
            return self._sliced(base, index) if base.shape else base
        key = short(node)
        if key in names:
            return names[key]
        if (
            isinstance(base, Ref)
            and self.role(base.path) in ("image", "latent")
            and isinstance(index, ast.Slice | ast.Tuple)
        ):
            return self._sliced(self.expr(base), index)
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            return Ref(f"{getattr(base, 'path', key)}.{index.value}")
        timed = isinstance(index, ast.expr) and self._has_time(self.value(index, names))
        if timed:
            return of_atom(Atom("schedule", (getattr(base, "path", key), 1.0)))
        return Ref(key)

    def _item(self, base: Many | Shape, index: ast.expr, names: dict[str, Value]) -> Value:
        items = base.items if isinstance(base, Many) else base.axes
        if isinstance(index, ast.Slice):
            ends = [
                None if part is None else self.integers(self.value(part, names))[0]
                for part in (index.lower, index.upper)
            ]
            part = items[ends[0] : ends[1]]
            return Many(part) if isinstance(base, Many) else Shape(part)  # type: ignore[arg-type]
        place = self.integers(self.value(index, names))[0]
        if isinstance(base, Shape):
            if place > 0:
                self.seen.ranks["image"] = max(self.seen.ranks.get("image", 0), place + 1)
            return size_at(self, base, place)
        try:
            return base.items[place]
        except IndexError:
            raise NotFollowed("index") from None

    def _sliced(self, expr: Expr, index: ast.expr) -> Expr:
        """A part of a tensor stands for the whole one: sizes are the data's, as given."""
        self.doubt("sliced", short(index))
        return expr

    def _has_time(self, value: Value) -> bool:
        try:
            return any(atom.kind == "time" for atom in self.expr(value).atoms())
        except NotFollowed:
            return False

    def decide(self, node: ast.expr, names: dict[str, Value]) -> bool | None:
        """Return what a condition comes to late in training; None where that is not known."""
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self.value(node.left, names), self.value(node.comparators[0], names)
            return self._compare(left, node.ops[0], right)
        if isinstance(node, ast.BoolOp):
            found = [self.decide(part, names) for part in node.values]
            stop = isinstance(node.op, ast.Or)
            if stop in found:
                return stop
            return None if None in found else not stop
        value = self.value(node, names)
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, Expr) and value.number is not None:
            return bool(value.number)
        if isinstance(value, Ref) and last_part(value.path) in ("training", "is_train", "train"):
            return True
        return None

    def _compare(self, left: Value, operator: ast.cmpop, right: Value) -> bool | None:
        if isinstance(left, Const) and isinstance(right, Const):
            if isinstance(operator, ast.Eq | ast.Is):
                return bool(left.value == right.value)
            if isinstance(operator, ast.NotEq | ast.IsNot):
                return bool(left.value != right.value)
        if isinstance(operator, ast.In) and isinstance(left, Const) and isinstance(right, Many):
            if all(isinstance(item, Const) for item in right.items):
                return left in right.items
        if isinstance(operator, ast.Is | ast.IsNot) and Const(None) in (left, right):
            return isinstance(operator, ast.IsNot)
        try:
            one, other = self.expr(left), self.expr(right)
        except NotFollowed:
            return None
        if one.number is not None and other.number is not None:
            difference = one.number - other.number
            return {
                ast.Lt: difference < 0,
                ast.LtE: difference <= 0,
                ast.Gt: difference > 0,
                ast.GtE: difference >= 0,
                ast.Eq: difference == 0,
                ast.NotEq: difference != 0,
            }.get(type(operator))
        for side, late in ((one, True), (other, False)):
            if any(atom.kind == "time" for atom in side.atoms()):
                self.doubt("annealed", "")
                grows = isinstance(operator, ast.Gt | ast.GtE)
                falls = isinstance(operator, ast.Lt | ast.LtE)
                return late if grows else not late if falls else None
        return None

    def _choose(self, node: ast.IfExp, names: dict[str, Value]) -> Value:
        decided = self.decide(node.test, names)
        if decided is None:
            self.doubt("branch", short(node.test))
        return self.value(node.orelse if decided is False else node.body, names)

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp, names: dict[str, Value]
    ) -> Value:
        """A list over items that are not known has one of them."""
        inner = dict(names)
        over = self.value(node.generators[0].iter, names)
        if isinstance(over, Many) and len(over.items) <= 16:
            results = []
            for item in over.items:
                self.bind(node.generators[0].target, item, inner)
                results.append(self.value(node.elt, inner))
            return Many(tuple(results))
        raise NotFollowed(short(node))

    def bind(self, target: ast.expr, value: Value, names: dict[str, Value]) -> None:
        """Give a name, or names in a tuple, a value."""
        if isinstance(target, ast.Starred):
            target = target.value
        if isinstance(target, ast.Tuple | ast.List):
            self._bind_many(target.elts, value, names)
            return
        path = target.id if isinstance(target, ast.Name) else short(target)
        if isinstance(value, Unknown) or (
            isinstance(value, Ref) and self.role(value.path) is None and not known(value.path)
        ):
            value = self._renamed(value, path)
        if isinstance(value, Expr) and any(atom.kind == "noise" for atom in value.atoms()):
            value = Ref(path if guess_role(path) else "z")
        if (
            isinstance(value, Expr)
            and self.role(path) in ("image", "latent")
            and any(atom.kind == "term" for atom in value.atoms())
        ):
            value = Ref(path)  # A network's own arithmetic ends where its result has a name.
        plain = value.number if isinstance(value, Expr) else None
        if plain is not None:
            role = self.role(path)
            if role == "time":
                value = Ref(path)  # Where it starts says nothing of where it ends.
            elif role is not None and role.startswith("size:"):
                self.seen.ranks[role] = int(plain)
                value = self._size(role[5:])
            elif isinstance(value, Expr):
                value = self._as_scale(path, value)
        names[path] = value
        if isinstance(target, ast.Subscript):
            self._store(target, value, names)

    def _renamed(self, value: Unknown | Ref, path: str) -> Value:
        """What the paste does not define is called by the name that it is given here."""
        if self.role(path) is not None or isinstance(value, Unknown):
            kind = guess_role(getattr(value, "function", "") or value.path)
            if self.role(path) in (None, "image") and kind in ("perceptual", "adversarial"):
                return value
            return Ref(path)
        return value

    def _store(self, target: ast.Subscript, value: Value, names: dict[str, Value]) -> None:
        if isinstance(target.value, ast.Name) and isinstance(target.slice, ast.Constant):
            held = names.get(target.value.id)
            items = dict(held.items) if isinstance(held, Table) else {}
            names[target.value.id] = Table({**items, str(target.slice.value): value})

    def _bind_many(
        self, targets: Sequence[ast.expr], value: Value, names: dict[str, Value]
    ) -> None:
        if isinstance(value, Shape):
            self.seen.ranks["image"] = max(self.seen.ranks.get("image", 0), len(targets))
            axes = [*value.axes, *[NO_AXES] * len(targets)]
            for target, labels in zip(targets, axes, strict=False):
                self.bind(target, size_of(labels), names)
            return
        if isinstance(value, Many) and len(value.items) == len(targets):
            for target, item in zip(targets, value.items, strict=True):
                self.bind(target, item, names)
            return
        source = getattr(value, "path", "")
        for target in targets:
            inner = target.value if isinstance(target, ast.Starred) else target
            self.bind(inner, Unknown(source), names)


def dotted(node: ast.expr) -> str | None:
    """Return a dotted name as text, None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return None if base is None else f"{base}.{node.attr}"
    return None


def short(node: ast.AST) -> str:
    """Return a piece of the paste as text, at most 80 characters."""
    text = ast.unparse(node)
    return text if len(text) <= 80 else text[:77] + "…"
