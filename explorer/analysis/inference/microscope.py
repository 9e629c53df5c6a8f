"""One image, one model, two latents: every term of log p(x) = ELBO + KL(q(z|x)‖p(z|x)).

The ELBO is by Gauss–Hermite quadrature, log p(x) by the certified lattice (`inference`), and
KL(q‖p(z|x)) by a third rule, so that the residual of the identity is a check, not a tautology.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import (
    ExactPosterior,
    identity_residual,
    infer_posterior,
)
from explorer.analysis.inference.likelihood import LogLikelihood, estimate_log_px
from explorer.analysis.inference.posterior_grid import CHUNK, PosteriorGrid, exact_prior
from explorer.analysis.inference.raster import frame_nodes, mass_levels
from explorer.analysis.inference.refinement import (
    elbo_by_quadrature,
    gauss_hermite,
    normal_entropy,
)
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop
from explorer.models.base import Model

SHARES = (0.5, 0.9, 0.99)
"""Posterior mass inside the contours."""
ELBO_NODES = 64
SAMPLES = 1000
MIXTURE_DRAWS = 4000
RASTER_NODES = 14_000
NODES_PER_SD = 3.0
ENCODER_REACH = 4.0
"""The window holds so many sd of the encoder's q around its mean."""
TAIL = 5e-4
"""Share of the exact posterior that may lie beyond each side of the window."""
MARGIN = 0.18


@dataclass(frozen=True)
class Raster:
    """log p(z|x) on a regular raster: `values` (rows, columns), nats per unit area.

    Node (r, c) lies at z = (left + c·step, bottom + r·step).
    """

    left: float
    bottom: float
    step: float
    values: Floats


@dataclass(frozen=True)
class Examination:
    """The identity for one image, nats; shapes for K latents.

    `mean` (K,) and `sd` (K,) are the encoder's; `elbo` = −(reconstruction + kl); `log_px` has
    `error` and `certified`; `residual` is log p(x) − ELBO − KL(q‖p(z|x)) from three rules.
    `levels` are log densities that enclose SHARES of the exact posterior, `raster` is for drawing
    (None unless K = 2); `mode` (K,), `posterior_mean` (K,) and `posterior_covariance` (K, K) are
    the exact posterior's.
    """

    mean: Floats
    sd: Floats
    reconstruction: float
    kl: float
    log_px: float
    error: float
    certified: bool
    residual: float
    mode: Floats
    posterior_mean: Floats
    posterior_covariance: Floats
    levels: tuple[float, ...]
    raster: Raster | None

    @property
    def elbo(self) -> float:
        """−(reconstruction + KL)."""
        return -(self.reconstruction + self.kl)

    @property
    def gap(self) -> float:
        """Log p(x) − ELBO = KL(q(z|x)‖p(z|x))."""
        return self.log_px - self.elbo


@dataclass(frozen=True)
class Balance:
    """The identity over N images, arrays (N,) in nats.

    `log_px` is exact with `error` where K ≤ 2 and `trusted` means certified; else it is
    importance-weighted with its standard error, and `trusted` means not flagged.
    """

    reconstruction: Floats
    kl: Floats
    log_px: Floats
    error: Floats
    trusted: NDArray[np.bool_]

    @property
    def gap(self) -> Floats:
        """Log p(x) − ELBO = KL(q(z|x)‖p(z|x))."""
        return self.log_px + self.reconstruction + self.kl

    def medians(self) -> dict[str, float]:
        """Return the medians of gap, KL and −ELBO ("elbo") over images."""
        values = {"gap": self.gap, "kl": self.kl, "elbo": self.reconstruction + self.kl}
        return {name: float(np.median(value)) for name, value in values.items()}


def examine_image(model: Model, x: Tensor, grid: PosteriorGrid) -> Examination:
    """Return every term for one target image x (1, C, H, W) of a model with K ≤ 2 latents.

    `grid` is the model's own (`build_grid`). Raises ExplorerError as `infer_posterior` does.
    """
    x = Subject(model, x[:1]).x.cpu()
    posterior = infer_posterior(model, x, grid, keep_points=True)
    mean, sd, kl = encode_exactly(model, x)
    elbo = elbo_by_quadrature(
        model, x, mean, torch.diag_embed(sd), ELBO_NODES, emission=grid.emission
    )
    residual = identity_residual(model, x, posterior)
    # On a uniform lattice masses are densities but for a constant: here they are relative to the
    # heaviest node's.
    relative = np.exp(posterior.log_weights[0] - posterior.log_weights[0].max())
    levels = _peak_density(grid, x, posterior) + np.log(mass_levels(relative, SHARES))
    raster = None
    if model.latent_dim == 2:
        raster = _draw_raster(grid, x, posterior, mean[0].numpy(), sd[0].numpy())
    return Examination(
        mean=mean[0].numpy(),
        sd=sd[0].numpy(),
        reconstruction=float(-elbo[0] - kl[0]),
        kl=float(kl[0]),
        log_px=float(posterior.log_px[0]),
        error=float(posterior.error[0]),
        certified=bool(posterior.certified[0]),
        residual=float(residual[0]),
        mode=posterior.mode[0],
        posterior_mean=posterior.mean[0],
        posterior_covariance=posterior.covariance[0],
        levels=tuple(levels.tolist()),
        raster=raster,
    )


