"""The linear β-VAE in closed form: which dimensions live, rate, distortion, learned σ².

Notation: λ_i eigenvalues of the data covariance (divided by N), D pixels, K latents, Gaussian
decoder of variance σ², s = βσ². Dimension i is active iff λ_i > s; then KL_i = ½ ln(λ_i/s), q's
variance is s/λ_i and the weights are √(λ_i − s)·u_i (Lucas et al. 2019; β = 1 is probabilistic
PCA, Tipping and Bishop 1999).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, as_pixels, plain
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class LinearOptimum:
    """The optimum at one β and σ²: nats per image, arrays of shape (K,).

    `rate` is Σ KL_i, `distortion` the expected −log p(x|z), `squared_error` E‖x − x̂‖² summed over
    pixels, `mean_variance` Var_x(μ_i) = 1 − s/λ_i, `posterior_variance` s/λ_i (1 where collapsed).
    """

    beta: float
    sigma2: float
    active: int
    rate: float
    distortion: float
    squared_error: float
    kl_per_dim: Floats
    mean_variance: Floats
    posterior_variance: Floats

    @property
    def elbo(self) -> float:
        """−(distortion + rate); at β = 1 this is log p(x), averaged over the data."""
        return -(self.distortion + self.rate)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists."""
        return plain({**vars(self), "elbo": self.elbo})


def covariance_eigenvalues(images: NDArray[Any] | Tensor) -> Floats:
    """Return the eigenvalues (D,) of the pixels' covariance, divided by N, descending.

    `images` (N, …) are uint8 or floats; scikit-learn's PCA divides by N − 1 instead.
    """
    x = as_pixels(images)
    centred = x - x.mean(0)
    if len(x) < x.shape[1]:
        values = np.linalg.svd(centred, compute_uv=False) ** 2 / len(x)
        return np.concatenate([values, np.zeros(x.shape[1] - len(values))])
    return np.maximum(np.linalg.eigvalsh(centred.T @ centred / len(x))[::-1], 0.0)


def linear_optimum(
    eigenvalues: ArrayLike, latent_dim: int, *, beta: float = 1.0, sigma2: float = 1.0
) -> LinearOptimum:
    """Return the global optimum of the linear β-VAE with fixed σ².

    `eigenvalues` (D,) are all those of the covariance. Lucas et al. 2019, Sect. 4 (β = 1), with
    s = βσ² in place of σ².

    >>> optimum = linear_optimum([4.0, 1.0, 0.5], 2, beta=1.0, sigma2=1.0)
    >>> optimum.active, round(optimum.rate, 6), round(optimum.squared_error, 6)
    (1, 0.693147, 2.5)
    """
    values = _check_eigenvalues(eigenvalues, latent_dim)
    _check_positive(beta=beta, sigma2=sigma2)
    s = beta * sigma2
    leading = values[:latent_dim]
    posterior_variance = np.where(leading > s, s / np.maximum(leading, s), 1.0)
    kl = np.where(posterior_variance < 1, -0.5 * np.log(posterior_variance), 0.0)
    error = float(np.minimum(leading, s).sum() + values[latent_dim:].sum())
    distortion = 0.5 * len(values) * math.log(2 * math.pi * sigma2) + error / (2 * sigma2)
    return LinearOptimum(
        beta=beta,
        sigma2=sigma2,
        active=int((leading > s).sum()),
        rate=float(kl.sum()),
        distortion=distortion,
        squared_error=error,
        kl_per_dim=kl,
        mean_variance=1 - posterior_variance,
        posterior_variance=posterior_variance,
    )


def rate_distortion_curve(
    eigenvalues: ArrayLike, latent_dim: int, betas: ArrayLike, sigma2: float
) -> tuple[Floats, Floats]:
    """Return rates and distortions, each of the shape of `betas`; the slope dD/dR is −β."""
    optima = [
        linear_optimum(eigenvalues, latent_dim, beta=float(beta), sigma2=sigma2)
        for beta in np.atleast_1d(np.asarray(betas, dtype=np.float64))
    ]
    return np.array([o.rate for o in optima]), np.array([o.distortion for o in optima])


