"""Models in one dimension whose p(x) is known: z ~ N(0, 1), x|z ~ N(μ(z), σ²(z)); nats.

Integrals over z are trapezoidal sums over ±REACH, which for smooth integrands that vanish at both
ends are exact to rounding (Trefethen and Weideman 2014).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from explorer.analysis.checks import Floats, as_array
from explorer.analysis.teaching.gaussians import (
    Gaussian,
    entropy,
    kl_divergence,
    kl_terms,
)
from explorer.errors import ExplorerError

Curve = Callable[[Floats], Floats]
REACH = 9.0
NODES = 1201
MAX_CODES = 100_000
PRIOR = Gaussian(0.0, 1.0)


@dataclass(frozen=True)
class ToyModel:
    """A decoder of one latent and one pixel: the curves μ(z) and σ(z)."""

    mean: Curve
    sd: Curve

    def likelihood(self, x: ArrayLike, z: ArrayLike) -> Floats:
        """Return p(x|z), (X, Z), for points x (X,) and codes z (Z,)."""
        points, codes = as_array(x), as_array(z)
        sd = self.sd(codes)
        scaled = (points[:, None] - self.mean(codes)) / sd
        return np.exp(-0.5 * scaled**2) / (sd * math.sqrt(2 * math.pi))

    def density(self, x: ArrayLike) -> Floats:
        """Return p(x) = ∫ p(x|z) p(z) dz, (X,), by quadrature."""
        z = _nodes()
        return self.likelihood(x, z) @ (PRIOR.density(z) * (z[1] - z[0]))

    def mixture(self, x: ArrayLike, z: ArrayLike) -> Floats:
        """Return the mean of p(x|z_k), (X,): the mixture of the codes z (Z,), equal weights."""
        return self.likelihood(x, z).mean(1)

    def unweighted(self, x: ArrayLike, reach: float) -> Floats:
        """Return ∫ p(x|z) dz over ±reach, (X,): with p(z) left out it has the area 2·reach."""
        z = np.linspace(-reach, reach, NODES)
        weights = np.full(NODES, z[1] - z[0])
        weights[[0, -1]] /= 2
        return self.likelihood(x, z) @ weights


def bent_toy() -> ToyModel:
    """Return a toy with a density that no single Gaussian resembles: a narrow and a broad heap."""
    return ToyModel(
        mean=lambda z: 2.0 * np.tanh(1.6 * z) + 0.35 * z,
        sd=lambda z: 0.24 + 0.4 / (1 + np.exp(-2.0 * z)),
    )


def spread_codes(count: int) -> Floats:
    """Return `count` codes, (count,), each at the middle of an equal share of N(0, 1)."""
    _check_count(count)
    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])


def draw_codes(count: int, seed: int) -> Floats:
    """Return `count` codes (count,) drawn from N(0, 1)."""
    _check_count(count)
    return np.random.default_rng(seed).standard_normal(count)


def misplaced(first: ArrayLike, second: ArrayLike, step: float) -> float:
    """Return ½ ∫ |f − g|: the share of probability that lies elsewhere (total variation), 0 to 1.

    Both densities are given at the same points, `step` apart.
    """
    return 0.5 * step * float(np.abs(as_array(first) - as_array(second)).sum())


@dataclass(frozen=True)
class LinearToy:
    """x|z ~ N(slope·z, noise²): all of it in closed form. The data are its own p(x)."""

    slope: float = 1.0
    noise: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.noise) and self.noise > 0):
            raise ExplorerError("A linear toy needs a finite slope and noise above 0.")

    @property
    def marginal(self) -> Gaussian:
        """p(x) = N(0, slope² + noise²)."""
        return Gaussian(0.0, self.slope**2 + self.noise**2)

    @property
    def joint(self) -> Gaussian:
        """p(x, z), two dimensions."""
        return Gaussian(
            [0.0, 0.0], [[self.slope**2 + self.noise**2, self.slope], [self.slope, 1.0]]
        )

    def posterior(self, x: float) -> Gaussian:
        """Return p(z|x)."""
        precision = 1 + self.slope**2 / self.noise**2
        return Gaussian(self.slope * x / self.noise**2 / precision, 1 / precision)

    def as_toy(self) -> ToyModel:
        """Return the same decoder as curves."""
        return ToyModel(lambda z: self.slope * z, lambda z: np.full_like(z, self.noise))


@dataclass(frozen=True)
class LinearEncoder:
    """q(z|x) = N(slope·x, sd²)."""

    slope: float
    sd: float

    def posterior(self, x: float) -> Gaussian:
        """Return q(z|x)."""
        return Gaussian(self.slope * x, self.sd**2)


@dataclass(frozen=True)
class ThreeWays:
    """The ELBO of one x three ways, each number on a path of its own; nats.

    `log_px` and `elbo` are integrals over z; `reconstruction`, `kl` and `gap` are closed forms, as
    are `joint_kl` = KL(p̃(x)q(z|x)‖p(x,z)), `entropy` = H(p̃) and `loss`, the mean of
    reconstruction + KL over p̃(x).
    """

    log_px: float
    elbo: float
    reconstruction: float
    kl: float
    gap: float
    joint_kl: float
    entropy: float
    loss: float

    @property
    def residual(self) -> float:
        """The largest disagreement between the three lines' two sides."""
        return max(
            abs(self.elbo + self.gap - self.log_px),
            abs(self.elbo + self.reconstruction + self.kl),
            abs(self.joint_kl + self.entropy - self.loss),
        )


