"""Whether codes follow the prior N(0, I): a finding of its own, beside collapse.

Per dimension the mean and the total variance of the aggregate q(z_j) are held against 0 and 1, and
jointly KL(q(z)‖p(z)) and its total correlation. Whether a difference is a fault depends on the use
of the codes: it matters where the prior is sampled, is a matter of scale for diffusion on top, and
none for embedding and clustering. Until a use is told no remedy is given.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.collapse.verdicts import FEWEST_IMAGES
from explorer.errors import ExplorerError

MARGIN = 0.1
"""Of mean and total variance: below that a dimension's difference costs under .01 nats."""
ERRORS = 3.0
"""A dimension is off where it is beyond the margin by so many standard errors.

Of these the larger counts, that of the codes or the one that codes of the prior would have: few
codes that happen to lie close have too small an error of their own.
"""
JOINT_NATS = 0.5
USES = ("sampling", "diffusion", "embedding")
DEPENDS = (
    "Whether that is a fault depends on the use: it is one for sampling from the prior, a matter "
    "of scale and shift for diffusion on the codes, and none for embedding or clustering."
)
REMEDIES = {
    "sampling": (
        "Samples from N(0, I) miss where the codes are. Train with a larger β, with a mixture as "
        "the prior, or fit a density to these codes and sample from that."
    ),
    "diffusion": (
        "Diffusion needs codes of about mean 0 and standard deviation 1: use "
        "(z − {shift:.4g}) · {scale:.4g}, with one scale and shift for all dimensions."
    ),
    "embedding": "For embedding or clustering this is no fault: nothing is to be mended.",
}


@dataclass(frozen=True)
class PriorDimension:
    """Mean and total variance Var μ + E σ² of q(z_j), which N(0, 1) has at 0 and 1.

    `*_error` are standard errors over items. `moments_kl` is KL(N(mean, variance)‖N(0, 1)) in nats,
    what these two alone tell. Of means alone the total variance is None. `off` names what differs.
    """

    index: int
    mean: float
    mean_error: float
    total_variance: float | None
    total_variance_error: float | None
    moments_kl: float | None
    off: tuple[str, ...]


@dataclass(frozen=True)
class Joint:
    """What is known of all dimensions together: total correlation and KL(q(z)‖p(z)) in nats.

    With `saturated` they are at most that.
    """

    total_correlation: float
    marginal_kl: float
    error: float
    saturated: bool


def read_joint(diagnosis: Mapping[str, Any]) -> Joint | None:
    """Return what a diagnosis, as its `to_dict` writes it, knows of all dimensions together."""
    if diagnosis.get("marginal_kl") is None:
        return None
    error = math.hypot(diagnosis["total_correlation_error"], diagnosis["dimension_wise_kl_error"])
    return Joint(
        total_correlation=diagnosis["total_correlation"],
        marginal_kl=diagnosis["marginal_kl"],
        error=error,
        saturated=diagnosis["mutual_information_saturated"],
    )


