"""The exact posterior p(z|x) and log p(x) of models with one or two latents, certified.

log p(x) = log ∫ p(x|z) p(z) dz by the model's adaptive grid (`posterior_grid`), then, per image, a
uniform lattice over the cells that carry mass, refined by interleaving until old and new nodes
agree (`lattice`). An image is certified when the error that this leaves is below the tolerance;
otherwise it is reported as uncertified.

The lattice is decoded in the model's own precision and summed in float64; what rounding did (some
1e-5 nats for a float32 model) is measured at the heaviest nodes by decoding them again in float64,
and taken out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.lattice import MAX_NODES, Lattice, start_lattice
from explorer.analysis.inference.near import NearEmission, cover
from explorer.analysis.inference.posterior_grid import (
    PosteriorGrid,
    build_grid,
    exact_prior,
)
from explorer.analysis.inference.refinement import elbo_by_quadrature
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.priors import StandardNormal

TOLERANCE_NATS = 1e-3
EARLY_ROUNDS = 2
MAX_ROUNDS = 14
IMAGES_AT_ONCE = 16
SQUARE = 2.0
"""Side of the squares over which units are bounded, in first spacings (`near`)."""
GAP_NODES = 16
"""Gauss–Hermite nodes per dimension of the encoder's ELBO."""
HEAVIEST = 32
"""Nodes per image that are decoded again in float64."""


@dataclass(frozen=True)
class ExactPosterior:
    """Per image, arrays over N images; nats.

    `log_px` with `error` (the disagreement of the last lattices) and `certified`; `mean` (N, K),
    `covariance` (N, K, K) and `mode` (N, K) of p(z|x); `elbo` of the encoder by quadrature and
    `gap` = log p(x) − ELBO = KL(q(z|x)‖p(z|x)); `information` = KL(p(z|x)‖p(z)), what the image
    tells about z, and `entropy` of p(z|x); `nodes` decoded per image. `points[n]` (M, K) and
    `log_weights[n]` (M,) are the lattice with its normalised log masses, for drawing, or empty;
    every square of side `spacing[n]` around a node that carries mass holds further nodes.
    """

    log_px: Floats
    error: Floats
    certified: NDArray[np.bool_]
    mean: Floats
    covariance: Floats
    mode: Floats
    elbo: Floats
    information: Floats
    entropy: Floats
    nodes: NDArray[np.int64]
    spacing: Floats
    points: tuple[Floats, ...] = ()
    log_weights: tuple[Floats, ...] = ()

    @property
    def gap(self) -> Floats:
        """KL(q(z|x)‖p(z|x)), (N,), by the identity log p(x) = ELBO + KL."""
        return self.log_px - self.elbo

    def to_dict(self) -> dict[str, Any]:
        """Return means and medians over images as plain numbers."""
        return plain(
            {
                "images": len(self.log_px),
                "certified": int(self.certified.sum()),
                "log_px": self.log_px.mean(),
                "elbo": self.elbo.mean(),
                "gap_mean": self.gap.mean(),
                "gap_median": np.median(self.gap),
                "largest_error": self.error.max(),
            }
        )


