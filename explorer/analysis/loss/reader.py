"""Following a pasted loss: the calls in it, to known functions and to the paste's own."""

import ast
from collections.abc import Callable, Mapping

from explorer.analysis.loss.algebra import Atom, Axes, Expr, of_atom
from explorer.analysis.loss.calls import call_criterion, call_known, call_method, known
from explorer.analysis.loss.expressions import Expressions, dotted, short
from explorer.analysis.loss.names import is_data
from explorer.analysis.loss.source import Source
from explorer.analysis.loss.values import (
    BATCH,
    Const,
    Criterion,
    Density,
    Function,
    Layout,
    Many,
    NotFollowed,
    Ref,
    Table,
    Unknown,
    Value,
)

TRANSPOSES = frozenset(("transpose", "permute", "swapaxes", "swapdims", "movedim", "moveaxis"))
CALLS = 400
"""Calls of the paste's own functions that are followed."""


Run = Callable[["Reader", Function, list[Value], dict[str, Value]], Value]


class Reader(Expressions):
    """One pass over a paste: names to values, with what was seen on the way.

    `run` follows the body of one of the paste's functions (see `statements`).
    """

    def __init__(
        self,
        source: Source,
        layout: Layout,
        roles: Mapping[str, str],
        given: Mapping[str, float],
        run: Run,
    ) -> None:
        super().__init__(source, layout, roles, given)
        self.run = run

    def _call(self, node: ast.Call, names: dict[str, Value]) -> Value:
        args = self._items(node.args, names)
        named: dict[str, Value] = {}
        for keyword in node.keywords:
            held = self.value(keyword.value, names)
            if keyword.arg is not None:
                named[keyword.arg] = held
            elif isinstance(held, Table):
                named.update(held.items)
        if isinstance(node.func, ast.Attribute):
            return self._call_attribute(node, node.func, args, named, names)
        target = self.value(node.func, names)
        if isinstance(target, Ref):
            return self._call_named(target.path, args, named, node)
        return self._call_value(target, args, named, node)

    def _call_attribute(
        self,
        node: ast.Call,
        func: ast.Attribute,
        args: list[Value],
        named: dict[str, Value],
        names: dict[str, Value],
    ) -> Value:
        path = dotted(func)
        if path is not None and path in names:
            return self._call_value(names[path], args, named, node)
        if path is not None and self._is_module(path, names):
            return self._call_named(path, args, named, node)
        base = self.value(func.value, names)
        if func.attr in TRANSPOSES:
            return self._transposed(base, func.attr, args, node)
        own = func.attr in self.source.functions and isinstance(base, Ref) and "." not in base.path
        if own and not (self.role(base.path) and known(func.attr)):  # type: ignore[union-attr]
            return self._call_value(self._global(func.attr), args, named, node)
        if isinstance(base, Ref) and base.path in ("self", "cls", "model", "vae", "super"):
            return self._call_named(f"{base.path}.{func.attr}", args, named, node)
        if isinstance(base, Table) and func.attr in ("values", "items") and not args:
            pairs = ((Const(key), item) for key, item in base.items.items())
            return Many(tuple(i if func.attr == "values" else Many((k, i)) for k, i in pairs))
        if isinstance(base, Table) and func.attr == "get" and args and isinstance(args[0], Const):
            return base.items.get(str(args[0].value), args[1] if len(args) > 1 else Const(None))
        if isinstance(base, Ref) and func.attr == "get" and args and isinstance(args[0], Const):
            return args[1] if len(args) > 1 else Ref(f"{base.path}.{args[0].value}")
        try:
            return call_method(self, base, func.attr, args, named)
        except NotFollowed:
            path = f"{getattr(base, 'path', '')}.{func.attr}".strip(".")
            return self._call_unknown(path, args, named, node)

    def _transposed(self, base: Value, how: str, args: list[Value], node: ast.Call) -> Value:
        """A tensor with its axes in another order is called by the code that makes it."""
        expr = self.tensor(base)
        single = expr.single
        if single is None or len(single[0].powers) != 1 or single[0].powers[0][0].kind != "name":
            return expr
        try:
            order = self.integers(Many(tuple(args)))
            shape = _reorder(expr.shape, how, order)
        except (NotFollowed, IndexError):
            shape = expr.shape
        axes = single[0].powers[0][0].axes
        return of_atom(Atom("name", (ast.unparse(node),), axes), shape)

    def _call_named(
        self, path: str, args: list[Value], named: dict[str, Value], node: ast.Call
    ) -> Value:
        if known(path) and not path.startswith(("model.", "vae.")):
            try:
                return call_known(self, path, args, named)
            except NotFollowed:
                return Unknown(short(node), path)
        return self._call_unknown(path, args, named, node)

    def _call_unknown(
        self, path: str, args: list[Value], named: dict[str, Value], node: ast.Call
    ) -> Value:
        """A function that is not known here may be a schedule of the KL's weight."""
        if any(self._has_time(value) for value in [*args, *named.values()]):
            return of_atom(Atom("schedule", (path, self._end_of_schedule(args))))
        lowered = path.rsplit(".", 1)[-1].lower()
        if any(word in lowered for word in ("anneal", "warmup", "warm_up", "schedule", "cycl")):
            return of_atom(Atom("schedule", (path, self._end_of_schedule(args))))
        return Unknown(short(node), path)

    def _end_of_schedule(self, args: list[Value]) -> float:
        """Where a schedule ends: at the largest of its first numbers, or 1."""
        numbers = [value.number for value in args[:2] if isinstance(value, Expr)]
        plain = [value for value in numbers if value is not None and 0 < value <= 10]
        return plain[-1] if len(plain) == len(numbers) and plain else 1.0

    def _call_value(
        self, target: Value, args: list[Value], named: dict[str, Value], node: ast.Call
    ) -> Value:
        if isinstance(target, Function):
            return self.call(target, args, named)
        if isinstance(target, Criterion):
            return call_criterion(self, target, args, named)
        if isinstance(target, Density | Unknown | Ref):
            return self._call_named(getattr(target, "path", ""), args, named, node)
        raise NotFollowed(short(node))

    def call(self, function: Value, args: list[Value], named: dict[str, Value]) -> Value:
        """Call a function of the paste; one that vmap batches sees single images."""
        assert isinstance(function, Function)
        self.calls += 1
        if self.calls > CALLS or function.node in self.inside:
            raise NotFollowed("recursion")
        self.inside.append(function.node)
        try:
            if not function.batched:
                result = self.run(self, function, args, named)
                return self._apart(result, args, function)
            single = [self._without_batch(value) for value in args]
            result = self.run(self, function, single, named)
            return self._with_batch(result)
        finally:
            self.inside.pop()

    def _apart(self, result: Value, args: list[Value], function: Function) -> Value:
        """A decoder of the paste may call its output x: that is not the data of that name."""
        if isinstance(result, Many):
            return Many(tuple(self._apart(item, args, function) for item in result.items))
        if isinstance(result, Ref) and result not in args and is_data(result.path):
            return Unknown(f"{result.path}_out", getattr(function.node, "name", ""))
        return result

    def _without_batch(self, value: Value) -> Value:
        expr = self.tensor(value)
        return Expr(expr.terms, expr.shape[1:])

    def _with_batch(self, value: Value) -> Value:
        expr = self.expr(value)
        return Expr(expr.terms, (frozenset({BATCH}), *expr.shape))


def _reorder(shape: tuple[Axes, ...], how: str, order: tuple[int, ...]) -> tuple[Axes, ...]:
    if how in ("permute", "transpose") and len(order) == len(shape):
        return tuple(shape[place] for place in order)
    if len(order) == 2 and how != "permute":
        moved = list(shape)
        moved[order[0]], moved[order[1]] = moved[order[1]], moved[order[0]]
        return tuple(moved)
    return shape
