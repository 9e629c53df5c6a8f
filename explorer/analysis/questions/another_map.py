"""Another seed, another map? What two trainings of one model agree on, dimension by dimension.

The objective does not care for the order and the sign of latents, and, where q's axes are free, for
a rotation. So a dimension is first matched with one of the other run (the assignment with the
largest summed |correlation|), and where that fails, read off all of them by least squares: what is
rotated is still there. What neither finds, the other run does not say, or not linearly.

Shapes: N images, K latents of the first run, L of the second.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.collapse.verdicts import VARIANCE_THRESHOLD
from explorer.errors import ExplorerError
from explorer.runs.run import Run

SAME = 0.9
"""|r|, and √R² of what is read off all dimensions, from which a dimension counts as found."""
FEWEST_IMAGES_PER_LATENT = 10
VERDICTS = ("same", "rotated", "partly", "different", "asleep")
"""same: every dimension in use has its match. rotated: every one is there, but for some it takes
several of the other's. partly: some are lost. different: none is found. asleep: there is nothing to
match."""


@dataclass(frozen=True)
class MatchedDimension:
    """One dimension of the first run: `state` is same, rotated, lost or asleep.

    `partner` is the other run's dimension with `correlation` r ± `error`; `explained` the share of
    its variance that all of the other's dimensions give by least squares.
    """

    index: int
    state: str
    partner: int | None
    correlation: float
    error: float
    explained: float


@dataclass(frozen=True)
class MapMatch:
    """A code of VERDICTS for the whole map, and what became of each dimension.

    `explained` is the share of all of the first run's variance that the other's codes give by least
    squares, `rotation` the share that one rotation gives (None where the runs differ in latents).
    """

    verdict: str
    dimensions: tuple[MatchedDimension, ...]
    explained: float
    rotation: float | None
    images: int

    def count(self, state: str) -> int:
        """Return how many dimensions are in a state."""
        return sum(dimension.state == state for dimension in self.dimensions)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [vars(dimension) for dimension in self.dimensions]
        return plain({**vars(self), "dimensions": rows})


def match_runs(run: Run, other: Run) -> MapMatch:
    """Return how `other`'s codes stand to `run`'s, on the images that both have stored.

    ExplorerError where they share too few.
    """
    first, second = run.codes(), other.codes()
    if first is None or second is None:
        raise ExplorerError("Both runs need stored codes: they are written when a training ends.")
    one, two = run.info.dataset, other.info.dataset
    if one is None or two is None or (one.pixels or one.name) != (two.pixels or two.name):
        raise ExplorerError("Maps are matched on the same images: these runs have different ones.")
    _, rows, others = np.intersect1d(first.ids, second.ids, return_indices=True)
    return match_maps(first.mean[rows], second.mean[others])


def match_maps(codes: ArrayLike, others: ArrayLike) -> MapMatch:
    """Return what of `codes` (N, K) the means `others` (N, L) of the same images agree on.

    >>> z = np.random.default_rng(0).normal(size=(500, 2))
    >>> match_maps(z, -z[:, ::-1]).verdict, match_maps(z, z @ [[0.6, 0.8], [-0.8, 0.6]]).verdict
    ('same', 'rotated')
    """
    a, b = as_array(codes), as_array(others)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        shapes = f"{a.shape}, {b.shape}"
        raise ExplorerError(f"Codes are (N, K) and (N, L) of the same images: {shapes}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ExplorerError("The codes hold NaN or infinite values.")
    if len(a) < FEWEST_IMAGES_PER_LATENT * (b.shape[1] + 1):
        raise ExplorerError(
            f"{len(a)} images that both have are too few: {b.shape[1]} latents take "
            f"{FEWEST_IMAGES_PER_LATENT * (b.shape[1] + 1)} at least."
        )
    a, b = a - a.mean(0), b - b.mean(0)
    r = _correlate(a, b)
    partners = _assign(r)
    explained = _explain(a, b)
    asleep = (a**2).mean(0) <= VARIANCE_THRESHOLD
    found = tuple(
        _judge(i, bool(asleep[i]), partners.get(i), r[i], float(explained[i]), len(a))
        for i in range(a.shape[1])
    )
    total = float((a**2).sum())
    whole = float(((a**2).sum(0) * explained).sum() / total) if total > 0 else 0.0
    return MapMatch(_sum_up(found), found, whole, _rotate(a, b), len(a))


def _judge(
    index: int, asleep: bool, partner: int | None, r: Floats, explained: float, count: int
) -> MatchedDimension:
    own = 0.0 if partner is None else float(r[partner])
    error = float((1 - own**2) / np.sqrt(count))
    if asleep:
        return MatchedDimension(index, "asleep", None, own, error, explained)
    if abs(own) >= SAME:
        state = "same"
    else:
        state = "rotated" if explained >= SAME**2 else "lost"
    return MatchedDimension(index, state, partner, own, error, explained)


def _sum_up(dimensions: tuple[MatchedDimension, ...]) -> str:
    states = [dimension.state for dimension in dimensions if dimension.state != "asleep"]
    if not states:
        return "asleep"
    if "lost" not in states:
        return "rotated" if "rotated" in states else "same"
    return "different" if set(states) == {"lost"} else "partly"


def _correlate(a: Floats, b: Floats) -> Floats:
    """Return r (K, L), 0 where a dimension does not move."""
    scale = np.sqrt((a**2).mean(0))[:, None] * np.sqrt((b**2).mean(0))
    cross = a.T @ b / len(a)
    return np.where(scale > 1e-12, cross / np.maximum(scale, 1e-12), 0.0)


def _assign(r: Floats) -> dict[int, int]:
    rows: NDArray[np.int64]
    rows, columns = linear_sum_assignment(-np.abs(r))
    return dict(zip(rows.tolist(), columns.tolist(), strict=True))


def _explain(a: Floats, b: Floats) -> Floats:
    """Return R² (K,) of each column of a by least squares on all of b, both centred."""
    solution = np.linalg.lstsq(b, a, rcond=1e-9)[0]
    left, total = ((a - b @ solution) ** 2).sum(0), (a**2).sum(0)
    return np.where(total > 1e-12, 1 - left / np.maximum(total, 1e-12), 0.0)


def _rotate(a: Floats, b: Floats) -> float | None:
    """Return the share of a's variance that b gives after the best rotation or reflection.

    With singular values s of bᵀa, ‖a − bQ‖² is ‖a‖² + ‖b‖² − 2Σs (Schönemann 1966).
    """
    total = float((a**2).sum())
    if a.shape != b.shape or total <= 0:
        return None
    overlap = float(np.linalg.svd(b.T @ a, compute_uv=False).sum())
    return (2 * overlap - float((b**2).sum())) / total