def balance_images(
    model: Model,
    x: Tensor,
    grid: PosteriorGrid | None = None,
    *,
    samples: int = SAMPLES,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Balance:
    """Return the identity's terms for target images x (N, C, H, W).

    With `grid` (K ≤ 2) log p(x) is exact, without it importance-weighted by `samples` draws. When
    `stop()` answers True the images finished so far are returned.
    """
    x = Subject(model, x).x.cpu()
    found: ExactPosterior | LogLikelihood
    if grid is not None:
        found = infer_posterior(model, x, grid, gap_nodes=ELBO_NODES, progress=progress, stop=stop)
        error, trusted = found.error, found.certified
    else:
        found = estimate_log_px(model, x, samples=samples, progress=progress, stop=stop)
        error, trusted = found.standard_error, ~found.flagged
    kl = encode_exactly(model, x[: len(found.log_px)])[2].numpy()
    return Balance(-found.elbo - kl, kl, found.log_px, error, trusted)


def encode_exactly(model: Model, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the encoder's mean (N, K), sd (N, K) and KL to the prior (N,), in float64."""
    mean, logvar = Subject(model, x).posterior
    mean, sd = mean.double().cpu(), torch.exp(0.5 * logvar.double().cpu())
    return mean, sd, kl_to_prior(model, mean, torch.diag_embed(sd))


def kl_to_prior(model: Model, mean: Tensor, factor: Tensor) -> Tensor:
    """Return KL(q‖p(z)), (N,), nats, of normal q's.

    Closed for N(0, I); for a mixture by quadrature, or by MIXTURE_DRAWS draws where K > 2.
    """
    prior = exact_prior(model)
    kl = prior.normal_kl(mean, factor)
    if kl is not None:
        return kl
    if model.latent_dim <= 2:
        points, weights = gauss_hermite(ELBO_NODES, model.latent_dim)
        noise, weight = torch.from_numpy(points), torch.from_numpy(weights)
    else:
        generator = torch.Generator().manual_seed(0)
        shape = (MIXTURE_DRAWS, model.latent_dim)
        noise = torch.randn(shape, generator=generator, dtype=torch.float64)
        weight = torch.full((MIXTURE_DRAWS,), 1 / MIXTURE_DRAWS, dtype=torch.float64)
    drawn = [m + noise @ f.T for m, f in zip(mean, factor, strict=True)]
    cross = [-(weight * prior.log_prob(z)).sum() for z in drawn]
    return torch.stack(cross) - normal_entropy(factor)


def _peak_density(grid: PosteriorGrid, x: Tensor, posterior: ExactPosterior) -> float:
    """Log p(z|x) at the lattice's heaviest node."""
    z = torch.from_numpy(posterior.mode)
    return float(grid.log_joint_at(z, x)[0, 0] - posterior.log_px[0])


def _draw_raster(
    grid: PosteriorGrid, x: Tensor, posterior: ExactPosterior, mean: Floats, sd: Floats
) -> Raster:
    """Decode a raster over what carries mass and over the encoder's q."""
    frame = frame_nodes(posterior.points[0], np.exp(posterior.log_weights[0]), TAIL)
    low = np.minimum(frame[:, 0], mean - ENCODER_REACH * sd)
    high = np.maximum(frame[:, 1], mean + ENCODER_REACH * sd)
    margin = MARGIN * (high - low).max()
    low, high = low - margin, high + margin
    narrowest = float(np.sqrt(np.linalg.eigvalsh(posterior.covariance[0])[0]))
    step = max(narrowest / NODES_PER_SD, float(np.sqrt(np.prod(high - low) / RASTER_NODES)))
    columns, rows = (np.ceil((high - low) / step).astype(int) + 1).tolist()
    across, up = low[0] + step * np.arange(columns), low[1] + step * np.arange(rows)
    mesh = np.meshgrid(across, up)
    z = torch.from_numpy(np.stack([part.ravel() for part in mesh], 1))
    seen = grid.walker.project(x)
    values = np.empty(len(z))
    for start in range(0, len(z), CHUNK):
        part = z[start : start + CHUNK]
        log_joint = grid.walker.score(grid.walker.features(part), seen)[:, 0].double()
        values[start : start + CHUNK] = (log_joint + grid.log_prior(part)).numpy()
    values -= posterior.log_px[0]
    return Raster(float(low[0]), float(low[1]), step, values.reshape(rows, columns))
