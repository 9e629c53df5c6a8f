"""The linear theory beside a sweep over K: what the best linear model of each K would score.

Notation of `collapse.linear`: λ_i eigenvalues of the training images' covariance with eigenvectors
u_i, s = βσ². Direction i survives iff λ_i > s; then w_i = √(λ_i − s)·u_i, and q has the mean
√(λ_i − s)/λ_i · c_i and the variance s/λ_i, c_i = u_iᵀ(x − x̄). On images with E c_i² = m_i, be
they held out, per direction that survives
    KL_i = ½ [(λ_i − s)·m_i/λ_i² + s/λ_i − 1 − ln(s/λ_i)],
    E‖x − x̂‖² = m_i s²/λ_i² + (λ_i − s)·s/λ_i,
and m_i of error where none does. A network is no linear model: it may do better with fewer latents.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from explorer.analysis.checks import Floats, as_pixels, plain
from explorer.analysis.collapse.linear import learned_sigma2
from explorer.analysis.questions.floor import take_evenly
from explorer.analysis.questions.how_many import Member
from explorer.datasets import ImageDataset
from explorer.errors import ExplorerError
from explorer.facts import LIKELIHOODS, PRIORS
from explorer.runs.run import Run

TOLERATED = 0.05
"""Share of the theory's gain by which a network may score less than a linear model."""


@dataclass(frozen=True)
class LinearOracle:
    """The best linear model for each of `latents` (0 is none): ELBO in nats, latents that survive.

    `sigma2` is that of the largest one, `held` says that it was fixed, and `directions` how many of
    the images' λ_i exceed β times that σ².
    """

    beta: float
    sigma2: float
    held: bool
    latents: tuple[int, ...]
    elbo: tuple[float, ...]
    active: tuple[int, ...]
    directions: int

    @property
    def level(self) -> float:
        """βσ², the variance that a direction must exceed."""
        return self.beta * self.sigma2

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain({**vars(self), "level": self.level})


def find_oracle(runs: Sequence[Run], images: ImageDataset) -> LinearOracle | None:
    """Return the theory for a sweep over K, up to its largest; None for another likelihood.

    That is one without a single σ², an objective with more than β in it, or images that the runs
    were not made from.
    """
    info = runs[0].info
    config, split, beta = info.config, info.best_split, info.beta
    if config is None or split is None or {config.split, split} - {*images.splits}:
        return None
    facts, objective = LIKELIHOODS[config.model.likelihood], config.objective
    if not (facts.linear_theory or facts.optimal) or not PRIORS[config.model.prior].has_shares:
        return None
    if objective.free_bits or objective.free_bits_total or objective.capacity or not beta:
        return None
    sigma2 = config.model.sigma2 if facts.linear_theory else None
    reference, shown = (as_pixels(take_evenly(images, name)) for name in (config.split, split))
    values, moments = measure_directions(reference, shown)
    largest = min(max(run.info.latent_dim for run in runs), len(values))
    return foretell(values, moments, range(largest + 1), beta=beta, sigma2=sigma2)


def find_shortfall(members: Iterable[Member], oracle: LinearOracle) -> float | None:
    """Return by how many nats the members fall short of linear models of their own K, at most.

    None where none does by more than a twentieth of what the theory gains: networks are trained to
    their end then, as far as the theory can tell.
    """
    known = dict(zip(oracle.latents, oracle.elbo, strict=True))
    gaps = [known[row.latents] - row.elbo for row in members if row.latents in known]
    tolerated = TOLERATED * (max(oracle.elbo) - min(oracle.elbo))
    return max((gap for gap in gaps if gap > tolerated), default=None)


def measure_directions(reference: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """Return λ_i of `reference` (N, D), descending, and m_i of `shown` (M, D), each (D,)."""
    mean = reference.mean(0)
    values, vectors = np.linalg.eigh((reference - mean).T @ (reference - mean) / len(reference))
    moments = (((shown - mean) @ vectors) ** 2).mean(0)
    return np.maximum(values, 0.0)[::-1], moments[::-1]


def foretell(
    eigenvalues: ArrayLike,
    moments: ArrayLike,
    latents: Iterable[int],
    *,
    beta: float,
    sigma2: float | None = None,
) -> LinearOracle:
    """Return what linear models score on images with the `moments` m (D,); see the module.

    Without `sigma2` each learns its own. ExplorerError where that would go to 0.

    >>> foretell([4.0, 1.0, 0.5], [4.0, 1.0, 0.5], [0, 1, 2], beta=1.0, sigma2=1.0).active
    (0, 1, 1)
    """
    values, m = np.asarray(eigenvalues, np.float64), np.asarray(moments, np.float64)
    counts = tuple(latents)
    if not counts or values.shape != m.shape or not 0 <= min(counts) <= max(counts) <= len(values):
        raise ExplorerError("Numbers of latents go from 0 to one for each eigenvalue.")
    found, level = [], 0.0
    for count in counts:
        level = _find_sigma2(values, count, beta) if sigma2 is None else sigma2
        found.append(_score(values, m, count, beta=beta, sigma2=level))
    return LinearOracle(
        beta=beta,
        sigma2=level,
        held=sigma2 is not None,
        latents=counts,
        elbo=tuple(elbo for elbo, _ in found),
        active=tuple(active for _, active in found),
        directions=int((values > beta * level).sum()),
    )


def _find_sigma2(values: Floats, count: int, beta: float) -> float:
    return float(values.mean()) if count == 0 else learned_sigma2(values, count, beta=beta)


def _score(
    values: Floats, m: Floats, count: int, *, beta: float, sigma2: float
) -> tuple[float, int]:
    """Return the ELBO in nats and how many directions survive."""
    s = beta * sigma2
    active = int((values[:count] > s).sum())
    lam, own = values[:active], m[:active]
    kl = 0.5 * ((lam - s) * own / lam**2 + s / lam - 1 - np.log(s / lam)).sum()
    error = (own * s**2 / lam**2 + (lam - s) * s / lam).sum() + m[active:].sum()
    distortion = 0.5 * (len(values) * math.log(2 * math.pi * sigma2) + error / sigma2)
    return -float(distortion + kl), active
