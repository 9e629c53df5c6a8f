"""What stands in front of a term: a number, sizes, names without one, and its annealing."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from explorer.analysis.loss.algebra import Atom, Expr, Powers

LATE = 1e12
"""The step at which an annealed weight is read: long after any warm-up."""
UNBOUNDED = 1e9

Sizes = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Weight:
    """A factor at the end of training; `value` is None where a name has no number.

    `sizes` are powers of the sizes B, C, H, W, D, K; `unknown` the names without a number;
    `scale` the number σ of a fixed likelihood and `scale_power` its power in front of the term
    (not part of `value`; None: none given).
    `annealing` is none, warm-up or cyclical.
    """

    value: float | None
    sizes: Sizes = ()
    unknown: tuple[str, ...] = ()
    annealing: str = "none"
    scale: float | None = None
    scale_power: float = 0.0


class _Unknown(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def weigh(powers: Powers, factor: float) -> Weight:
    """Return what factor · powers is at the end of training."""
    value: float | None = factor
    sizes: dict[str, float] = {}
    unknown: list[str] = []
    annealing, scale, scale_power = "none", None, 0.0
    for atom, exponent in powers:
        if atom.kind == "size":
            sizes[atom.parts[0]] = sizes.get(atom.parts[0], 0.0) + exponent
            continue
        if atom.kind == "scale":
            scale, scale_power = atom.parts[0], exponent
            continue
        annealing = _later(annealing, schedule_of(atom))
        try:
            number = _power_of(atom, exponent, late=False)
            if not math.isfinite(number) or abs(number) > UNBOUNDED:
                raise _Unknown(_name_of(atom))
        except (_Unknown, OverflowError, ZeroDivisionError) as error:
            unknown.append(getattr(error, "name", "") or _name_of(atom))
            continue
        if value is not None:
            value *= number
    kept = tuple(sorted((axis, power) for axis, power in sizes.items() if power))
    return Weight(None if unknown else value, kept, tuple(unknown), annealing, scale, scale_power)


def schedule_of(atom: Atom) -> str:
    """Return whether an atom changes while training: none, warm-up or cyclical."""
    kinds = [atom, *(a for part in atom.parts if isinstance(part, Expr) for a in part.atoms())]
    found = "none"
    for one in kinds:
        if one.kind == "time":
            found = _later(found, "cyclical" if one.parts[0] == "cycle" else "warm-up")
        if one.kind == "schedule":
            cyclic = "cycl" in str(one.parts[0]).lower()
            found = _later(found, "cyclical" if cyclic else "warm-up")
    return found


def _later(one: str, other: str) -> str:
    order = ("none", "warm-up", "cyclical")
    return max(one, other, key=order.index)


def _value_of(atom: Atom, late: bool) -> float:
    """Return a scalar atom's value late in training; names inside schedules count as 1."""
    if atom.kind == "time":
        return LATE
    if atom.kind == "schedule":
        return float(atom.parts[1])
    if atom.kind == "scale":
        return float(atom.parts[0])
    if atom.kind in ("symbol", "size"):
        if late:
            return 1.0
        raise _Unknown(str(atom.parts[0]))
    if atom.kind in ("min", "max"):
        return _extreme(atom, late)
    late = late or schedule_of(atom) != "none"
    inner = evaluate(atom.parts[0], late)
    function = _FUNCTIONS.get(atom.kind)
    return inner if function is None else function(inner)


def _extreme(atom: Atom, late: bool) -> float:
    """min(step/N, β) ends at β, whatever N is."""
    timed = [_has_time(part) for part in atom.parts]
    if timed[0] != timed[1]:
        moving, still = (0, 1) if timed[0] else (1, 0)
        end = evaluate(atom.parts[moving], True)
        try:
            bound = evaluate(atom.parts[still], late)
        except _Unknown:
            grows = end > 0
            if grows == (atom.kind == "min"):
                raise
            return end
        return min(end, bound) if atom.kind == "min" else max(end, bound)
    values = [evaluate(part, late) for part in atom.parts]
    return min(values) if atom.kind == "min" else max(values)


def _has_time(expr: Expr) -> bool:
    return any(atom.kind in ("time", "schedule") for atom in expr.atoms())


def evaluate(expr: Expr, late: bool = False) -> float:
    """Return a scalar expression's value late in training."""
    late = late or _has_time(expr)
    total = 0.0
    for term, factor in expr.terms:
        product = factor
        for atom, exponent in term.powers:
            product *= _power_of(atom, exponent, late)
        total += product
    return total


def _power_of(atom: Atom, exponent: float, late: bool) -> float:
    if atom.kind == "exp":
        inner = evaluate(atom.parts[0], late or schedule_of(atom) != "none")
        return math.exp(max(min(exponent * inner, 700.0), -700.0))
    base = _value_of(atom, late)
    if base == 0 and exponent < 0:
        return math.inf
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": _exp,
    "log": lambda v: math.log(v) if v > 0 else -math.inf,
    "square": lambda v: v * v,
    "abs": abs,
    "sigmoid": lambda v: 1 / (1 + _exp(-v)),
    "tanh": math.tanh,
    "softplus": lambda v: v if v > 30 else math.log1p(_exp(v)),
    "relu": lambda v: max(v, 0.0),
    "cos": lambda v: -1.0,
    "sin": lambda v: 1.0,
}
"""A cosine schedule ends at its last turn, where the cosine is −1."""


def _name_of(atom: Atom) -> str:
    if isinstance(atom.parts[0], str):
        return atom.parts[0]
    names = [
        str(a.parts[0])
        for part in atom.parts
        if isinstance(part, Expr)
        for a in part.atoms()
        if isinstance(a.parts[0], str)
    ]
    return names[0] if names else atom.kind
