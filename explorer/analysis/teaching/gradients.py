"""Two ways to the gradient of E_q[f(z)], q = N(μ, σ²): with reparameterisation and without.

With it z = μ + σε, ε ~ N(0, 1), and the gradient goes through f: ∂/∂μ f(μ + σε) = f′(z) and
∂/∂σ = f′(z)·ε (Kingma and Welling 2014, Sect. 2.4). Without it f is only looked at, and the draw's
own log-density is differentiated: f(z)·∂log q(z)/∂μ = f(z)·ε/σ and f(z)·(ε² − 1)/σ (the score
function, Williams 1992). Where f is a polynomial, both are polynomials in ε, so that their means
and variances are known exactly from the moments of the standard normal. The means are the same
number; the variances are not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from explorer.analysis.checks import Floats
from explorer.errors import ExplorerError

ESTIMATORS = ("pathwise", "score")
PARAMETERS = ("mean", "sigma")
STREAM = 0x6A4D


@dataclass(frozen=True)
class GradientEstimator:
    """One draw's gradient as a polynomial in ε ~ N(0, 1), with its exact mean and variance."""

    polynomial: Polynomial
    mean: float
    variance: float

    def draw(self, samples: int, repeats: int, seed: int = 0) -> Floats:
        """Return `repeats` estimates (R,), each the average of `samples` draws."""
        if samples < 1 or repeats < 1:
            raise ExplorerError("An estimate needs at least one draw.")
        rng = np.random.default_rng([seed, STREAM, samples])
        values = self.polynomial(rng.standard_normal((repeats, samples)))
        return np.asarray(values.mean(1), dtype=np.float64)

    def spread(self, samples: int) -> float:
        """Return the standard deviation of an average of `samples` draws."""
        return math.sqrt(self.variance / samples)


def square() -> Polynomial:
    """Return f(z) = z²: E_q[f] = μ² + σ², so ∂/∂μ = 2μ and ∂/∂σ = 2σ.

    >>> estimate_gradient(square(), 1.5, 0.5, "pathwise", "mean").mean
    3.0
    """
    return Polynomial([0.0, 0.0, 1.0])


def log_likelihood(x: float, sigma2: float) -> Polynomial:
    """Return f(z) = log p(x|z) of the decoder p(x|z) = N(z, σ_x²): a VAE's reconstruction term.

    `x` is the one number that is seen, `sigma2` the decoder's variance; f in nats.

    >>> round(float(log_likelihood(2.0, 1.0)(2.0)), 6)
    -0.918939
    """
    if not sigma2 > 0:
        raise ExplorerError(f"A decoder's variance is a number above 0; it is {sigma2!r}.")
    constant = -0.5 * math.log(2 * math.pi * sigma2)
    residual = Polynomial([-x, 1.0])
    return constant - residual * residual / (2 * sigma2)


def estimate_gradient(
    f: Polynomial, mean: float, sigma: float, estimator: str, parameter: str
) -> GradientEstimator:
    """Return an estimator of the gradient of E_q[f(z)] by q's mean or standard deviation.

    `estimator` is pathwise (reparameterised) or score, `parameter` mean or sigma.

    >>> with_it, without = (estimate_gradient(square(), 1.0, 1.0, e, "mean") for e in ESTIMATORS)
    >>> with_it.mean == without.mean, with_it.variance, without.variance
    (True, 4.0, 30.0)
    """
    if estimator not in ESTIMATORS or parameter not in PARAMETERS:
        raise ExplorerError(f"No estimator {estimator!r} of the gradient by {parameter!r}.")
    if not (math.isfinite(mean) and math.isfinite(sigma) and sigma > 0):
        raise ExplorerError("q needs a finite mean and a standard deviation above 0.")
    noise = Polynomial([0.0, 1.0])
    z = Polynomial([mean, sigma])
    if estimator == "pathwise":
        found = f.deriv()(z) * (1 if parameter == "mean" else noise)
    else:
        found = f(z) * (noise if parameter == "mean" else noise * noise - 1) / sigma
    first = normal_moment(found)
    return GradientEstimator(found, first, normal_moment((found - first) ** 2))


def normal_moment(polynomial: Polynomial) -> float:
    """Return E[p(ε)] for ε ~ N(0, 1): Σ c_n E[εⁿ], where E[εⁿ] is (n − 1)!! for even n, else 0.

    >>> normal_moment(Polynomial([0, 0, 1, 0, 1]))
    4.0
    """
    coefficients: Any = polynomial.coef
    return float(
        sum(c * math.prod(range(n - 1, 0, -2)) for n, c in enumerate(coefficients) if n % 2 == 0)
    )


def measure_spread(
    found: GradientEstimator, counts: Sequence[int], repeats: int = 1000, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the variance of averages of each number of draws and its standard error, (C,) each.

    Measured over `repeats` averages; the error is from the averages' fourth moment.
    """
    values, errors = [], []
    for count in counts:
        squares = (found.draw(count, repeats, seed) - found.mean) ** 2
        values.append(squares.mean())
        errors.append(squares.std() / math.sqrt(repeats))
    return np.array(values), np.array(errors)
