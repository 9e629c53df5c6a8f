"""Which likelihood and which KL stand in a sum of terms, whatever its spelling.

Terms that carry the same weight and were summed over the same axes are looked at together. What is
found is taken out, with its factor; what is left over is not understood.
"""

from collections.abc import Iterator
from dataclasses import replace

from explorer.analysis.loss.algebra import (
    NO_AXES,
    Atom,
    Axes,
    Expr,
    Powers,
    Term,
    add,
    bare,
    factor_out,
    make,
    multiply,
    scale,
)
from explorer.analysis.loss.finders import Found, Polynomial, match
from explorer.analysis.loss.names import guess_role


def find_parts(loss: Expr) -> list[Found]:
    """Return the parts of a loss; constants are left out, since they change no gradient."""
    groups: dict[tuple[Powers, Axes, tuple[str, ...]], Polynomial] = {}
    axes: dict[tuple[Powers, Axes, tuple[str, ...]], Axes] = {}
    loose: list[Found] = []
    for weight, data, summed, factor, flags in _flat_terms(loss):
        if not data and not flags:
            strange = sorted(
                str(a.parts[0])
                for a, _ in weight
                if a.kind == "symbol" and guess_role(str(a.parts[0])) is None
            )
            if strange:
                loose.append(Found("term:unknown", factor, text=", ".join(strange)))
        if data:
            key = (weight, summed, flags)
            open_axes = NO_AXES.union(*(atom.axes for atom, _ in data))
            axes[key] = axes.get(key, NO_AXES) | open_axes
            group = groups.setdefault(key, {})
            group[data] = group.get(data, 0.0) + factor
    parts = loose
    for (weight, summed, flags), terms in groups.items():
        for found in match(terms):
            parts.append(
                replace(
                    found,
                    weight=weight,
                    summed=summed,
                    flags=(*found.flags, *flags),
                    left=axes[weight, summed, flags] - summed,
                )
            )
    return _join_across(_merge_weights(parts))


def _merge_weights(parts: list[Found]) -> list[Found]:
    """Make one of parts that differ in their weight alone, as (1 − α)·KL is two terms."""
    same: dict[Found, list[Found]] = {}
    for found in parts:
        same.setdefault(replace(found, factor=0.0, weight=()), []).append(found)
    merged = []
    for alike in same.values():
        if len(alike) == 1:
            merged += alike
            continue
        total = make({})
        for found in alike:
            total = add(total, make({Term(found.weight): found.factor}))
        if not total.terms:
            continue
        if total.single is not None:
            term, factor = total.single
            merged.append(replace(alike[0], factor=factor, weight=term.powers))
            continue
        common, rest = factor_out(total)
        outside = () if common is None else common.terms[0][0].powers
        weight = (*outside, (Atom("base", (bare(rest),)), 1.0))
        merged.append(replace(alike[0], factor=1.0, weight=weight))
    return merged


def _flat_terms(
    loss: Expr,
    factor: float = 1.0,
    weight: Powers = (),
    summed: Axes = NO_AXES,
    flags: tuple[str, ...] = (),
) -> Iterator[tuple[Powers, Powers, Axes, float, tuple[str, ...]]]:
    """Yield (weight, data, summed, factor, flags); free bits, capacities and reductions opened."""
    for term, value in loss.terms:
        scalars = tuple(pair for pair in term.powers if pair[0].is_scalar)
        data = tuple(pair for pair in term.powers if not pair[0].is_scalar)
        total = _product(weight, scalars)
        inner = _opened(data)
        if inner is not None:
            expr, flag = inner
            more = (*flags, flag) if flag else flags
            yield from _flat_terms(expr, factor * value, total, summed | term.summed, more)
        else:
            yield total, data, summed | term.summed, factor * value, flags


def _opened(data: Powers) -> tuple[Expr, str] | None:
    """Return what a single floor, distance or reduction holds, if it holds a KL or a sum."""
    if len(data) != 1 or data[0][1] != 1:
        return None
    atom = data[0][0]
    if atom.kind == "reduced":
        return atom.parts[0], ""
    if atom.kind == "floor" and holds_kl(atom.parts[0]):
        return atom.parts[0], "free_bits"
    if atom.kind in ("abs", "relu") and holds_kl(atom.parts[0]):
        inner: Expr = atom.parts[0]
        constant = any(term.is_scalar for term, _ in inner.terms)
        return _kl_upwards(inner), "capacity" if constant else ""
    return None


def _kl_upwards(inner: Expr) -> Expr:
    """Return what stands in |KL − C| with the KL's sign positive."""
    parts = [found for found in find_parts(inner) if found.kind.startswith("kl")]
    return scale(inner, -1.0) if parts and parts[0].factor < 0 else inner


def holds_kl(expr: Expr) -> bool:
    """Return whether an expression has a KL in it, spelt out or by name."""
    if expr.is_scalar:
        return False
    return any(found.kind.startswith("kl") for found in find_parts(expr))


def _product(left: Powers, right: Powers) -> Powers:
    one, other = make({Term(left): 1.0}), make({Term(right): 1.0})
    return multiply(one, other).terms[0][0].powers


def _join_across(parts: list[Found]) -> list[Found]:
    """A learned scale's logarithm may carry other axes than its error: it belongs to it still."""
    spreads = {
        atom
        for found in parts
        if "scaled" in found.flags
        for atom in found.pieces[-1].atoms()
        if atom.kind == "name"
    }
    joined, learned = [], False
    for found in parts:
        if found.kind.startswith("term:") and found.pieces == () and spreads:
            if set(found.text.split(", ")) <= {str(atom.parts[0]) for atom in spreads}:
                learned = True
                continue
        joined.append(found)
    if not learned:
        return joined
    return [
        replace(found, flags=("learned",)) if "scaled" in found.flags else found for found in joined
    ]
