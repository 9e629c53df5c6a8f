"""Entropy, cross-entropy and KL of normal distributions, in closed form and in nats.

For p = N(m, S) and q = N(n, T) in d dimensions, with Δ = m − n:

    H(p)    = ½ [d (1 + ln 2π) + ln det S]
    H(p, q) = ½ [d ln 2π + ln det T + tr(T⁻¹S) + ΔᵀT⁻¹Δ]
    KL(p‖q) = H(p, q) − H(p) = ½ [tr(T⁻¹S) + ΔᵀT⁻¹Δ − d + ln(det T / det S)]
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from explorer.analysis.checks import Floats, as_array
from explorer.errors import ExplorerError

LN_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Gaussian:
    """N(mean, covariance): arrays (d,) and (d, d); numbers stand for one dimension."""

    mean: Floats
    covariance: Floats

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        centre = np.atleast_1d(as_array(mean))
        spread = np.atleast_2d(as_array(covariance))
        d = centre.shape[0]
        if centre.ndim != 1 or spread.shape != (d, d):
            raise ExplorerError(
                f"A normal in {d} dimensions needs a {d} × {d} covariance; this one is "
                f"{' × '.join(map(str, spread.shape))}."
            )
        if not (np.isfinite(centre).all() and np.isfinite(spread).all()):
            raise ExplorerError("A normal's mean and covariance must be finite.")
        if not np.allclose(spread, spread.T) or np.linalg.eigvalsh(spread).min() <= 0:
            raise ExplorerError("A covariance must be symmetric, with all variances above 0.")
        object.__setattr__(self, "mean", centre)
        object.__setattr__(self, "covariance", spread)

    @property
    def dimensions(self) -> int:
        """Return d."""
        return len(self.mean)

    def density(self, points: ArrayLike) -> Floats:
        """Return the density at points (M, d), or (M,) in one dimension, shape (M,)."""
        x = as_array(points).reshape(-1, self.dimensions) - self.mean
        squared = (x * np.linalg.solve(self.covariance, x.T).T).sum(1)
        return np.exp(-0.5 * (squared + self.dimensions * LN_2PI + log_det(self.covariance)))


def entropy(p: Gaussian) -> float:
    """Return H(p) in nats; negative where p is narrow, for it is that of a density."""
    return 0.5 * (p.dimensions * (1 + LN_2PI) + log_det(p.covariance))


def cross_entropy(p: Gaussian, q: Gaussian) -> float:
    """Return H(p, q) = −E_p[ln q] in nats; p and q are of one and the same variable."""
    return 0.5 * (p.dimensions * LN_2PI + log_det(q.covariance) + _distance(p, q))


def kl_divergence(p: Gaussian, q: Gaussian) -> float:
    """Return KL(p‖q) in nats, at least 0, and 0 where p = q.

    >>> round(kl_divergence(Gaussian(1.0, 1.0), Gaussian(0.0, 1.0)), 6)
    0.5
    """
    determinants = log_det(q.covariance) - log_det(p.covariance)
    return 0.5 * (_distance(p, q) - p.dimensions + determinants)


@dataclass(frozen=True)
class KlTerms:
    """½ (μ² + σ² − 1 − ln σ²), term by term, in nats; μ and σ are relative to the prior's."""

    place: float
    """½ μ²: what it costs to lie elsewhere than the prior."""
    width: float
    """½ σ²."""
    one: float
    """−½."""
    log_width: float
    """−½ ln σ²: what it costs to be sure; negative where σ > 1."""

    @property
    def spread(self) -> float:
        """½ (σ² − 1 − ln σ²), at least 0: what it costs to be surer or vaguer than the prior."""
        return self.width + self.one + self.log_width

    @property
    def total(self) -> float:
        """The KL, `place` + `spread`."""
        return self.place + self.spread


def kl_terms(mean: float, sd: float, prior_mean: float = 0.0, prior_sd: float = 1.0) -> KlTerms:
    """Return the terms of KL(N(mean, sd²)‖N(prior_mean, prior_sd²)), one dimension of a VAE's KL.

    >>> kl_terms(1.0, 1.0)
    KlTerms(place=0.5, width=0.5, one=-0.5, log_width=0.0)
    """
    values = (mean, sd, prior_mean, prior_sd)
    if not all(map(math.isfinite, values)) or min(sd, prior_sd) <= 0:
        raise ExplorerError(f"Each σ must be above 0 and each μ finite; they are {values}.")
    ratio = sd / prior_sd
    return KlTerms(
        0.5 * ((mean - prior_mean) / prior_sd) ** 2, 0.5 * ratio**2, -0.5, 0.0 - math.log(ratio)
    )


def kl_integrand(p: Gaussian, q: Gaussian, points: ArrayLike) -> Floats:
    """Return p(x) ln(p(x)/q(x)) at points (M,), the curve whose area is KL(p‖q); it dips below 0.

    Both have one dimension.
    """
    x = as_array(points)
    (m,), ((s,),), (n,), ((t,),) = p.mean, p.covariance, q.mean, q.covariance
    log_ratio = 0.5 * (math.log(t / s) + (x - n) ** 2 / t - (x - m) ** 2 / s)
    return p.density(x) * log_ratio


def log_det(matrix: Floats) -> float:
    """Return ln det of a positive definite matrix."""
    return float(np.linalg.slogdet(matrix)[1])


def _distance(p: Gaussian, q: Gaussian) -> float:
    """Return tr(T⁻¹S) + ΔᵀT⁻¹Δ."""
    if p.dimensions != q.dimensions:
        raise ExplorerError(
            f"Only distributions of one and the same variable compare: these have "
            f"{p.dimensions} and {q.dimensions} dimensions."
        )
    shift = p.mean - q.mean
    outer = p.covariance + np.outer(shift, shift)
    return float(np.trace(np.linalg.solve(q.covariance, outer)))
