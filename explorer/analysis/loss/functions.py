"""Logarithms, exponentials and their kin, brought to one form."""

import math

from explorer.analysis.loss.algebra import (
    ONE,
    ZERO,
    Atom,
    Expr,
    add,
    function_of,
    make,
    multiply,
    number,
    of_atom,
    power,
    scale,
    shaped,
    subtract,
)

NUMERIC_GUARD = 2e-3
"""A constant up to here beside a variance or a probability keeps it from zero and means nothing."""


def exponential(expr: Expr) -> Expr:
    """Return exp(expr)."""
    special = _undo_softplus(expr)
    if special is not None:
        return shaped(special, expr.shape)
    result = shaped(ONE, expr.shape)
    for term, factor in expr.terms:
        if not term.powers:
            result = scale(result, math.exp(min(factor, 700.0)))
            continue
        atom, exponent = term.powers[0]
        if len(term.powers) == 1 and exponent == 1 and atom.kind == "log" and not term.summed:
            result = multiply(result, power(atom.parts[0], factor))
            continue
        inner = make({term: 1.0})
        result = multiply(result, of_atom(Atom("exp", (inner,), term.open), expr.shape, factor))
    return result


def logarithm(expr: Expr) -> Expr:
    """Return log(expr), the argument taken as positive; a numeric guard beside it is dropped."""
    expr = without_guard(expr)
    if expr.number is not None:
        return number(math.log(expr.number)) if expr.number > 0 else ZERO
    if expr.single is not None:
        term, factor = expr.single
        if factor > 0 and not term.summed:
            result = shaped(number(math.log(factor)), expr.shape)
            for atom, exponent in term.powers:
                result = add(result, scale(_log_of_atom(atom), exponent))
            return result
    plus_one = _one_and(expr)
    if plus_one is not None:
        atom, exponent, sign = plus_one
        if sign > 0 and atom.kind == "exp":
            return softplus(shaped(scale(atom.parts[0], exponent), expr.shape))
        if sign < 0 and atom.kind == "sigmoid" and exponent == 1:
            return scale(softplus(shaped(atom.parts[0], expr.shape)), -1.0)
    return function_of("log", expr, expr.shape)


def without_guard(expr: Expr) -> Expr:
    """Return the expression without the tiny constant that keeps it from zero."""
    if len(expr.terms) < 2:
        return expr
    kept = {}
    for term, factor in expr.terms:
        if not term.powers and abs(factor - round(factor)) <= NUMERIC_GUARD:
            factor = float(round(factor))  # 1 − p + 1e-8 is 1 − p.
        kept[term] = factor
    return make(kept, expr.shape)


def softplus(expr: Expr) -> Expr:
    """Return the logarithm of 1 + exp(expr); for −l that is softplus less l."""
    if expr.terms and expr.terms[0][1] < 0:
        return add(softplus(scale(expr, -1.0)), expr)
    return function_of("softplus", expr, expr.shape)


def sigmoid(expr: Expr) -> Expr:
    """Return the logistic function; that of −l is written by that of l."""
    if expr.terms and expr.terms[0][1] < 0:
        return subtract(ONE, sigmoid(scale(expr, -1.0)))
    return function_of("sigmoid", expr, expr.shape)


def _log_of_atom(atom: Atom) -> Expr:
    if atom.kind == "exp":
        inner: Expr = atom.parts[0]
        return inner
    if atom.kind == "sigmoid":
        return subtract(atom.parts[0], softplus(atom.parts[0]))
    if atom.kind in ("base", "reduced"):
        return of_atom(Atom("log", (atom.parts[0],), atom.axes))
    return of_atom(Atom("log", (of_atom(atom),), atom.axes))


def _one_and(expr: Expr) -> tuple[Atom, float, float] | None:
    """Return the atom, its power and its sign where the expression is 1 ± atom."""
    if len(expr.terms) != 2:
        return None
    constant = [factor for term, factor in expr.terms if not term.powers]
    others = [(term, factor) for term, factor in expr.terms if len(term.powers) == 1]
    if constant != [1.0] or len(others) != 1 or abs(others[0][1]) != 1 or others[0][0].summed:
        return None
    atom, exponent = others[0][0].powers[0]
    return atom, exponent, others[0][1]


def _undo_softplus(expr: Expr) -> Expr | None:
    """Return sigmoid(l) for l − softplus(l), and 1 − sigmoid(l) for −softplus(l)."""
    for term, factor in expr.terms:
        if factor == -1 and len(term.powers) == 1 and term.powers[0][0].kind == "softplus":
            inner = term.powers[0][0].parts[0]
            rest = add(expr, make({term: 1.0}))
            if rest.terms == inner.terms:
                return sigmoid(inner)
            if not rest.terms:
                return subtract(ONE, sigmoid(inner))
    return None