def learned_sigma2(eigenvalues: ArrayLike, latent_dim: int, *, beta: float = 1.0) -> float:
    """Return the σ² that the linear β-VAE learns: Σ_{i>m} λ_i/(D − βm), m self-consistent.

    m is the number of dimensions with λ_i > βσ²; β = 1 gives probabilistic PCA's maximum
    likelihood (Tipping and Bishop 1999, Eq. 8). ExplorerError where no σ² > 0 is stationary.

    >>> round(learned_sigma2([4.0, 1.0, 1.0], 1), 6)
    1.0
    """
    values = _check_eigenvalues(eigenvalues, latent_dim)
    _check_positive(beta=beta)
    best: tuple[float, float] | None = None
    for m in range(min(latent_dim, len(values)) + 1):
        freedom = len(values) - beta * m
        if freedom <= 0:
            break
        sigma2 = float(values[m:].sum()) / freedom
        if sigma2 <= 0:
            continue
        if int((values[:latent_dim] > beta * sigma2).sum()) == m:
            optimum = linear_optimum(values, latent_dim, beta=beta, sigma2=sigma2)
            cost = optimum.distortion + beta * optimum.rate
            if best is None or cost < best[0]:
                best = cost, sigma2
    if best is None:
        raise ExplorerError("These eigenvalues leave no variance to learn: σ² would go to 0.")
    return best[1]


def water_fill(eigenvalues: ArrayLike, latent_dim: int, rate: float) -> LinearOptimum:
    """Return the least squared error at a total rate (reverse water-filling), with β·σ² = s.

    This is where a capacity target or one total free-bits budget leads: Σ ½ ln(λ_i/s) = rate over
    the dimensions with λ_i > s (Cover and Thomas, Theorem 10.3.3). `beta` is reported as s with
    σ² = 1.
    """
    values = _check_eigenvalues(eigenvalues, latent_dim)
    leading = values[:latent_dim][values[:latent_dim] > 0]
    if not rate > 0 or not len(leading):
        raise ExplorerError("Water-filling needs a rate above 0 and some variance.")
    for m in range(1, len(leading) + 1):
        level = math.exp((np.log(leading[:m]).sum() - 2 * rate) / m)
        if m == len(leading) or level >= leading[m]:
            break
    return linear_optimum(values, latent_dim, beta=level, sigma2=1.0)


def reconstruct_images(
    images: NDArray[Any] | Tensor, shown: NDArray[Any] | Tensor, latent_dim: int, s: float
) -> Floats:
    """Return what the linear β-VAE with βσ² = s makes of `shown`, decoded at q's mean.

    `images` (N, …) are the data that it was fitted to, `shown` (M, …) uint8 or floats of the same
    shape. Along u_i the centred image keeps the share 1 − s/λ_i where λ_i > s, else nothing:
    x̂ = x̄ + Σ_{i≤k} max(0, 1 − s/λ_i)·u_i u_iᵀ(x − x̄). Shape of `shown`, pixels not clipped.
    """
    _check_positive(s=s)
    x, seen = as_pixels(images), as_pixels(shown)
    mean = x.mean(0)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    values = _check_eigenvalues(values, latent_dim)[:latent_dim]
    vectors = vectors[:, ::-1][:, :latent_dim]
    kept = 1 - np.minimum(s / np.maximum(values, 1e-12), 1)
    found = mean + ((seen - mean) @ vectors * kept) @ vectors.T
    return np.asarray(found.reshape(np.shape(shown)), dtype=np.float64)


def active_dimensions(eigenvalues: ArrayLike, effective_sigma2: float) -> int:
    """Return how many eigenvalues exceed βσ²: the dimensions that a linear model keeps."""
    _check_positive(effective_sigma2=effective_sigma2)
    return int((np.asarray(eigenvalues) > effective_sigma2).sum())


def _check_eigenvalues(eigenvalues: ArrayLike, latent_dim: int) -> Floats:
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all() or values.min() < -1e-9:
        raise ExplorerError("Eigenvalues are a list of finite numbers of at least 0.")
    if not 1 <= latent_dim <= len(values):
        raise ExplorerError(
            f"The number of latents must be from 1 to {len(values)}, one per eigenvalue at most."
        )
    return np.sort(np.maximum(values, 0.0))[::-1]


def _check_positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise ExplorerError(f"{name} must be a number above 0; it is {value!r}.")
