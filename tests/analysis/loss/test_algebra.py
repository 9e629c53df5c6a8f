"""The algebra keeps values: what it rewrites is compared with NumPy, number by number."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.loss import algebra, functions
from explorer.analysis.loss.algebra import Atom, Expr, of_atom

B, K = frozenset({"B"}), frozenset({"K"})
SHAPE = (B, K)
RNG = np.random.default_rng(0)
VALUES = {name: RNG.uniform(0.2, 2.0, size=(4, 3)) for name in ("a", "b", "c")}
SIZES = {"B": 4, "K": 3}
FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "square": np.square,
    "abs": np.abs,
    "softplus": lambda v: np.log1p(np.exp(v)),
    "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    "base": lambda v: v,
    "reduced": lambda v: v,
}


def name(text):
    return of_atom(Atom("name", (text,), B | K), SHAPE)


def value_of(expr: Expr):
    """Evaluate an expression in NumPy: an array (B, K), (B, 1), (1, K) or a number."""
    total: Any = 0.0
    for term, factor in expr.terms:
        product: Any = factor
        for atom, exponent in term.powers:
            if atom.kind == "name":
                base: Any = VALUES[atom.parts[0]]
            elif atom.kind == "size":
                base = float(SIZES[atom.parts[0]])
            else:
                base = FUNCTIONS[atom.kind](value_of(atom.parts[0]))
            product = product * base**exponent
        for axis, place in (("B", 0), ("K", 1)):
            if axis in term.summed:
                product = product.sum(axis=place, keepdims=True)
        total = total + product
    return total


A, C = name("a"), name("b")
CASES = [
    (algebra.add(A, C), VALUES["a"] + VALUES["b"]),
    (algebra.subtract(A, A), 0.0),
    (algebra.multiply(algebra.add(A, C), algebra.add(A, C)), (VALUES["a"] + VALUES["b"]) ** 2),
    (algebra.divide(A, algebra.add(A, C)), VALUES["a"] / (VALUES["a"] + VALUES["b"])),
    (algebra.power(algebra.scale(A, -2.0), 2.0), 4 * VALUES["a"] ** 2),
    (algebra.power(algebra.power(algebra.subtract(A, C), 2.0), 0.5),
     np.abs(VALUES["a"] - VALUES["b"])),
    (algebra.power(algebra.divide(algebra.subtract(A, C), name("c")), 2.0),
     ((VALUES["a"] - VALUES["b"]) / VALUES["c"]) ** 2),
    (functions.exponential(functions.logarithm(algebra.power(A, 3.0))), VALUES["a"] ** 3),
    (functions.exponential(algebra.subtract(A, C)), np.exp(VALUES["a"] - VALUES["b"])),
    (functions.logarithm(algebra.scale(algebra.multiply(A, functions.exponential(C)), 2.0)),
     math.log(2) + np.log(VALUES["a"]) + VALUES["b"]),
    (functions.sigmoid(algebra.scale(A, -1.0)), 1 / (1 + np.exp(VALUES["a"]))),
    (functions.softplus(algebra.scale(A, -1.0)), np.log1p(np.exp(-VALUES["a"]))),
    (functions.logarithm(functions.sigmoid(A)), -np.log1p(np.exp(-VALUES["a"]))),
    (functions.logarithm(algebra.subtract(algebra.ONE, functions.sigmoid(A))),
     -np.log1p(np.exp(VALUES["a"]))),
    (functions.exponential(functions.logarithm(functions.sigmoid(A))),
     1 / (1 + np.exp(-VALUES["a"]))),
    (functions.logarithm(algebra.add(algebra.ONE, functions.exponential(A))),
     np.log1p(np.exp(VALUES["a"]))),
    (algebra.reduce(A, None, "mean"), VALUES["a"].mean()),
    (algebra.reduce(algebra.reduce(A, [1], "sum"), [0], "mean"), VALUES["a"].sum(1).mean()),
    (algebra.reduce(algebra.reduce(A, [-1], "mean"), None, "sum"), VALUES["a"].mean(1).sum()),
    (algebra.power(algebra.reduce(algebra.power(A, 2.0), None, "mean"), 0.5),
     np.sqrt((VALUES["a"] ** 2).mean())),
    (algebra.multiply(algebra.reduce(A, None, "sum"), algebra.reduce(C, None, "sum")),
     VALUES["a"].sum() * VALUES["b"].sum()),
    # A number beside an array is summed as often as the array has entries.
    (algebra.reduce(algebra.add(A, algebra.ONE), None, "sum"), VALUES["a"].sum() + 12),
    (algebra.reduce(algebra.add(algebra.reduce(A, [1], "sum"), algebra.ONE), None, "mean"),
     VALUES["a"].sum(1).mean() + 1),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(CASES)))
def test_values_are_kept(place):
    expr, wanted = CASES[place]
    np.testing.assert_allclose(np.squeeze(value_of(expr)), wanted, rtol=1e-12, atol=1e-12)


UNARY = [
    (functions.exponential, np.exp),
    (lambda e: algebra.power(e, 2.0), np.square),
    (lambda e: algebra.scale(e, -0.5), lambda v: -0.5 * v),
    (functions.softplus, lambda v: np.log1p(np.exp(v))),
    (functions.sigmoid, lambda v: 1 / (1 + np.exp(-v))),
    (algebra.absolute, np.abs),
]
BINARY = [
    (algebra.add, np.add),
    (algebra.subtract, np.subtract),
    (algebra.multiply, np.multiply),
]


@given(st.data())
def test_any_expression_keeps_its_value(data):
    pool = [(name(key), VALUES[key]) for key in VALUES]
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            ours, theirs = data.draw(st.sampled_from(UNARY))
            one, value = data.draw(st.sampled_from(pool))
            new = ours(one), theirs(value)
        else:
            ours, theirs = data.draw(st.sampled_from(BINARY))
            (one, left), (other, right) = (data.draw(st.sampled_from(pool)) for _ in range(2))
            new = ours(one, other), theirs(left, right)
        if not np.isfinite(new[1]).all() or np.abs(new[1]).max() > 50:
            break
        pool.append(new)
    expr, wanted = pool[-1]
    np.testing.assert_allclose(
        np.broadcast_to(value_of(expr), wanted.shape), wanted, rtol=1e-9, atol=1e-9
    )


def test_spellings_of_one_thing_are_one_expression():
    lv = name("a")
    std = functions.exponential(algebra.scale(lv, 0.5))
    assert algebra.power(std, 2.0) == functions.exponential(lv)
    assert functions.logarithm(algebra.power(std, 2.0)) == lv
    assert algebra.absolute(algebra.subtract(A, C)) == algebra.absolute(algebra.subtract(C, A))
    guarded = functions.logarithm(algebra.add(A, algebra.number(1e-8)))
    assert guarded == functions.logarithm(A)


def test_a_flattened_tensor_wins_and_sizes_multiply():
    whole = (B, frozenset({"C"}), frozenset({"H"}))
    flat = (B, frozenset({"C", "H"}))
    assert algebra.broadcast(whole, flat) == flat
    assert algebra.broadcast((), whole) == whole
    assert value_of(algebra.size_of({"B", "K"})) == 12
