"""Which dimension of a code follows which column: numbers by ranks, words by class means.

A column of numbers is matched by Spearman's ρ (Spearman 1904), one of words or labels by η², the
share of a dimension's variance that lies between the classes (Fisher 1925). Either is held against
a permutation null of the largest value over all dimensions (Westfall and Young 1993): the p value
of a dimension allows for having looked at all of them, not for having looked at several columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.watch import Watch
from explorer.errors import ExplorerError

PERMUTATIONS = 499
PERMUTED_ITEMS, PERMUTED_VALUES, FEWEST_PERMUTED = 5000, 300_000, 200
"""Items that are permuted, evenly spread: the p value is theirs, the value that of all items."""
MOST_DIMENSIONS = 2000
"""Of wider codes the dimensions that vary most are matched."""
LISTED = 3
FEWEST_ITEMS = 10
SIGNIFICANT = 0.01
STREAM = 0xC01
MISSING = ("", "–", "nan", "NaN", "None", "NA", "<NA>")
"""Words that stand for no value."""


@dataclass(frozen=True)
class Match:
    """A dimension and how it follows a column: signed ρ or η², its p corrected for all of them."""

    index: int
    value: float
    p: float


@dataclass(frozen=True)
class ColumnMatch:
    """One column: its best dimensions, the best first.

    `measure` is rho for numbers, eta2 for words; `items` have a value, and of those `permuted` made
    the null. `best` is empty where the column cannot be matched: constant, or too few values.
    """

    name: str
    measure: str
    best: tuple[Match, ...]
    items: int
    permuted: int

    @property
    def passing(self) -> tuple[Match, ...]:
        """The dimensions with p < .01."""
        return tuple(match for match in self.best if match.p < SIGNIFICANT)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        best = [vars(match) for match in self.best]
        return plain({**vars(self), "best": best, "passes": bool(self.passing)})


def match_columns(
    mean: ArrayLike,
    columns: Mapping[str, NDArray[Any]],
    *,
    items: NDArray[np.int64] | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> tuple[ColumnMatch, ...]:
    """Return how the dimensions of means (N, K) follow each column (N,), in the columns' order.

    Words may be any strings; what is NaN or an empty word is left out of its column. `items` (N,)
    says which item each row is of where several are of one (the positions of a grid): the means of
    an item are then averaged, since only items can be exchanged. ExplorerError for a column of
    another length.

    >>> z = np.random.default_rng(0).normal(size=(500, 3))
    >>> found, = match_columns(z, {"age": np.exp(z[:, 1])})
    >>> found.best[0]
    Match(index=1, value=1.0, p=0.002)
    """
    watch = watch or Watch()
    mu = as_array(mean)
    for name, column in columns.items():
        if column.shape != (len(mu),):
            raise ExplorerError(f"{name} is {column.shape}, not one value for each of {len(mu):,}.")
    if items is not None and len(items):
        mu, first = _average(mu, items)
        columns = {name: column[first] for name, column in columns.items()}
    kept = np.sort(np.argsort(-mu.var(0), kind="stable")[:MOST_DIMENSIONS])
    mu = mu[:, kept]
    cache: dict[bytes, _Codes] = {}
    found = []
    for done, (name, column) in enumerate(columns.items()):
        watch.check(done / len(columns))
        numbers, words = _read(column)
        known = numbers >= 0 if words else np.isfinite(numbers)
        key = np.packbits(known).tobytes()
        if key not in cache:
            cache = {key: _Codes(mu[known], seed)}
        found.append(_match(name, numbers[known], words, cache[key], kept))
    watch.report(1.0)
    return tuple(found)


class _Codes:
    """The codes of items that have a value, scaled once for all columns that are whole there."""

    def __init__(self, mu: Floats, seed: int) -> None:
        count = len(mu)
        most = min(PERMUTED_ITEMS, max(FEWEST_PERMUTED, PERMUTED_VALUES // mu.shape[1]))
        self.chosen = np.linspace(0, count - 1, min(count, most)).astype(int)
        self.mu = mu
        self.by_measure: dict[bool, tuple[Floats, Floats]] = {}
        rng = np.random.default_rng([seed, STREAM])
        order = np.tile(np.arange(len(self.chosen)), (PERMUTATIONS, 1))
        self.orders = rng.permuted(order, axis=1)

    def scaled(self, words: bool) -> tuple[Floats, Floats]:
        """Return values (for words) or ranks of all items and of the permuted ones, unit length."""
        if words not in self.by_measure:
            some = self.mu[self.chosen]
            pair = (self.mu, some) if words else (_ranks(self.mu), _ranks(some))
            self.by_measure[words] = (_unit(pair[0]), _unit(pair[1]))
        return self.by_measure[words]


def _match(
    name: str, column: Floats, words: bool, codes: _Codes, kept: NDArray[np.int64]
) -> ColumnMatch:
    measure = "eta2" if words else "rho"
    permuted = len(codes.chosen)
    none = ColumnMatch(name, measure, (), len(column), permuted)
    some = column[codes.chosen]
    if len(column) < FEWEST_ITEMS or (some == some[0]).all():
        return none
    whole, part = codes.scaled(words)
    measured, null_of = (_eta_squared, _eta_null) if words else (_rho, _rho_null)
    values, held = measured(column, whole), measured(some, part)
    null = null_of(some, part, codes.orders)
    order = np.argsort(-np.abs(values), kind="stable")[:LISTED]
    best = []
    for index in order:
        beyond = int((null >= abs(held[index]) - 1e-9).sum())
        best.append(Match(int(kept[index]), float(values[index]), (1 + beyond) / (1 + len(null))))
    return ColumnMatch(name, measure, tuple(best), len(column), permuted)


def _rho(column: Floats, ranks: Floats) -> Floats:
    return np.clip(_unit(_ranks(column[:, None]))[:, 0] @ ranks, -1, 1)


def _rho_null(column: Floats, ranks: Floats, orders: NDArray[np.int64]) -> Floats:
    own = _unit(_ranks(column[:, None]))[:, 0]
    result: Floats = np.abs(own[orders] @ ranks).max(1)
    return result


def _eta_squared(classes: Floats, unit: Floats) -> Floats:
    between = _between(classes)
    return np.minimum(between(unit), 1)


def _eta_null(classes: Floats, unit: Floats, orders: NDArray[np.int64]) -> Floats:
    between = _between(classes)
    return np.array([between(unit[order]).max() for order in orders])


def _between(classes: Floats) -> Callable[[Floats], Floats]:
    """Return Σ_c (Σ_{n in c} z_n)²/N_c as a function of z (N, K), which is η² for unit z."""
    order = np.argsort(classes, kind="stable")
    _, starts, counts = np.unique(classes[order], return_index=True, return_counts=True)

    def measure(unit: Floats) -> Floats:
        sums = np.add.reduceat(unit[order], starts, axis=0)
        result: Floats = (sums**2 / counts[:, None]).sum(0)
        return result

    return measure


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0), dtype=np.float64)


def _unit(values: Floats) -> Floats:
    """Return columns centred and of length 1; constant ones are 0."""
    if not len(values):
        return values
    centred = values - values.mean(0)
    length = np.sqrt((centred**2).sum(0))
    constant = (values.max(0) == values.min(0)) | (length == 0)
    result: Floats = np.where(constant, 0.0, centred / np.where(constant, 1, length))
    return result


def _read(column: NDArray[Any]) -> tuple[Floats, bool]:
    """Return a column as numbers, and whether they number words (then −1 stands for none)."""
    if column.dtype.kind in "fiub":
        return column.astype(np.float64), False
    names, numbers = np.unique(column.astype(str), return_inverse=True)
    missing = np.isin(names, MISSING)
    return np.where(missing[numbers], -1, numbers).astype(np.float64).reshape(-1), True


def _average(mu: Floats, items: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the mean of each item's rows, and where each item first stands."""
    values, first, back = np.unique(items, return_index=True, return_inverse=True)
    if len(values) == len(mu):
        return mu, np.arange(len(mu))
    order = np.argsort(back.reshape(-1), kind="stable")
    counts = np.bincount(back.reshape(-1))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.add.reduceat(mu[order], starts, axis=0) / counts[:, None], first
