"""A model's own grid over one or two latents, decoded once and shared by all images.

Cells are halved until their side is at most RATIO times the smallest posterior sd that the decoder
allows there, (1 + λ_max(JᵀVJ))^-½ with J the decoder's Jacobian and V its variance function (the
Fisher metric plus the prior's). So no mode can hide between the nodes, which a fixed grid does not
promise: on MNIST that sd spans 0.002 to 0.3 within one model. Per cell the decoder's last hidden
layer is cached, without the units that are off in its neighbourhood; an image then costs one
product with it (see `emission`).
"""

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.checks import Floats, check_gaussian
from explorer.analysis.inference.emission import Decoded, Emission, Stretch
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.elbo.encoding import evaluating
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.priors import Prior

RATIO = 4.0
QUICK_RATIO = 8.0
"""For a grid that someone waits for, made in a fifth of the time. On 150 MNIST digits and 150 drawn
ones log p(x) of `mnist-2d` is the same as with RATIO to 2e-4 nats, and all are certified."""
MARGIN = 3.0
SMALLEST_REACH = 6.0
ROOT_CELLS = 16
MAX_LEVELS = 12
MAX_CELLS = 60_000
CHUNK = 1024
STRETCH = 256
"""Cells that leave out the same units: of `mnist-2d` they keep a quarter of the decoder's last
hidden layer. With fewer an image costs more small products than it saves."""
DIFFERENCE = 1e-3


@dataclass(frozen=True)
class PosteriorGrid:
    """Cells of one model: centres (G, K), sides (G,), and stretches with features and normalisers.

    A normaliser is S(z) + log p(z); log p(x, z) is features · P(x) + normaliser + c(x), in the
    precision of the model (`walker`); `emission` is the same in float64. `reach` is half the
    side of the square covered; `ratio` the largest side in units of the local sd, larger
    than RATIO only where MAX_CELLS forced it. `prior` is the model's, in float64 on the CPU.
    """

    centre: Floats
    side: Floats
    stretches: tuple[Stretch, ...]
    reach: float
    ratio: float
    emission: Emission
    walker: Emission
    prior: Prior

    @property
    def latent_dim(self) -> int:
        """K, 1 or 2."""
        return self.centre.shape[1]

    @property
    def root_side(self) -> float:
        """The side of the coarsest cells; every cell's is this over a power of two."""
        return 2 * self.reach / ROOT_CELLS

    def log_joint(self, x: Tensor) -> Floats:
        """Return log p(x, z) at the cells' centres, (N, G), nats, in the model's precision."""
        seen = self.walker.project(x)
        values = [
            self.walker.score(stretch.decoded, seen.through(stretch.units))
            for stretch in self.stretches
        ]
        return np.ascontiguousarray(torch.cat(values).double().numpy().T)

    def log_joint_at(self, z: Tensor, x: Tensor) -> Floats:
        """Return log p(x_n, z_m), (M, N), nats, in float64, at any codes z (M, K)."""
        values = self.emission.log_likelihood(z, x) + self.log_prior(z)[:, None]
        return values.numpy()

    def log_prior(self, z: Tensor) -> Tensor:
        """Return log p(z), (M,), nats, in float64, of codes z (M, K)."""
        with torch.no_grad():
            return self.prior.log_prob(z.double())


