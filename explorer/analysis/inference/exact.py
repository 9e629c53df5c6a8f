"""The exact posterior p(z|x) and log p(x) of models with one or two latents, certified.

log p(x) = log ∫ p(x|z) p(z) dz by the model's adaptive grid (`posterior_grid`), then, per image, a
uniform lattice over the cells that carry mass, refined by interleaving: each round adds as many
new nodes as there are, itself a lattice of the same spacing, so old and new give two independent
sums. For smooth integrands a lattice sum converges faster than any power of the spacing
(Trefethen and Weideman 2014), so where the two agree their mean is better than either. An image is
certified when they agree to the tolerance after agreeing to five times it in the round before;
otherwise it is reported as uncertified, with the last disagreement as its error.

The lattice is decoded in the model's own precision and summed in float64; what rounding did (some
1e-5 nats for a float32 model) is measured at the heaviest nodes by decoding them again in float64,
and taken out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.inference.emission import Emission, Seen
from explorer.analysis.inference.posterior_grid import (
    RATIO,
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
APPROACH = 5.0
"""One agreement may be luck: the round before must have agreed to this many tolerances."""
CUT_COARSE_NATS = 10.0
"""Grid cells whose mass lies further below the best one's are left out. To that is added what a
normal loses from its peak to the corner of its cell, K·ratio²/8 nats: no mode may be taken for
nothing because its cell's centre lies on its slope."""
CUT_EARLY_NATS = 20.0
CUT_NATS = 10.0
"""Lattice nodes further below the peak are not refined: a normal has 5e-5 of its mass there. The
first, coarse rounds keep more, since their nodes may lie several sd from a peak."""
EARLY_ROUNDS = 2
START = 2.0
"""First spacing, in units of the finest grid cell that matters; halved where the grid's cells are
larger than RATIO sds, since a round keeps only nodes that lie on a mode's slope."""
MAX_ROUNDS = 14
MAX_NODES = 60_000
IMAGES_AT_ONCE = 16
CHUNK = 1024
GAP_NODES = 16
"""Gauss–Hermite nodes per dimension of the encoder's ELBO."""
HEAVIEST = 32
"""Nodes per image that are decoded again in float64."""