@dataclass(frozen=True)
class PriorMatch:
    """The finding. `state` is follows, off, unknown (means alone, which cannot tell) or few.

    `marginal_kl` is KL(q(z)‖p(z)) in nats per item and `total_correlation` its part between
    dimensions, None where unknown; with `saturated` they are at most that, since the estimator
    ends at ln N. `joint_off` says that it exceeds half a nat by three errors, where each dimension
    may be right. `scale` and `shift` bring all values to standard deviation 1 and mean 0.
    """

    state: str
    dimensions: tuple[PriorDimension, ...]
    total_correlation: float | None
    marginal_kl: float | None
    marginal_kl_error: float | None
    saturated: bool | None
    joint_off: bool
    scale: float | None
    shift: float
    use: str | None

    @property
    def off(self) -> tuple[PriorDimension, ...]:
        """The dimensions that do not follow the prior."""
        return tuple(dimension for dimension in self.dimensions if dimension.off)

    @property
    def remedy(self) -> str | None:
        """What to do for the use that was told; None where none was, or nothing is off."""
        if self.use is None or self.state != "off":
            return None
        if self.use == "diffusion" and self.scale is None:
            return "Diffusion needs scale and shift of the samples, which means alone do not give."
        return REMEDIES[self.use].format(shift=self.shift, scale=self.scale or math.nan)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `depends_on` is said before any remedy."""
        values = {key: value for key, value in vars(self).items() if key != "dimensions"}
        return plain(
            {
                **values,
                "depends_on": DEPENDS if self.state == "off" else None,
                "remedy": self.remedy,
                "off": [dimension.index for dimension in self.off],
                "dimensions": [vars(dimension) for dimension in self.dimensions],
            }
        )


def match_prior(
    mean: ArrayLike,
    logvar: ArrayLike | None,
    *,
    joint: Joint | None = None,
    items: NDArray[np.int64] | None = None,
    use: str | None = None,
) -> PriorMatch:
    """Return how codes mean, logvar (N, K) follow N(0, I); logvar None for means alone.

    `items` (N,) says which rows are of one item (positions of a grid), for the errors. `use` is
    sampling, diffusion or embedding. ExplorerError for another use.

    >>> z = np.random.default_rng(0).normal(1.0, 0.6, (2000, 1))
    >>> match_prior(z, np.full((2000, 1), np.log(0.64))).dimensions[0].off
    ('mean',)
    """
    check_use(use)
    mu = as_array(mean)
    variance = None if logvar is None else np.exp(as_array(logvar))
    average = mu.mean(0)
    squares = (mu - average) ** 2 + (0.0 if variance is None else variance)
    total = squares.mean(0)
    mean_error, total_error = _error(mu, items), _error(squares, items)
    count = len(mu) if items is None else len(np.unique(items))
    due = np.maximum(1 - (0.0 if variance is None else variance.mean(0)), 0) * np.ones(mu.shape[1])
    off = _find_off(
        average,
        np.maximum(mean_error, np.sqrt(due / count)),
        total,
        np.maximum(total_error, due * math.sqrt(2 / count)),
        variance is not None,
    )
    dimensions = tuple(
        PriorDimension(
            index=j,
            mean=float(average[j]),
            mean_error=float(mean_error[j]),
            total_variance=None if variance is None else float(total[j]),
            total_variance_error=None if variance is None else float(total_error[j]),
            moments_kl=None if variance is None else _moments_kl(average[j], total[j]),
            off=off[j],
        )
        for j in range(mu.shape[1])
    )
    joint_off = (
        joint is not None
        and not joint.saturated
        and joint.marginal_kl - ERRORS * joint.error > JOINT_NATS
    )
    spread = float(np.sqrt(total.mean() + average.var()))
    return PriorMatch(
        state="off" if joint_off or any(off) else _unmoved_state(count, variance is not None),
        dimensions=dimensions,
        total_correlation=None if joint is None else joint.total_correlation,
        marginal_kl=None if joint is None else joint.marginal_kl,
        marginal_kl_error=None if joint is None else joint.error,
        saturated=None if joint is None else joint.saturated,
        joint_off=joint_off,
        scale=1 / spread if variance is not None and spread > 0 else None,
        shift=float(average.mean()),
        use=use,
    )


def _unmoved_state(count: int, has_spread: bool) -> str:
    """Return what is found of codes none of which is off."""
    if count < FEWEST_IMAGES:
        return "few"
    return "follows" if has_spread else "unknown"


def check_use(use: str | None) -> None:
    """Raise ExplorerError for a use that is none of `USES`."""
    if use is not None and use not in USES:
        raise ExplorerError(f"The use is {', '.join(USES[:-1])} or {USES[-1]}, not {use!r}.")


def _find_off(
    mean: Floats, mean_error: Floats, total: Floats, total_error: Floats, whole: bool
) -> list[tuple[str, ...]]:
    """Return what is off of each dimension; of means alone the variance can only be too large."""
    excess = np.abs(total - 1) if whole else total - 1
    shifted = np.abs(mean) - MARGIN > ERRORS * mean_error
    spread = excess - MARGIN > ERRORS * total_error
    return [
        (*["mean"] * bool(one), *["variance"] * bool(other))
        for one, other in zip(shifted, spread, strict=True)
    ]


def _moments_kl(mean: float, variance: float) -> float:
    return float(0.5 * (mean**2 + variance - 1 - math.log(variance)))


def _error(values: Floats, items: NDArray[np.int64] | None) -> Floats:
    """Return standard errors of the columns' means, over items where several rows are of one."""
    count = len(values)
    if items is not None:
        names, back = np.unique(items, return_inverse=True)
        if len(names) < count:
            sums = np.zeros((len(names), values.shape[1]))
            np.add.at(sums, back.reshape(-1), values - values.mean(0))
            return np.asarray(np.sqrt((sums**2).sum(0)) / count)
    if count < 2:
        return np.full(values.shape[1], np.inf)
    return np.asarray(values.std(0, ddof=1) / np.sqrt(count))
