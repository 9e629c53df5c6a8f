"""Sums of products, enough of algebra to see which loss a person wrote.

A pasted loss becomes an `Expr`: a sum of terms, each a number times powers of atoms. Atoms are
names (tensors), symbols (numbers that the paste does not give), sizes (B, C, H, W, D, K) and
functions of expressions. A reduction does not lose what it reduced: a sum over an axis is noted in
the term, a mean is that sum times one over the axis' size. So every spelling of one loss, whatever
its order of sums, means and factors, ends in the same expression.

Logarithms, exponentials and powers are brought to one form (positive arguments are assumed, as
variances are): exp(½·lv)² is exp(lv), log of that is lv, log sigmoid(l) is l − softplus(l).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from explorer.errors import ExplorerError

SCALARS = ("symbol", "size", "time", "schedule", "scale")
"""Atoms that are numbers for the whole batch: they weigh a term and are no data."""
LARGEST = 300
"""More terms than any loss has: what grows beyond is not followed."""

Axes = frozenset[str]
NO_AXES: Axes = frozenset()


@dataclass(frozen=True)
class Atom:
    """A thing that is not taken apart: its kind, what it is made of, the axes it varies over."""

    kind: str
    parts: tuple[Any, ...]
    axes: Axes = NO_AXES

    @cached_property
    def key(self) -> str:
        """A text that orders atoms in the same way in every run."""
        parts = ",".join(part.key if isinstance(part, Expr) else repr(part) for part in self.parts)
        return f"{self.kind}({parts}){''.join(sorted(self.axes))}"

    @property
    def is_scalar(self) -> bool:
        """Whether it is a number for the whole batch."""
        if self.kind in SCALARS:
            return True
        inner = [part for part in self.parts if isinstance(part, Expr)]
        return bool(inner) and all(part.is_scalar for part in inner)


Powers = tuple[tuple[Atom, float], ...]


@dataclass(frozen=True)
class Term:
    """Powers of atoms, summed over some axes."""

    powers: Powers
    summed: Axes = NO_AXES

    @cached_property
    def key(self) -> str:
        """See `Atom.key`."""
        text = "*".join(f"{atom.key}^{power:g}" for atom, power in self.powers)
        return f"{text}|{''.join(sorted(self.summed))}"

    @cached_property
    def open(self) -> Axes:
        """The axes that it still varies over."""
        return NO_AXES.union(*(atom.axes for atom, _ in self.powers)) - self.summed

    @property
    def is_scalar(self) -> bool:
        """Whether no data are in it."""
        return all(atom.is_scalar for atom, _ in self.powers)


@dataclass(frozen=True)
class Expr:
    """A sum of terms with their factors; `shape` has the labels of each axis that is left."""

    terms: tuple[tuple[Term, float], ...]
    shape: tuple[Axes, ...] = ()

    @cached_property
    def key(self) -> str:
        """See `Atom.key`."""
        return "+".join(f"{factor:.12g}*{term.key}" for term, factor in self.terms)

    @property
    def is_scalar(self) -> bool:
        """Whether no data are in it."""
        return all(term.is_scalar for term, _ in self.terms)

    @property
    def number(self) -> float | None:
        """Its value where it is a plain number."""
        if not self.terms:
            return 0.0
        if len(self.terms) == 1 and not self.terms[0][0].powers:
            return self.terms[0][1]
        return None

    @property
    def single(self) -> tuple[Term, float] | None:
        """Its only term, if it has one."""
        return self.terms[0] if len(self.terms) == 1 else None

    def atoms(self, *, reduced: bool = True) -> Iterable[Atom]:
        """Yield every atom in it, those inside others too; inside reductions only if asked."""
        for term, _ in self.terms:
            for atom, _ in term.powers:
                yield atom
                if atom.kind == "reduced" and not reduced:
                    continue
                for part in atom.parts:
                    if isinstance(part, Expr):
                        yield from part.atoms(reduced=reduced)


def make(terms: Mapping[Term, float], shape: tuple[Axes, ...] = ()) -> Expr:
    """Return the expression of these terms, in a settled order and without zeros."""
    kept = [(term, factor) for term, factor in terms.items() if abs(factor) > 1e-300]
    if len(kept) > LARGEST:
        raise ExplorerError("This loss has more terms than can be followed; paste the loss alone.")
    return Expr(tuple(sorted(kept, key=lambda pair: pair[0].key)), shape)


def number(value: float) -> Expr:
    """Return a plain number."""
    return make({Term(()): float(value)})


ONE, ZERO = number(1.0), number(0.0)


def bare(expr: Expr) -> Expr:
    """Return the expression without its shape, as atoms hold it."""
    return Expr(expr.terms)


def shaped(expr: Expr, shape: tuple[Axes, ...]) -> Expr:
    """Return the expression with this shape."""
    return Expr(expr.terms, shape)


def of_atom(atom: Atom, shape: tuple[Axes, ...] = (), power: float = 1.0) -> Expr:
    """Return an atom as an expression."""
    return Expr(((Term(((atom, power),)), 1.0),), shape)


def add(left: Expr, right: Expr) -> Expr:
    """Return left + right."""
    terms = dict(left.terms)
    for term, factor in right.terms:
        terms[term] = terms.get(term, 0.0) + factor
        if abs(terms[term]) < 1e-12 * abs(factor):
            terms[term] = 0.0
    return make(terms, broadcast(left.shape, right.shape))


def scale(expr: Expr, factor: float) -> Expr:
    """Return factor · expr."""
    return make({term: factor * value for term, value in expr.terms}, expr.shape)


def subtract(left: Expr, right: Expr) -> Expr:
    """Return left − right."""
    return add(left, scale(right, -1.0))


def multiply(left: Expr, right: Expr) -> Expr:
    """Return left · right; the product of equal sums is a square."""
    shape = broadcast(left.shape, right.shape)
    if len(left.terms) > 1 and left.terms == right.terms:
        return power(left, 2.0)
    terms: dict[Term, float] = {}
    for one, first in left.terms:
        for other, second in right.terms:
            term = _times(one, other)
            terms[term] = terms.get(term, 0.0) + first * second
    return make(terms, shape)


def divide(left: Expr, right: Expr) -> Expr:
    """Return left / right."""
    return multiply(left, power(right, -1.0))


def power(expr: Expr, exponent: float) -> Expr:
    """Return expr ** exponent."""
    if exponent == 0:
        return ONE
    if exponent == 1:
        return expr
    if not expr.terms:
        return expr
    if expr.single is not None:
        return _power_of_term(expr, exponent)
    common, rest = factor_out(expr)
    if common is not None:
        return multiply(power(common, exponent), power(rest, exponent))
    lead = rest.terms[0][1]
    if exponent == 2 or lead > 0:
        rest = scale(rest, 1 / lead)
        outer = lead**2 if exponent == 2 else lead**exponent
    else:
        outer = 1.0
    if exponent == 2:
        return scale(function_of("square", rest, expr.shape), outer)
    return scale(of_atom(Atom("base", (bare(rest),), rest_axes(rest)), expr.shape, exponent), outer)


def factor_out(expr: Expr) -> tuple[Expr | None, Expr]:
    """Return the powers that all terms share (None where there are none), and what is left."""
    shared = dict(expr.terms[0][0].powers)
    for term, _ in expr.terms:
        if term.summed:
            return None, expr
        powers = dict(term.powers)
        shared = {atom: value for atom, value in shared.items() if powers.get(atom) == value}
    if not shared:
        return None, expr
    rest = {
        Term(tuple(pair for pair in term.powers if pair[0] not in shared)): factor
        for term, factor in expr.terms
    }
    common = make({Term(tuple(sorted(shared.items(), key=lambda pair: pair[0].key))): 1.0})
    return common, make(rest, expr.shape)


def rest_axes(expr: Expr) -> Axes:
    """Return the axes that an expression still varies over."""
    return NO_AXES.union(*(term.open for term, _ in expr.terms))


def wrap(expr: Expr) -> Expr:
    """Return the expression as one atom: something that was reduced and goes on being used."""
    return function_of("reduced", expr, expr.shape)


def absolute(expr: Expr) -> Expr:
    """Return |expr|; its sign and scale are outside."""
    if expr.number is not None:
        return number(abs(expr.number))
    lead = expr.terms[0][1]
    rest = scale(expr, 1 / lead)
    return scale(function_of("abs", rest, expr.shape), abs(lead))


def reduce(expr: Expr, positions: Iterable[int] | None, how: str, keep: bool = False) -> Expr:
    """Return the sum or the mean over the axes at these positions (None: all)."""
    count = len(expr.shape)
    chosen = set(range(count)) if positions is None else {p % count for p in positions if count}
    axes = NO_AXES.union(*(expr.shape[place] for place in chosen))
    shape = tuple(
        NO_AXES if place in chosen else labels
        for place, labels in enumerate(expr.shape)
        if keep or place not in chosen
    )
    terms: dict[Term, float] = {}
    for term, factor in expr.terms:
        powers = dict(term.powers)
        for axis in axes:
            size = Atom("size", (axis,))
            if how == "mean" and axis in term.open:
                powers[size] = powers.get(size, 0.0) - 1
            if how == "sum" and axis not in term.open:
                powers[size] = powers.get(size, 0.0) + 1
        new = Term(_sort(powers), term.summed | (axes & term.open))
        terms[new] = terms.get(new, 0.0) + factor
    return make(terms, shape)


def broadcast(left: tuple[Axes, ...], right: tuple[Axes, ...]) -> tuple[Axes, ...]:
    """Return the shape of left + right; a flattened tensor wins over one that is not."""
    if len(left) == len(right):
        return tuple(a or b for a, b in zip(left, right, strict=True))
    short, long = sorted((left, right), key=len)
    flattened = bool(short) and NO_AXES.union(*short) >= NO_AXES.union(*long)
    return short if flattened else long


def size_of(axes: Iterable[str]) -> Expr:
    """Return the product of these axes' sizes."""
    result = ONE
    for axis in sorted(axes):
        result = multiply(result, of_atom(Atom("size", (axis,))))
    return result


