"""What is known of z when only some pixels of a picture are: p(z | visible pixels).

Pixels are independent given z, so log p(visible|z) is a sum over the visible ones alone, and hidden
pixels integrate to one. From none visible (the prior) to all (the posterior) this is Bayes' rule in
slow motion. With one or two latents it is exact, by the machinery of `inference`; beyond, it is
importance sampling from the prior, which holds only while little is known.
"""

import copy
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats
from explorer.analysis.inference.emission import Decoded, Emission, Seen, Stretch
from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.likelihood import summarise_weights
from explorer.analysis.inference.mcmc import ESS_GATE
from explorer.analysis.inference.posterior_grid import QUICK_RATIO, PosteriorGrid, build_grid
from explorer.analysis.subject import Subject
from explorer.elbo.encoding import evaluating
from explorer.errors import ExplorerError
from explorer.models.base import Model

PRIOR_DRAWS, FEWEST_DRAWS = 8000, 1000
TABLE_VALUES = 1 << 24
"""Pixels of draws that are scored and kept, beyond the fewest: of large images fewer are drawn."""
CHUNK = 1024
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Knowledge:
    """p(z | visible pixels) as nodes with masses, and what it amounts to in nats.

    `points` (M, K) and `weights` (M,), which sum to one; `spacing` of the lattice (0 for draws).
    `log_px` = log p(visible) with its `error`, `information` = KL(p(z|visible)‖p(z)), `entropy` of
    p(z|visible). `is_exact` tells the lattice from importance sampling, whose effective number of
    draws is `ess`; `trusted` whether to believe it.
    """

    points: Floats
    weights: Floats
    spacing: float
    log_px: float
    error: float
    information: float
    entropy: float
    is_exact: bool
    ess: float
    trusted: bool

    @property
    def mean(self) -> Floats:
        """Mean of p(z|visible), (K,)."""
        return self.weights @ self.points

    @property
    def standard_deviation(self) -> Floats:
        """Standard deviations of p(z|visible), (K,)."""
        return np.sqrt(self.weights @ np.square(self.points - self.mean))

    def draw(self, count: int, seed: int = 0) -> Floats:
        """Return `count` draws of p(z|visible), (count, K)."""
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(self.points), count, p=self.weights)
        spread = rng.uniform(-0.5, 0.5, (count, self.points.shape[1])) * self.spacing
        return np.asarray(self.points[chosen] + spread)


