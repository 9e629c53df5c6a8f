"""Where the rate goes: Hoffman and Johnson's split by the full-data estimator.

R = E_x KL(q(z|x)‖p(z)) = I(n; z) + TC + Σ_j KL(q(z_j)‖p(z_j)), with q(z) = (1/N) Σ_n q(z|x_n)
(Hoffman and Johnson 2016; Chen et al. 2018, Eq. 2). log q(z) is evaluated with all N components,
log q(z) = logsumexp_n log q(z|x_n) − ln N: minibatch-weighted sampling is a training gradient,
never a figure to show. I(n; z) ≤ ln N.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, check_codes, plain
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.codes import kl_of_codes

LN_2PI = math.log(2 * math.pi)
COMPONENTS, CHUNK_VALUES = 16_384, 4_000_000
"""Of a million codes the weights of all at once would be read anew for every four draws."""
SMALLEST_EXPONENT = -80.0
"""Under the largest it adds nothing to a sum of millions; below e^-87 float32 is slow."""
SAFE_QUADRATIC = 1e9
"""Largest μ²/σ² for which expanding (z − μ)²/σ² keeps six digits in float64."""
MAX_SAMPLES, MIN_SAMPLES = 10_000, 1000
MAX_PAIRS = 1e9
"""Draws times components: a quarter of a minute on one core. The standard errors say the rest."""
STREAM = 0x1F0
"""Keeps our noise apart from codes that a caller drew from default_rng(seed) themselves."""
STEPS_PER_SD = 4
"""Spline nodes per smallest posterior sd, for the one-dimensional mixtures."""


@dataclass(frozen=True)
class Information:
    """Nats per image. `*_error` are standard errors of the Monte-Carlo average over codes.

    `ceiling` is ln N, the most that the estimator can show; `saturated` says that the mutual
    information lies within half a nat of it, so that more images would show more.
    `mutual_information_per_dim` (K,) is I(n; z_j) = KL_j − KL(q(z_j)‖p(z_j)).
    """

    rate: float
    rate_error: float
    mutual_information: float
    mutual_information_error: float
    total_correlation: float
    total_correlation_error: float
    dimension_wise_kl: float
    dimension_wise_kl_error: float
    dimension_wise_kl_per_dim: Floats
    mutual_information_per_dim: Floats
    mutual_information_per_dim_error: Floats
    ceiling: float
    saturated: bool
    images: int
    samples: int

    @property
    def marginal_kl(self) -> float:
        """KL(q(z)‖p(z)) = TC + Σ_j KL(q(z_j)‖p(z_j)): the aggregated posterior and the prior."""
        return self.total_correlation + self.dimension_wise_kl

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        return plain({**vars(self), "marginal_kl": self.marginal_kl})


def decompose_rate(
    mean: ArrayLike | Tensor,
    logvar: ArrayLike | Tensor,
    *,
    samples: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Information:
    """Return the split of the rate of codes mean, logvar (N, K).

    `samples` codes are drawn, one from each of so many images (default: N, at most 10,000, and of
    more than 100,000 images fewer, down to 1000), each scored under all N components. What a
    draw's noise explains of each average is regressed out (its expectation under q(z|x) is known),
    which narrows the errors. Raises ExplorerError for codes that are empty, unequal, not finite or
    absurd, and Stopped when `stop()` answers True.

    >>> rng = np.random.default_rng(0)
    >>> info = decompose_rate(rng.normal(0, 0.5**0.5, (2000, 1)), np.full((2000, 1), np.log(0.5)))
    >>> bool(abs(info.mutual_information - 0.5 * np.log(2)) < 0.03)
    True
    """
    mu, lv = check_codes(mean, logvar)
    images, latents = mu.shape
    count = min(images, samples or choose_samples(images))
    rng = np.random.default_rng([seed, STREAM])
    chosen = np.arange(images) if count == images else rng.choice(images, count, replace=False)
    noise = rng.standard_normal((count, latents))
    z = mu[chosen] + np.exp(0.5 * lv[chosen]) * noise

    watch = Watch(progress, stop)
    own = -0.5 * (noise**2 + lv[chosen] + LN_2PI)
    prior = -0.5 * (z**2 + LN_2PI)
    marginal = np.empty((count, latents))
    for j in range(latents):
        watch.check(0.5 * j / latents)
        marginal[:, j] = log_mixture_1d(z[:, j], mu[:, j], lv[:, j])
    # For K = 1 the joint is the marginal.
    joint = marginal[:, 0] if latents == 1 else log_aggregate(z, mu, lv, watch=watch.part(0.5, 1.0))

    kl = kl_of_codes(mu, lv)
    rate = kl.sum(1)
    # Zero-mean controls: each draw's log q(z|x) and log p(z) less their expectations under q(z|x).
    own_excess = own + 0.5 * (1 + lv[chosen] + LN_2PI)
    prior_excess = prior + 0.5 * (mu[chosen] ** 2 + np.exp(lv[chosen]) + LN_2PI)
    controls = np.stack([own_excess.sum(1), prior_excess.sum(1)], 1)
    mutual = _controlled_mean(own.sum(1) - joint, controls)
    correlation = _controlled_mean(joint - marginal.sum(1), controls)
    dimension_wise = _controlled_mean((marginal - prior).sum(1), controls)
    per_dim, information_per_dim, information_error = [], [], []
    for j in range(latents):
        own_controls = np.stack([own_excess[:, j], prior_excess[:, j]], 1)
        per_dim.append(_controlled_mean(marginal[:, j] - prior[:, j], own_controls)[0])
        value, error = _controlled_mean(own[:, j] - marginal[:, j], own_controls)
        information_per_dim.append(value)
        information_error.append(error)
    watch.report(1.0)
    ceiling = math.log(images)
    return Information(
        rate=float(rate.mean()),
        rate_error=standard_error(rate),
        mutual_information=mutual[0],
        mutual_information_error=mutual[1],
        total_correlation=correlation[0],
        total_correlation_error=correlation[1],
        dimension_wise_kl=dimension_wise[0],
        dimension_wise_kl_error=dimension_wise[1],
        dimension_wise_kl_per_dim=np.array(per_dim),
        mutual_information_per_dim=np.array(information_per_dim),
        mutual_information_per_dim_error=np.array(information_error),
        ceiling=ceiling,
        saturated=bool(mutual[0] > ceiling - 0.5),
        images=images,
        samples=count,
    )


def choose_samples(images: int) -> int:
    """Return how many codes are drawn where nobody says it.

    >>> [choose_samples(images) for images in (500, 100_000, 400_000, 10_000_000)]
    [500, 10000, 2500, 1000]
    """
    return min(images, MAX_SAMPLES, max(MIN_SAMPLES, int(MAX_PAIRS / images)))


def log_aggregate(z: Floats, mean: Floats, logvar: Floats, watch: Watch | None = None) -> Floats:
    """Return log q(z) of the aggregated posterior at z (M, K), shape (M,), from all N codes.

    The squares are expanded into one matrix product; where that would cancel (σ tiny beside |μ|)
    they are formed directly.
    """
    watch = watch or Watch()
    result = np.full(len(z), -np.inf)
    for start in range(0, len(mean), COMPONENTS):
        block = slice(start, start + COMPONENTS)
        _add_components(result, z, mean[block], logvar[block])
        watch.check(min(1.0, (start + COMPONENTS) / len(mean)))
    return result - math.log(len(mean))


def _add_components(result: Floats, z: Floats, mean: Floats, logvar: Floats) -> None:
    """Add the densities of some components at z (M, K) to `result` (M,), all as logarithms."""
    latents = mean.shape[1]
    precision = np.exp(-logvar)
    constant = -0.5 * (logvar.sum(1) + latents * LN_2PI)
    expand = max((mean**2).max(), (z**2).max()) * precision.max() < SAFE_QUADRATIC
    if expand:
        weights = np.concatenate([-0.5 * precision, precision * mean], 1).T
        constant = constant - 0.5 * (precision * mean**2).sum(1)
    step = max(1, CHUNK_VALUES // len(mean))
    for start in range(0, len(z), step):
        rows = slice(start, start + step)
        part = z[rows]
        if expand:
            exponent = np.concatenate([part**2, part], 1) @ weights
            exponent += constant
        else:
            exponent = np.repeat(constant[None], len(part), 0)
            for j in range(latents):
                exponent -= 0.5 * (part[:, j, None] - mean[:, j]) ** 2 * precision[:, j]
        result[rows] = np.logaddexp(result[rows], _logsumexp_rows(exponent))


def log_mixture_1d(z: Floats, mean: Floats, logvar: Floats) -> Floats:
    """Return log (1/N) Σ_n N(z; mean_n, e^logvar_n) at z (M,), shape (M,).

    Where the mixture is smooth on the scale of M points, it is evaluated on a grid of
    STEPS_PER_SD nodes per smallest sd and read off between them (error < 1e-4); otherwise at every
    point.
    """
    low, high = float(z.min()), float(z.max())
    step = math.exp(0.5 * logvar.min()) / STEPS_PER_SD
    nodes = int(min(1e9, (high - low) / step)) + 2
    if nodes + 8 >= len(z):
        return _log_mixture_at(z, mean, logvar)
    grid = np.linspace(low - 4 * step, high + 4 * step, nodes + 8)
    return _read_between(_log_mixture_at(grid, mean, logvar), (z - grid[0]) / (grid[1] - grid[0]))


def _read_between(values: Floats, places: Floats) -> Floats:
    """Return values (G,) of evenly spaced nodes at places (M,), counted in nodes, shape (M,).

    Through the eight nodes around each place (Lagrange), of which four lie on either side.
    """
    first = np.floor(places).astype(np.int64) - 3
    rest = places - first
    found = np.zeros(len(places))
    for node in range(8):
        weight = np.ones(len(places))
        for other in range(8):
            if other != node:
                weight *= (rest - other) / (node - other)
        found += weight * values[first + node]
    return found


def standard_error(values: Floats) -> float:
    """Return the standard error of the mean of values (N,); 0 for a single one."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _log_mixture_at(z: Floats, mean: Floats, logvar: Floats) -> Floats:
    half_precision = -0.5 * np.exp(-logvar)
    constant = -0.5 * (logvar + LN_2PI) - math.log(len(mean))
    result = np.full(len(z), -np.inf)
    for first in range(0, len(mean), COMPONENTS):
        block = slice(first, first + COMPONENTS)
        step = max(1, CHUNK_VALUES // len(mean[block]))
        for start in range(0, len(z), step):
            rows = slice(start, start + step)
            exponent = z[rows, None] - mean[block]
            np.square(exponent, out=exponent)
            exponent *= half_precision[block]
            exponent += constant[block]
            result[rows] = np.logaddexp(result[rows], _logsumexp_rows(exponent))
    return result


def _logsumexp_rows(exponent: NDArray[np.float64]) -> Floats:
    """Return logsumexp over the last axis; overwrites `exponent`. fp32 after the maximum is off."""
    top = exponent.max(1)
    if not np.isfinite(top).all():
        return np.asarray(np.logaddexp.reduce(exponent, axis=1))
    exponent -= top[:, None]
    np.maximum(exponent, SMALLEST_EXPONENT, out=exponent)
    scaled = exponent.astype(np.float32)
    np.exp(scaled, out=scaled)
    return top + np.log(scaled.sum(1, dtype=np.float64))


def _controlled_mean(values: Floats, controls: Floats) -> tuple[float, float]:
    """Return mean and standard error of values (M,) given zero-mean controls (M, C).

    Least squares takes out what the controls explain (control variates); with too few samples
    the plain mean stays.
    """
    count = len(values)
    if count < 20:
        return float(values.mean()), standard_error(values)
    centred = controls - controls.mean(0)
    slope = np.linalg.lstsq(centred, values - values.mean(), rcond=None)[0]
    adjusted = values - controls @ slope
    return float(adjusted.mean()), standard_error(adjusted)