def function_of(kind: str, argument: Expr, shape: tuple[Axes, ...]) -> Expr:
    """Return a function of an expression that is kept as an atom."""
    return of_atom(Atom(kind, (bare(argument),), rest_axes(argument)), shape)


def _times(one: Term, other: Term) -> Term:
    """Return the product; a factor goes into a sum over axes along which it does not vary."""
    for summed, factor in ((one, other), (other, one)):
        if not factor.summed and not (factor.open & summed.summed):
            return Term(_join(summed.powers, factor.powers), summed.summed)
    return Term(_join(_closed(one), _closed(other)))


def _closed(term: Term) -> Powers:
    if not term.summed:
        return term.powers
    return ((Atom("reduced", (make({term: 1.0}),), term.open), 1.0),)


def _join(left: Powers, right: Powers) -> Powers:
    powers = dict(left)
    for atom, exponent in right:
        powers[atom] = powers.get(atom, 0.0) + exponent
    return _sort(powers)


def _sort(powers: Mapping[Atom, float]) -> Powers:
    kept = [(atom, exponent) for atom, exponent in powers.items() if abs(exponent) > 1e-12]
    return tuple(sorted(kept, key=lambda pair: pair[0].key))


def _power_of_term(expr: Expr, exponent: float) -> Expr:
    term, factor = expr.terms[0]
    if term.summed:
        return multiply(
            number(factor**exponent if factor > 0 or exponent == int(exponent) else 1.0),
            _unwrap(Atom("reduced", (make({term: 1.0}),), term.open), exponent, expr),
        )
    result = shaped(ONE, expr.shape)
    for atom, old in term.powers:
        new = old * exponent
        if atom.kind == "square" and new == 0.5:
            piece = absolute(atom.parts[0])
        elif atom.kind == "abs" and new == 2 and not atom.parts[0].single:
            piece = power(atom.parts[0], 2.0)
        elif atom.kind == "abs" and new == 2:
            piece = multiply(atom.parts[0], atom.parts[0])
        elif atom.kind == "reduced":
            piece = _unwrap(atom, new, expr)
        elif atom.kind == "base" and new in (1.0, 2.0):
            piece = power(atom.parts[0], new)
        else:
            piece = of_atom(atom, expr.shape, new)
        result = multiply(result, piece)
    if factor > 0 or exponent == int(exponent):
        return scale(result, factor**exponent)
    return of_atom(Atom("base", (bare(expr),), rest_axes(expr)), expr.shape, exponent)


def _unwrap(atom: Atom, exponent: float, expr: Expr) -> Expr:
    """Return what was reduced, to this power: as itself where that is 1."""
    return atom.parts[0] if exponent == 1 else of_atom(atom, expr.shape, exponent)
