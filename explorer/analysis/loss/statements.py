"""The statements of a paste: what they assign, what they return, and which of it is the loss."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.analysis.loss.algebra import Expr, add, reduce
from explorer.analysis.loss.calls import call_criterion, call_known
from explorer.analysis.loss.expressions import short
from explorer.analysis.loss.names import words_of
from explorer.analysis.loss.reader import Reader
from explorer.analysis.loss.values import (
    Const,
    Criterion,
    Density,
    Function,
    Many,
    NotFollowed,
    Ref,
    Table,
    Unknown,
    Value,
)

LOSS_NAMES = frozenset(
    "loss total_loss vae_loss elbo neg_elbo nelbo negative_elbo elbo_loss objective cost obj "
    "train_loss total batch_loss loss_value final_loss loss_total vaeloss total_cost lower_bound "
    "free_energy l".split()
)
LOADERS = ("loader", "data", "batch", "epoch", "range", "enumerate", "tqdm", "step", "dataset")


@dataclass(frozen=True)
class Candidate:
    """A value that may be the loss; the higher its rank the more it is meant."""

    rank: int
    value: Value
    doubt: str = ""


class Returned(Exception):
    """A return statement was met."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Statements:
    """Runs blocks of statements for a reader and keeps what may be the loss."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.candidates: list[Candidate] = []
        self.added: list[Value] = []
        self.called: set[str] = set()

    def offer(self, rank: int, value: Value, doubt: str = "") -> None:
        """Keep a value as a candidate."""
        self.candidates.append(Candidate(rank, value, doubt))

    def run(self, nodes: Sequence[ast.stmt], names: dict[str, Value]) -> None:
        """Follow statements in order."""
        for node in nodes:
            self._statement(node, names)

    def _statement(self, node: ast.stmt, names: dict[str, Value]) -> None:
        if isinstance(node, ast.Assign):
            value = self.reader.value(node.value, names)
            for target in node.targets:
                self._assign(target, value, names)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, self.reader.value(node.value, names), names)
        elif isinstance(node, ast.AugAssign):
            whole = ast.BinOp(_as_load(node.target), node.op, node.value)
            self._assign(node.target, self.reader.value(whole, names), names)
        elif isinstance(node, ast.Return):
            value = Const(None) if node.value is None else self.reader.value(node.value, names)
            raise Returned(value)
        elif isinstance(node, ast.If):
            self._if(node, names)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._loop(node, names)
        elif isinstance(node, ast.While):
            self.run(node.body, names)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    names[item.optional_vars.id] = Ref(item.optional_vars.id)
            self.run(node.body, names)
        elif isinstance(node, ast.Try):
            self.run(node.body, names)
        elif isinstance(node, ast.Expr):
            self._expression(node.value, names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            source = self.reader.source
            names[node.name] = Function(
                node, source.owners.get(node.name, ""), node.name in source.batched, names
            )

    def _assign(self, target: ast.expr, value: Value, names: dict[str, Value]) -> None:
        self.reader.bind(target, value, names)
        if isinstance(target, ast.Tuple | ast.List | ast.Starred):
            return
        name = short(target).rsplit(".", 1)[-1].lower()
        if name in LOSS_NAMES or (words_of(name) & {"elbo"}):
            self.offer(3, names[short(target)])
        elif "loss" in words_of(name):
            self.offer(1, names[short(target)])

    def _if(self, node: ast.If, names: dict[str, Value]) -> None:
        decided = self.reader.decide(node.test, names)
        if decided is not None:
            self.run(node.body if decided else node.orelse, names)
            return
        taken, other = dict(names), dict(names)
        seen = self.reader.seen
        doubts = dict(seen.doubts)
        first = self._branch(node.body, taken)
        if_taken, seen.doubts = seen.doubts, dict(doubts)
        second = self._branch(node.orelse, other)
        if_other, seen.doubts = seen.doubts, if_taken
        if first is None and second is None:
            chosen = taken if _changes(taken, names) or not node.orelse else other
            seen.doubts = if_taken if chosen is taken else if_other
            if _differ(taken, other):
                self.reader.doubt("branch", short(node.test))
            names.update(chosen)
        elif first is None or (second is not None and _is_empty(first.value)):
            # One way returns or raises: the other is what goes on, unless it returns a loss.
            seen.doubts = if_other if first is not None else if_taken
            self._settle(second, names, taken, node)
        else:
            self._settle(first, names, other, node)

    def _settle(
        self, left: Returned | None, names: dict[str, Value], stayed: dict[str, Value], node: ast.If
    ) -> None:
        if left is None or _is_empty(left.value):
            names.update(stayed)
            return
        self.reader.doubt("branch", short(node.test))
        raise left

    def _branch(self, nodes: Sequence[ast.stmt], names: dict[str, Value]) -> Returned | None:
        try:
            for node in nodes:
                if isinstance(node, ast.Raise | ast.Continue | ast.Break):
                    return Returned(Const(None))
                self._statement(node, names)
        except Returned as returned:
            return returned
        return None

    def _loop(self, node: ast.For | ast.AsyncFor, names: dict[str, Value]) -> None:
        over = self.reader.value(node.iter, names)
        if (
            isinstance(over, Many)
            and 0 < len(over.items) <= 8
            and not isinstance(over.items[0], Expr)
        ):
            for item in over.items:
                self.reader.bind(node.target, item, names)
                self.run(node.body, names)
            return
        text = short(node.iter).lower()
        before = dict(names)
        for target in _names_in(node.target):
            names[target] = before[target] = Ref(target)
        self.run(node.body, names)
        if not any(word in text for word in LOADERS) and _differ(names, before):
            self.reader.doubt("loop", short(node.iter))

    def _expression(self, node: ast.expr, names: dict[str, Value]) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func.attr
            if called == "backward":
                self.offer(4, self.reader.value(node.func.value, names))
                return
            if called == "add_loss" and node.args:
                self.added.append(self.reader.value(node.args[0], names))
                return
            if called == "gradient" and node.args:
                self.offer(4, self.reader.value(node.args[0], names))
                return
            if called == "compile":
                self._compile(node, names)
                return
        self.offer(0, self.reader.value(node, names))

    def _compile(self, node: ast.Call, names: dict[str, Value]) -> None:
        """Keras: the compiled loss and what add_loss added, together."""
        for keyword in node.keywords:
            if keyword.arg == "loss":
                self.offer(4, self._compiled(self.reader.value(keyword.value, names)))

    def _compiled(self, value: Value) -> Value:
        pair: list[Value] = [Ref("y_true"), Ref("y_pred")]
        try:
            if isinstance(value, Const) and isinstance(value.value, str):
                value = call_known(self.reader, f"keras.losses.{value.value}", pair, {})
            elif isinstance(value, Function):
                value = self.reader.call(value, pair, {})
            elif isinstance(value, Criterion):
                value = call_criterion(self.reader, value, pair, {})
            elif isinstance(value, Ref):
                value = call_known(self.reader, value.path, pair, {})
            else:
                return value
            return reduce(self.reader.expr(value), None, "mean")
        except NotFollowed:
            return value

    def finish(self, names: dict[str, Value]) -> list[Candidate]:
        """Return the candidates, with what add_loss added to the loss."""
        if not self.added:
            return self.candidates
        total: Expr | None = None
        for value in self.added:
            expr = reduce(self.reader.expr(value), None, "mean")
            total = expr if total is None else add(total, expr)
        assert total is not None
        joined = []
        for candidate in self.candidates:
            try:
                value = add(reduce(self.reader.expr(candidate.value), None, "mean"), total)
                joined.append(Candidate(candidate.rank, value))
            except NotFollowed:
                joined.append(candidate)
        return [*joined, Candidate(2, total)]


def run_function(
    reader: Reader, function: Function, args: list[Value], named: dict[str, Value]
) -> Value:
    """Return what a function of the paste returns for these arguments."""
    names = bind_arguments(reader, function, args, named)
    if isinstance(function.node, ast.Lambda):
        return reader.value(function.node.body, names)
    block = Statements(reader)
    try:
        block.run(function.node.body, names)
    except Returned as returned:
        return returned.value
    return Const(None)


def bind_arguments(
    reader: Reader, function: Function, args: list[Value], named: dict[str, Value]
) -> dict[str, Value]:
    """Return the names that a function starts with: arguments, defaults, and its own attributes."""
    given = function.node.args
    parameters = [*given.posonlyargs, *given.args]
    if parameters and parameters[0].arg in ("self", "cls"):
        parameters = parameters[1:]
    names: dict[str, Value] = {**function.around, **attributes_of(reader, function.owner)}
    defaults = dict(
        zip(reversed([p.arg for p in parameters]), reversed(given.defaults), strict=False)
    )
    for keyword, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if default is not None:
            defaults[keyword.arg] = default
    for place, parameter in enumerate([*parameters, *given.kwonlyargs]):
        name = parameter.arg
        positional = place < len(parameters)
        if positional and place < len(args):
            reader.bind(ast.Name(name), args[place], names)
            if isinstance(args[place], Ref | Expr):
                names[name] = args[place]
        elif name in named:
            names[name] = named[name]
        elif name in defaults and reader.role(name) not in ("image", "latent"):
            held = reader.value(defaults[name], {})
            names[name] = Ref(name) if held == Const(None) and "weight" in name else held
        else:
            names[name] = Ref(name)
    if given.vararg is not None:
        rest = args[len(parameters) :]
        names[given.vararg.arg] = Many(tuple(rest)) if rest else Ref(given.vararg.arg)
    if given.kwarg is not None:
        names[given.kwarg.arg] = Ref(given.kwarg.arg)
    return names


def attributes_of(reader: Reader, owner: str) -> dict[str, Value]:
    """Return self.name → value for what a class's __init__ sets to its defaults and to numbers."""
    if not owner:
        return {}
    if owner in reader.attributes:
        return reader.attributes[owner]
    reader.attributes[owner] = {}  # __init__ may call the class' own functions.
    found: dict[str, Value] = {}
    for node in ast.walk(reader.source.tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    _read_init(reader, part, found)
                elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                    found[f"self.{part.targets[0].id}"] = reader.value(part.value, {})
    reader.attributes[owner] = {
        path: value for path, value in found.items() if not isinstance(value, Ref | Unknown)
    }
    return reader.attributes[owner]


def _read_init(reader: Reader, init: ast.FunctionDef, found: dict[str, Value]) -> None:
    parameters = [p.arg for p in init.args.args]
    defaults = dict(zip(reversed(parameters), reversed(init.args.defaults), strict=False))
    for keyword, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        if default is not None:
            defaults[keyword.arg] = default
    names: dict[str, Value] = {name: reader.value(node, {}) for name, node in defaults.items()}
    for statement in ast.walk(init):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute):
            before = dict(found)
            reader.bind(statement.targets[0], reader.value(statement.value, names), found)
            for path in found.keys() & before.keys():
                if found[path] != before[path]:  # Set in two ways: which holds is not known.
                    found[path] = Ref(path)