def build_grid(
    model: Model,
    codes: Iterable[Tensor] | Tensor | Floats | None = None,
    *,
    reach: float | None = None,
    ratio: float = RATIO,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> PosteriorGrid:
    """Return the grid of a model with one or two latents.

    `codes` (N, K), posterior means of typical images, set the reach: max|μ| + 3, at least 6;
    `reach` overrides it. Building takes seconds; keep the grid as long as the weights.
    Raises ExplorerError for more latents or a plain autoencoder.
    """
    check_gaussian(model)
    if model.latent_dim > 2:
        raise ExplorerError(
            f"Exact inference is for one or two latents; this model has {model.latent_dim}. "
            "Use estimate_log_px or sample_posterior."
        )
    if reach is None:
        furthest = 0.0
        if codes is not None:
            furthest = float(np.abs(np.asarray(torch.as_tensor(np.asarray(codes)))).max())
        reach = max(SMALLEST_REACH, furthest + MARGIN)
    if not (math.isfinite(reach) and 0 < reach <= 1e3):
        raise ExplorerError(f"The grid's reach must be between 0 and 1000; it is {reach!r}.")
    watch = Watch(progress, stop)
    centre, side, used_ratio = _split_cells(model, reach, ratio, watch)
    walker = Emission(model, model.reference.dtype)
    prior = exact_prior(model)
    stretches: list[Stretch] = []
    for start in range(0, len(centre), CHUNK):
        part = torch.from_numpy(centre[start : start + CHUNK])
        features, normaliser = walker.features(part)
        normaliser = normaliser + prior.log_prob(part).to(normaliser)
        stretches += [
            walker.thin(Decoded(features[at : at + STRETCH], normaliser[at : at + STRETCH]))
            for at in range(0, len(part), STRETCH)
        ]
        watch.check(0.8 + 0.2 * start / len(centre))
    watch.report(1.0)
    return PosteriorGrid(
        centre,
        side,
        tuple(stretches),
        reach,
        used_ratio,
        Emission(model),
        walker,
        prior,
    )


def grid_for_images(model: Model, x: Tensor) -> PosteriorGrid:
    """Return the grid whose reach fits the posterior means of target images x (N, C, H, W)."""
    return build_grid(model, Subject(model, x).codes[0])


def exact_prior(model: Model) -> Prior:
    """Return a copy of a model's prior in float64 on the CPU, frozen."""
    return copy.deepcopy(model.prior).cpu().double().requires_grad_(False)


def smallest_sd(model: Model, z: Tensor) -> Tensor:
    """Return (1 + λ_max(JᵀVJ))^-½ at codes z (M, K), K ≤ 2, shape (M,).

    The 1 is the precision of N(0, I); of a mixture, that of its narrowest component. The scale of
    the narrowest posterior that the decoder can produce at z (Gauss–Newton); J by central
    differences.
    """
    output = model.decode_output(z)
    blank = torch.zeros_like(_location(model, output))
    fisher = model.likelihood.score_and_fisher(output, blank)[1]
    columns = []
    for k in range(z.shape[1]):
        offset = torch.zeros_like(z)
        offset[:, k] = DIFFERENCE
        difference = model.decode_output(z + offset) - model.decode_output(z - offset)
        columns.append(_location(model, difference).flatten(1) / (2 * DIFFERENCE))
    precision = model.prior.largest_precision()
    first = (columns[0].square() * fisher).sum(1)
    if len(columns) == 1:
        return (precision + first).rsqrt()
    second = (columns[1].square() * fisher).sum(1)
    cross = (columns[0] * columns[1] * fisher).sum(1)
    largest = (first + second) / 2 + torch.sqrt(((first - second) / 2).square() + cross.square())
    return (precision + largest).rsqrt()


def _location(model: Model, output: Tensor) -> Tensor:
    return output[:, : output.shape[1] // model.likelihood.parameters_per_pixel]


def _split_cells(
    model: Model, reach: float, ratio: float, watch: Watch
) -> tuple[Floats, Floats, float]:
    """Halve cells until their side is ≤ ratio · sd; a coarser ratio where that is too many."""
    latents = model.latent_dim
    parameter = model.reference
    side = 2 * reach / ROOT_CELLS
    axis = -reach + side * (np.arange(ROOT_CELLS) + 0.5)
    cells = np.stack([g.ravel() for g in np.meshgrid(*[axis] * latents, indexing="ij")], 1)
    corners = np.stack([g.ravel() for g in np.meshgrid(*[[-0.5, 0.5]] * latents, indexing="ij")], 1)
    centres, sides, worst, finished = [], [], 0.0, 0
    for level in range(MAX_LEVELS + 1):
        sd = []
        with torch.no_grad(), evaluating(model):
            for start in range(0, len(cells), CHUNK):
                z = torch.from_numpy(cells[start : start + CHUNK]).to(parameter)
                sd.append(smallest_sd(model, z).double().cpu().numpy())
                watch.check(0.8 * level / MAX_LEVELS)
        local = side / np.concatenate(sd)
        split = local > ratio
        full = finished + len(cells) + (2**latents - 1) * int(split.sum()) > MAX_CELLS
        if full or level == MAX_LEVELS:
            split[:] = False
        worst = max(worst, float(local[~split].max(initial=0.0)))
        finished += int((~split).sum())
        centres.append(cells[~split])
        sides.append(np.full(int((~split).sum()), side))
        if not split.any():
            break
        side /= 2
        cells = (cells[split][:, None] + side * corners).reshape(-1, latents)
    return np.concatenate(centres), np.concatenate(sides), worst