def measure_three_ways(toy: LinearToy, encoder: LinearEncoder, x: float) -> ThreeWays:
    """Return every number of the ELBO's three derivations for one x, and of the joint KL.

    Jensen: log p(x) = ln E_q[p(x,z)/q] ≥ E_q[ln p(x,z)/q]. Exact: log p(x) = ELBO +
    KL(q‖p(z|x)). Joint: KL(p̃(x)q(z|x)‖p(x,z)) = −H(p̃) + E_p̃[reconstruction + KL].
    """
    q = encoder.posterior(x)
    prior_nodes = _nodes()
    step = float(prior_nodes[1] - prior_nodes[0])
    likelihood = np.exp(_log_normal(x, toy.slope * prior_nodes, toy.noise))
    # The average over q on nodes of its own: it may be wider than the prior.
    z = encoder.slope * x + encoder.sd * prior_nodes
    log_joint = _log_normal(x, toy.slope * z, toy.noise) + _log_normal(z, 0.0, 1.0)
    log_ratio = log_joint - _log_normal(z, encoder.slope * x, encoder.sd)
    data = toy.marginal
    variance = float(data.covariance[0, 0])
    # The joint of data and encoder is normal too.
    slope = encoder.slope
    encoded = Gaussian(
        [0.0, 0.0],
        [
            [variance, slope * variance],
            [slope * variance, slope**2 * variance + encoder.sd**2],
        ],
    )
    return ThreeWays(
        log_px=math.log(float(likelihood @ PRIOR.density(prior_nodes)) * step),
        elbo=float(q.density(z) @ log_ratio) * encoder.sd * step,
        reconstruction=_reconstruction(toy, encoder, x**2),
        kl=kl_terms(encoder.slope * x, encoder.sd).total,
        gap=kl_divergence(q, toy.posterior(x)),
        joint_kl=kl_divergence(encoded, toy.joint),
        entropy=entropy(data),
        loss=_reconstruction(toy, encoder, variance)
        + kl_terms(encoder.slope * math.sqrt(variance), encoder.sd).total,
    )


def _reconstruction(toy: LinearToy, encoder: LinearEncoder, square: float) -> float:
    """Return −E_q[log p(x|z)] for x² = `square`, or its mean where `square` is E[x²]."""
    miss = (1 - toy.slope * encoder.slope) ** 2 * square + (toy.slope * encoder.sd) ** 2
    return 0.5 * math.log(2 * math.pi * toy.noise**2) + miss / (2 * toy.noise**2)


def _log_normal(value: Floats | float, mean: Floats | float, sd: float) -> Floats:
    scaled = (np.asarray(value) - mean) / sd
    return -0.5 * scaled**2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def _nodes() -> Floats:
    return np.linspace(-REACH, REACH, NODES)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_CODES:
        raise ExplorerError(f"A mixture has 1 to {MAX_CODES:,} parts; {count} were asked for.")