@dataclass(frozen=True)
class ExactPosterior:
    """Per image, arrays over N images; nats.

    `log_px` with `error` (the last disagreement of two lattices) and `certified`; `mean` (N, K),
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


@dataclass
class _Lattice:
    """One image's nodes in doubled integer coordinates: z = origin + coordinates · unit."""

    unit: float
    coordinates: NDArray[np.int64]
    log_joint: Floats
    log_cell: float
    total: float = -math.inf
    change: float = math.inf
    agreed: bool = False
    diagonal: bool = True
    on_edge: bool = False


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
    lattices: list[_Lattice] = []
    for start in range(0, len(x), IMAGES_AT_ONCE):
        lattices += _infer_block(grid, x[start : start + IMAGES_AT_ONCE], tolerance)
        watch.report(0.8 * len(lattices) / len(x))
        if watch.stopped():
            break
    x = x[: len(lattices)]
    _correct_rounding(grid, x, lattices)
    mean, logvar = subject.first(len(lattices)).posterior
    scale = torch.diag_embed(torch.exp(0.5 * logvar.double()))
    emission = grid.walker if model.likelihood.float32_suffices else grid.emission
    elbo = elbo_by_quadrature(model, x, mean, scale, gap_nodes, emission=emission)
    points = [_locate(grid, lattice) for lattice in lattices]
    log_weights = [lattice.log_joint + lattice.log_cell - lattice.total for lattice in lattices]
    moments = [_moments(z, lw) for z, lw in zip(points, log_weights, strict=True)]
    inside = [_information(grid, z, lattice) for z, lattice in zip(points, lattices, strict=True)]
    watch.report(1.0)
    return ExactPosterior(
        log_px=np.array([lattice.total for lattice in lattices]),
        error=np.array([lattice.change for lattice in lattices]),
        certified=np.array([lattice.agreed and not lattice.on_edge for lattice in lattices]),
        mean=np.stack([m for m, _ in moments]),
        covariance=np.stack([c for _, c in moments]),
        mode=np.stack([z[lw.argmax()] for z, lw in zip(points, log_weights, strict=True)]),
        elbo=elbo,
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


def _infer_block(grid: PosteriorGrid, x: Tensor, tolerance: float) -> list[_Lattice]:
    """Refine all images of a block together, so that each round decodes one batch."""
    coarse = grid.log_joint(x)
    lattices = [_start_lattice(grid, coarse[n]) for n in range(len(x))]
    seen = grid.walker.project(x)
    pending = list(range(len(lattices)))
    fresh = {n: lattices[n].coordinates for n in pending}
    for n in pending:
        lattices[n].coordinates = np.empty((0, grid.latent_dim), dtype=np.int64)
    for number in range(MAX_ROUNDS + 1):
        values = _decode(grid, lattices, fresh, seen)
        for n in pending:
            _absorb(lattices[n], fresh[n], values[n], first=number == 0, tolerance=tolerance)
        pending = [
            n
            for n in pending
            if not lattices[n].agreed and len(lattices[n].coordinates) < MAX_NODES
        ]
        if not pending:
            break
        early = number < EARLY_ROUNDS
        fresh = {n: _next_nodes(lattices[n], grid.latent_dim, early=early) for n in pending}
    return lattices


def _correct_rounding(grid: PosteriorGrid, x: Tensor, lattices: list[_Lattice]) -> None:
    """Shift each image's sums by the mass-weighted float64 correction of its heaviest nodes."""
    if grid.walker.dtype == torch.float64:
        return
    for n, lattice in enumerate(lattices):
        heaviest = np.argsort(lattice.log_joint)[-HEAVIEST:]
        z = torch.from_numpy(_locate(grid, lattice)[heaviest])
        exact = grid.log_joint_at(z, x[n : n + 1])[:, 0]
        walked = lattice.log_joint[heaviest]
        shift = float(logsumexp(exact) - logsumexp(walked))
        lattice.log_joint = lattice.log_joint + shift
        lattice.total += shift


def _start_lattice(grid: PosteriorGrid, log_joint: Floats) -> _Lattice:
    """Return the lattice of the finest spacing among the cells that matter, over all that do."""
    latents = grid.latent_dim
    log_mass = log_joint + latents * np.log(grid.side)
    best = log_mass.max()
    ratio = max(grid.ratio, RATIO)
    kept = log_mass > best - CUT_COARSE_NATS - latents * ratio**2 / 8
    spacing = START * float(grid.side[log_mass > best - 6.0].min())
    spacing /= 2 ** math.ceil(math.log2(ratio / RATIO))
    while (np.maximum(grid.side[kept] / spacing, 1.0) ** latents).sum() > MAX_NODES / 4:
        spacing *= 2
    unit = spacing / 2
    blocks = []
    for side in np.unique(grid.side[kept]):
        centre = grid.centre[kept & (grid.side == side)]
        count = max(1, round(side / spacing))
        offsets = (np.arange(count) - (count - 1) / 2) * spacing
        mesh = np.meshgrid(*[offsets] * latents, indexing="ij")
        offset = np.stack([g.ravel() for g in mesh], 1)
        blocks.append((centre[:, None] + offset).reshape(-1, latents))
    z = np.concatenate(blocks)
    # Cell centres are odd multiples of half the spacing from the corner.
    coordinates = 2 * np.floor((z + grid.reach) / spacing).astype(np.int64) + 1
    edge = np.abs(grid.centre[kept]) + grid.side[kept, None] > grid.reach
    heavy = edge.any(1) & (log_mass[kept] > best - 8.0)
    return _Lattice(
        unit=unit,
        coordinates=_unique_rows(coordinates),
        log_joint=np.empty(0),
        log_cell=latents * math.log(spacing),
        on_edge=bool(heavy.any()),
    )


def _decode(
    grid: PosteriorGrid,
    lattices: list[_Lattice],
    fresh: dict[int, NDArray[np.int64]],
    seen: Seen,
) -> dict[int, Floats]:
    """Return log p(x_n, z) at the fresh nodes of every pending image."""
    owners = np.concatenate([np.full(len(nodes), n) for n, nodes in fresh.items()])
    z = torch.from_numpy(
        np.concatenate([nodes * lattices[n].unit - grid.reach for n, nodes in fresh.items()])
    )
    values = np.empty(len(z))
    for start in range(0, len(z), CHUNK):
        part = z[start : start + CHUNK]
        owner = torch.from_numpy(owners[start : start + CHUNK])
        values[start : start + CHUNK] = grid.log_joint_rows(part, seen.image(owner)).numpy()
    return {n: values[owners == n] for n in fresh}


def _absorb(
    lattice: _Lattice,
    nodes: NDArray[np.int64],
    values: Floats,
    *,
    first: bool,
    tolerance: float,
) -> None:
    """Join fresh nodes to a lattice and compare their sum with the old one's."""
    new = float(logsumexp(values)) + lattice.log_cell
    if first:
        lattice.total = new
    else:
        before, lattice.change = lattice.change, abs(new - lattice.total)
        lattice.agreed = lattice.change < tolerance and before < APPROACH * tolerance
        lattice.log_cell -= math.log(2)
        lattice.total = float(np.logaddexp(new, lattice.total)) - math.log(2)
    lattice.coordinates = np.concatenate([lattice.coordinates, nodes])
    lattice.log_joint = np.concatenate([lattice.log_joint, values])


def _next_nodes(lattice: _Lattice, latents: int, *, early: bool) -> NDArray[np.int64]:
    """Return the interleaved nodes around those that carry mass.

    In two dimensions diagonal neighbours and axis neighbours take turns, each doubling the
    density; the coordinates are doubled when a whole halving of the spacing is done.
    """
    if latents == 1:
        offsets = np.array([[-1], [1]])
        first_of_pair = True
    else:
        first_of_pair = lattice.diagonal
        offsets = (
            np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
            if first_of_pair
            else np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
        )
        lattice.diagonal = not lattice.diagonal
    if first_of_pair and math.isfinite(lattice.change):
        lattice.coordinates = lattice.coordinates * 2
        lattice.unit /= 2
    carrying = lattice.log_joint > lattice.log_joint.max() - (CUT_EARLY_NATS if early else CUT_NATS)
    neighbours = (lattice.coordinates[carrying][:, None] + offsets).reshape(-1, latents)
    return _unique_rows(neighbours)


def _unique_rows(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row of (M, K) once, sorted; as one number each, a fifth of `np.unique`'s time."""
    low = nodes.min(0)
    sides = nodes.max(0) - low + 1
    numbers = np.unique(np.ravel_multi_index(tuple((nodes - low).T), tuple(sides)))
    return np.stack(np.unravel_index(numbers, tuple(sides)), 1) + low


def _locate(grid: PosteriorGrid, lattice: _Lattice) -> Floats:
    return np.asarray(lattice.coordinates * lattice.unit - grid.reach, dtype=np.float64)


def _moments(z: Floats, log_weights: Floats) -> tuple[Floats, Floats]:
    weights = np.exp(log_weights)
    weights /= weights.sum()
    mean = weights @ z
    centred = z - mean
    return mean, (centred * weights[:, None]).T @ centred


def _information(grid: PosteriorGrid, z: Floats, lattice: _Lattice) -> tuple[float, float]:
    """Return KL(p(z|x)‖p(z)) and the entropy of p(z|x), nats, as sums over the lattice."""
    log_density = lattice.log_joint - lattice.total
    weights = np.exp(log_density + lattice.log_cell)
    weights /= weights.sum()
    entropy = -float(weights @ log_density)
    return -entropy - float(weights @ grid.log_prior(torch.from_numpy(z)).numpy()), entropy
