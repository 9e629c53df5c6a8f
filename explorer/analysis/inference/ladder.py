"""What more samples buy: the L-sample ELBO estimate, and the importance-weighted ladder.

From the same draws z_l ~ q(z|x), w_l = p(x, z_l)/q(z_l|x): the mean of the log w_l estimates the
ELBO for every L, with a spread that falls as 1/√L; the log of the mean of the w_l is a bound that
climbs with K towards log p(x) (Burda et al. 2015, Theorem 1).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.checks import Floats
from explorer.analysis.inference.likelihood import ESS_LIMIT, PARETO_LIMIT, summarise_weights
from explorer.errors import ExplorerError

COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
REPLICATES = 200
"""Estimates per rung, where the draws suffice."""
REPEATED = 10
"""Estimates of the top rung."""
DRAWING_COST, FEWEST_DRAWS = 3e10, 1000
"""Multiply-adds that decoding the draws may take, or else the fewest: seconds on a laptop."""


@dataclass(frozen=True)
class Rung:
    """Independent repetitions, R of them, of both estimates from `samples` draws each; nats.

    `elbo` and `ladder` (R,) are the single estimates.
    """

    samples: int
    elbo: Floats
    ladder: Floats

    @property
    def elbo_mean(self) -> tuple[float, float]:
        """Mean of the ELBO estimates and its standard error."""
        return _mean_error(self.elbo)

    @property
    def ladder_mean(self) -> tuple[float, float]:
        """Mean of the importance-weighted estimates and its standard error."""
        return _mean_error(self.ladder)

    @property
    def spread(self) -> float:
        """Standard deviation of one ELBO estimate."""
        return float(self.elbo.std(ddof=1))


@dataclass(frozen=True)
class Draw:
    """One importance-weighted estimate and whether to believe it; nats.

    `ess_share` is ESS/K, `pareto_k` NaN below 100 samples; `flags` names what is wrong: "ess",
    "pareto", "few" (too few samples for k̂).
    """

    elbo: float
    log_px: float
    error: float
    ess_share: float
    pareto_k: float
    flags: tuple[str, ...]


def plan_ladder(cost: float) -> tuple[tuple[int, ...], int]:
    """Return the rungs of a ladder, and its draws, where decoding one takes `cost` multiply-adds.

    >>> plan_ladder(1e5)[1], plan_ladder(1e9)
    (50000, ((1, 2, 5, 10, 20, 50, 100), 1000))
    """
    draws = int(np.clip(DRAWING_COST / cost, FEWEST_DRAWS, REPEATED * max(COUNTS)))
    return tuple(count for count in COUNTS if REPEATED * count <= draws), draws


def climb(log_weights: Floats, counts: Sequence[int] = COUNTS) -> list[Rung]:
    """Return a rung per count from log weights (S,), each from its own disjoint groups of draws.

    ExplorerError unless S holds two groups of the largest count.
    """
    if len(log_weights) < 2 * max(counts):
        raise ExplorerError(
            f"A ladder up to {max(counts)} samples needs {2 * max(counts)} draws; "
            f"there are {len(log_weights)}."
        )
    rungs = []
    for count in counts:
        groups = min(REPLICATES, len(log_weights) // count)
        values = log_weights[: groups * count].reshape(groups, count)
        top = values.max(1)
        mean_weight = np.exp(values - top[:, None]).mean(1)
        rungs.append(Rung(count, values.mean(1), np.log(mean_weight) + top))
    return rungs


def judge_draw(log_weights: Floats) -> Draw:
    """Return the estimate from log weights (K,), with the flags that tell where not to trust it."""
    log_px, error, ess, pareto_k, elbo = (
        float(part[0]) for part in summarise_weights(log_weights[None])
    )
    share = ess / len(log_weights)
    flags = [
        name
        for name, raised in (
            ("ess", share < ESS_LIMIT),
            ("pareto", pareto_k > PARETO_LIMIT),
            ("few", math.isnan(pareto_k)),
        )
        if raised
    ]
    return Draw(elbo, log_px, error, share, pareto_k, tuple(flags))


def _mean_error(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