class Reveal:
    """One picture, of which any pixels may be visible; log p(pixel|z) is decoded once, when asked.

    `x` is the image as scored, (1, C, H, W); `grid` one of `reveal_grid(model)`, needed for one or
    two latents. `latents` says how many there are.
    """

    def __init__(self, model: Model, x: Tensor, grid: PosteriorGrid | None = None) -> None:
        self._x = Subject(model, x).x.cpu()
        if len(self._x) != 1:
            raise ExplorerError("Reveal one picture at a time.")
        self.shape = tuple(self._x.shape[1:])
        self.latents = model.latent_dim
        self._model = copy.deepcopy(model).cpu().eval()
        self._given = grid

    @cached_property
    def _grid(self) -> PosteriorGrid | None:
        return (self._given or reveal_grid(self._model)) if self.latents <= 2 else None

    @cached_property
    def _nodes(self) -> Tensor:
        if self._grid is not None:
            return torch.from_numpy(self._grid.centre)
        generator = torch.Generator().manual_seed(0)
        draws = int(np.clip(TABLE_VALUES // self._x.numel(), FEWEST_DRAWS, PRIOR_DRAWS))
        return self._double.prior.sample(draws, generator).detach()

    @cached_property
    def _double(self) -> Model:
        return copy.deepcopy(self._model).double()

    @cached_property
    def _table(self) -> Tensor:
        return _score_pixels(self._model, self._nodes, self._x)

    def score(self) -> None:
        """Decode log p(pixel|z) now, tens of megabytes, and not at the first question."""
        self._table  # noqa: B018

    @property
    def picture(self) -> Floats:
        """The whole picture as it is scored, (C, H, W)."""
        return self._x[0].double().numpy()

    def know(self, visible: Mask) -> Knowledge:
        """Return p(z | visible pixels) for a mask (H, W); colour channels come together."""
        mask = np.asarray(visible, bool)
        if mask.shape != self.shape[1:]:
            raise ExplorerError(f"The mask must have shape {self.shape[1:]}; it has {mask.shape}.")
        kept = torch.from_numpy(np.broadcast_to(mask, self.shape).reshape(-1).copy())
        scores = self._table @ kept.to(self._table)
        return self._know_exactly(kept, scores) if self._grid else self._weigh_draws(scores)

    def complete(self, codes: Floats, visible: Mask) -> Floats:
        """Return pictures (N, C, H, W): visible pixels as given, hidden ones as decoded (mean)."""
        with torch.no_grad():
            z = torch.from_numpy(codes).to(self._model.reference)
            decoded = self._model.decode(z).mean.double().numpy()
        return np.where(np.asarray(visible, bool), self._x.double().numpy(), decoded)

    def _know_exactly(self, kept: Tensor, scores: Tensor) -> Knowledge:
        assert self._grid is not None
        nothing = torch.zeros(len(scores), 1, dtype=scores.dtype)
        normaliser = scores + self._grid.log_prior(self._nodes).to(scores)
        grid = replace(
            self._grid,
            stretches=(Stretch(Decoded(nothing, normaliser), None),),
            emission=_VisibleEmission(self._double, self._x, kept),
            walker=_VisibleEmission(self._model, self._x, kept),
        )
        found = infer_posterior(self._model, self._x, grid, gap_nodes=1, keep_points=True)
        weights = np.exp(found.log_weights[0])
        return Knowledge(
            points=found.points[0],
            weights=weights / weights.sum(),
            spacing=float(found.spacing[0]),
            log_px=float(found.log_px[0]),
            error=float(found.error[0]),
            information=float(found.information[0]),
            entropy=float(found.entropy[0]),
            is_exact=True,
            ess=math.inf,
            trusted=bool(found.certified[0]),
        )

    def _weigh_draws(self, scores: Tensor) -> Knowledge:
        log_weights = scores.double().numpy()
        log_px, error, ess = (float(part[0]) for part in summarise_weights(log_weights[None])[:3])
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        information = float(weights @ log_weights) - log_px
        cross = -float(weights @ self._double.prior.log_prob(self._nodes).detach().numpy())
        return Knowledge(
            points=self._nodes.numpy(),
            weights=weights,
            spacing=0.0,
            log_px=log_px,
            error=error,
            information=information,
            entropy=cross - information,
            is_exact=False,
            ess=ess,
            trusted=ess >= ESS_GATE,
        )


def reveal_grid(model: Model, codes: Tensor | Floats | None = None) -> PosteriorGrid:
    """Return a grid for `Reveal`, kept as long as the weights; K ≤ 2."""
    return build_grid(model, codes, ratio=QUICK_RATIO)


def order_pixels(shape: tuple[int, ...], by: str, seed: int = 0) -> NDArray[np.int64]:
    """Return the places of the H·W pixels in the order in which they become visible.

    `by` is "rows" (from the top, each from the left) or "random".
    """
    count = int(np.prod(shape[-2:]))
    if by == "rows":
        return np.arange(count)
    if by == "random":
        return np.random.default_rng(seed).permutation(count)
    raise ExplorerError(f"Pixels are uncovered by rows or at random, not by {by!r}.")


def uncover(shape: tuple[int, ...], order: NDArray[np.int64], count: int) -> Mask:
    """Return the mask (H, W) with the first `count` pixels of `order` visible."""
    mask = np.zeros(int(np.prod(shape[-2:])), dtype=bool)
    mask[order[:count]] = True
    return mask.reshape(shape[-2:])


class _VisibleEmission(Emission):
    """log p(visible pixels|z) of one image, in the place of the whole image's."""

    def __init__(self, model: Model, x: Tensor, kept: Tensor) -> None:
        self._scored = model
        self._image = x
        self._kept = kept
        self.dtype = model.reference.dtype
        self.device = torch.device("cpu")
        self.likelihood = model.likelihood
        self.factors = True

    def rectified(self) -> None:
        """Return None: no layer is folded into the image."""

    @torch.no_grad()
    def features(self, z: Tensor) -> Decoded:
        """Return no features, (M, 1), and log p(visible|z) as the normaliser (M,)."""
        scores = _score_pixels(self._scored, z, self._image) @ self._kept.to(self.dtype)
        return Decoded(torch.zeros(len(z), 1, dtype=self.dtype), scores)

    @torch.no_grad()
    def project(self, x: Tensor) -> Seen:
        """Return zeros (N, 1) and (N,): the image is already in the normaliser."""
        zeros = torch.zeros(len(x), 1, dtype=self.dtype)
        return Seen(zeros, zeros[:, 0])


def _score_pixels(model: Model, z: Tensor, x: Tensor) -> Tensor:
    """Return log p(x_i|z_m), (M, D), in the model's precision."""
    parameter = model.reference
    x = x.to(parameter)
    parts = []
    with torch.no_grad(), evaluating(model):
        for start in range(0, len(z), CHUNK):
            pixels = model.decode(z[start : start + CHUNK].to(parameter))
            parts.append(pixels.base_dist.log_prob(x).flatten(1))  # type: ignore[attr-defined]
    return torch.cat(parts)