def infer_posterior(
    model: Model,
    x: Tensor,
    grid: PosteriorGrid | None = None,
    *,
    tolerance: float = TOLERANCE_NATS,
    gap_nodes: int = GAP_NODES,
    keep_points: bool = False,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> ExactPosterior:
    """Return p(z|x) and log p(x) for target images x (N, C, H, W); K ≤ 2.

    `grid` is the model's cached grid (`build_grid`); without one it is built from x's own codes.
    An image whose mass touches the grid's edge stays uncertified. When `stop()` answers True the
    images finished so far are returned (at least one block). ExplorerError for K > 2, a plain
    autoencoder, or bad images.
    """
    subject = Subject(model, x)
    grid = grid or build_grid(model, subject.codes[0])
    x = subject.x.cpu()
    if grid.latent_dim != model.latent_dim:
        raise ExplorerError("This grid belongs to a model with another number of latents.")
    watch = Watch(progress, stop)
    lattices: list[Lattice] = []
    elbos: list[Floats] = []
    for start in range(0, len(x), IMAGES_AT_ONCE):
        block = slice(start, start + IMAGES_AT_ONCE)
        # What is drawn needs one spacing throughout.
        found, near = _infer_block(grid, x[block], tolerance, settle=not keep_points)
        _correct_rounding(grid, x[block], found, near)
        lattices += found
        elbos.append(_find_elbo(grid, subject, block, gap_nodes, near))
        watch.report(0.8 * len(lattices) / len(x))
        if watch.stopped():
            break
    points = [_locate(grid, lattice, lattice.coordinates) for lattice in lattices]
    log_weights = [lattice.log_weights() for lattice in lattices]
    moments = [_moments(z, lw) for z, lw in zip(points, log_weights, strict=True)]
    inside = [
        _information(grid, z, lw, lattice.log_joint - lattice.total)
        for z, lw, lattice in zip(points, log_weights, lattices, strict=True)
    ]
    watch.report(1.0)
    return ExactPosterior(
        log_px=np.array([lattice.total for lattice in lattices]),
        error=np.array([lattice.error for lattice in lattices]),
        certified=np.array(
            [lattice.error < tolerance and not lattice.on_edge for lattice in lattices]
        ),
        mean=np.stack([m for m, _ in moments]),
        covariance=np.stack([c for _, c in moments]),
        mode=np.stack(
            [z[lattice.log_joint.argmax()] for z, lattice in zip(points, lattices, strict=True)]
        ),
        elbo=np.concatenate(elbos),
        information=np.array([information for information, _ in inside]),
        entropy=np.array([entropy for _, entropy in inside]),
        nodes=np.array([len(z) for z in points]),
        spacing=np.array([2 * lattice.unit for lattice in lattices]),
        points=tuple(points) if keep_points else (),
        log_weights=tuple(log_weights) if keep_points else (),
    )


def identity_residual(
    model: Model, x: Tensor, posterior: ExactPosterior, nodes: int = 96
) -> Floats:
    """Return log p(x) − ELBO − KL(q‖p(z|x)) per image, (N,), from independent quadratures.

    The ELBO is by a nodes² Gauss–Hermite rule, KL(q‖p(z|x)) by a trapezoidal lattice over q
    (spacing σ/4 out to 6.5σ). On one and the same grid the residual would be 0 by construction.
    """
    subject = Subject(model, x)
    x = subject.x.cpu()
    mean, logvar = subject.posterior
    mean, scale = mean.double().cpu(), torch.exp(0.5 * logvar.double().cpu())
    elbo = elbo_by_quadrature(model, x, mean, torch.diag_embed(scale), nodes)
    emission = Emission(model)
    axis = np.linspace(-6.5, 6.5, 53)
    grids = np.meshgrid(*[axis] * model.latent_dim, indexing="ij")
    epsilon = torch.from_numpy(np.stack([g.ravel() for g in grids], 1))
    prior = exact_prior(model)
    log_q_noise = StandardNormal(model.latent_dim).log_prob(epsilon)
    weight = torch.softmax(log_q_noise, 0)
    seen = emission.project(x)
    kl = np.empty(len(x))
    for n in range(len(x)):
        z = mean[n] + scale[n] * epsilon
        log_joint = emission.score(emission.features(z), seen.image(n))[:, 0] + prior.log_prob(z)
        log_q = log_q_noise - scale[n].log().sum()
        kl[n] = float((weight * (log_q - log_joint)).sum()) + posterior.log_px[n]
    return posterior.log_px[: len(x)] - elbo - kl


def log_posterior_at(grid: PosteriorGrid, x: Tensor, z: Tensor, log_px: Floats) -> Floats:
    """Return log p(z_m|x_n), (N, M), at codes z (M, K), for example a raster to draw."""
    return grid.log_joint_at(z, x).T - log_px[:, None]


def _infer_block(
    grid: PosteriorGrid, x: Tensor, tolerance: float, *, settle: bool
) -> tuple[list[Lattice], list[NearEmission]]:
    """Refine all images of a block; what is left of each one's decoder comes with its lattice."""
    lattices = [start_lattice(grid, log_joint) for log_joint in grid.log_joint(x)]
    seen = grid.walker.project(x)
    near = [
        NearEmission(grid.walker, seen.image(n), SQUARE * 2 * lattice.unit)
        for n, lattice in enumerate(lattices)
    ]
    pending = list(range(len(lattices)))
    for number in range(MAX_ROUNDS + 1):
        codes = [torch.from_numpy(_locate(grid, lattices[n], lattices[n].fresh)) for n in pending]
        cover([near[n] for n in pending], codes)
        for n, z in zip(pending, codes, strict=True):
            lattice = lattices[n]
            lattice.absorb((near[n].score_covered(z).double() + grid.log_prior(z)).numpy())
            if settle:
                lattice.settle(tolerance)
        pending = [
            n
            for n in pending
            if lattices[n].error >= tolerance and len(lattices[n].coordinates) < MAX_NODES
        ]
        for n in pending:
            lattices[n].interleave(early=number < EARLY_ROUNDS)
    return lattices, near


def _find_elbo(
    grid: PosteriorGrid, subject: Subject, block: slice, nodes: int, near: list[NearEmission]
) -> Floats:
    """Return the encoder's ELBO of a block by quadrature, through the decoders at hand."""
    model, x = subject.model, subject.x[block].cpu()
    mean, logvar = (part[block] for part in subject.posterior)
    scale = torch.diag_embed(torch.exp(0.5 * logvar.double()))
    if not model.likelihood.float32_suffices:
        return elbo_by_quadrature(model, x, mean, scale, nodes, emission=grid.emission)
    return elbo_by_quadrature(
        model, x, mean, scale, nodes, score=lambda n, z: near[n].score(z).double()
    )


def _correct_rounding(
    grid: PosteriorGrid, x: Tensor, lattices: list[Lattice], near: list[NearEmission]
) -> None:
    """Shift each image's sums by the mass-weighted float64 correction of its heaviest nodes."""
    if grid.walker.dtype == torch.float64:
        return
    seen = grid.emission.project(x)
    for n, lattice in enumerate(lattices):
        heaviest = np.argsort(lattice.log_joint)[-HEAVIEST:]
        z = torch.from_numpy(_locate(grid, lattice, lattice.coordinates[heaviest]))
        scores = near[n].through(grid.emission, seen.image(n)).score(z)
        exact = (scores + grid.log_prior(z)).numpy()
        lattice.shift(_sum_logs(exact) - _sum_logs(lattice.log_joint[heaviest]))


def _sum_logs(values: Floats) -> float:
    return float(torch.logsumexp(torch.from_numpy(values), 0))


def _locate(grid: PosteriorGrid, lattice: Lattice, nodes: NDArray[np.int64]) -> Floats:
    return np.asarray(nodes * lattice.unit - grid.reach, dtype=np.float64)


def _moments(z: Floats, log_weights: Floats) -> tuple[Floats, Floats]:
    weights = np.exp(log_weights)
    weights /= weights.sum()
    mean = weights @ z
    centred = z - mean
    return mean, (centred * weights[:, None]).T @ centred


def _information(
    grid: PosteriorGrid, z: Floats, log_weights: Floats, log_density: Floats
) -> tuple[float, float]:
    """Return KL(p(z|x)‖p(z)) and the entropy of p(z|x), nats, as sums over the lattice."""
    weights = np.exp(log_weights)
    weights /= weights.sum()
    entropy = -float(weights @ log_density)
    return -entropy - float(weights @ grid.log_prior(torch.from_numpy(z)).numpy()), entropy