def offer_results(block: Statements, value: Value) -> None:
    """Keep what a function returns as candidates: a dict's loss, a tuple's first."""
    if isinstance(value, Table):
        for name, item in value.items.items():
            words = words_of(name)
            block.offer(4 if name.lower() in LOSS_NAMES else 1 if "loss" in words else 0, item)
    elif isinstance(value, Many):
        for place, item in enumerate(value.items):
            block.offer(4 if place == 0 else 1, item)
        if 2 <= len(value.items) <= 4:  # (reconstruction, KL): the training loop adds them.
            block.offer(0, _sum_of(block.reader, value.items), "summed_here")
    else:
        block.offer(4, value)


def _sum_of(reader: Reader, items: Sequence[Value]) -> Value:
    total: Expr | None = None
    for item in items:
        try:
            expr = reader.expr(item)
        except NotFollowed:
            continue
        total = expr if total is None else add(total, expr)
    return Const(None) if total is None else total


def _changes(names: dict[str, Value], before: dict[str, Value]) -> bool:
    return any(value != before.get(name) for name, value in names.items())


def _differ(left: dict[str, Value], right: dict[str, Value]) -> bool:
    """Whether two ways through the paste leave something of the loss different."""
    changed = [
        name
        for name in {*left, *right}
        if left.get(name, Const(None)) != right.get(name, Const(None))
    ]
    values = [names.get(name) for name in changed for names in (left, right)]
    return any(isinstance(value, Expr | Criterion | Density) for value in values)


def _is_empty(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def _names_in(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _as_load(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body
