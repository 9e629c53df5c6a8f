"""The way from the encoder's q to the best normal for one image, step by step; K ≤ 2.

The ELBO of a normal q is a smooth function of few numbers (for K = 2 a mean, two scales and a
correlation), made deterministic by Gauss–Hermite nodes; L-BFGS climbs it in some thirty steps,
where `refinement`, which serves many images and latents, takes some hundreds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.analysis.checks import Floats
from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.refinement import (
    elbo_by_quadrature,
    gauss_hermite,
    normal_entropy,
)
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.elbo.encoding import evaluating
from explorer.errors import ExplorerError
from explorer.models.base import Model

NODES = 8
SCORING_NODES = 32
MAX_STEPS = 60
TOLERANCE = 1e-7
"""Relative change of the ELBO at which the climb ends."""
LARGEST_LOG_SCALE = 8.0
JUMP_NATS = 0.1
"""A better end than the path's by less than this is the same hill."""

Normal = tuple[Floats, Floats]
"""Mean (K,) and a lower factor L (K, K) of the covariance LLᵀ."""


@dataclass(frozen=True)
class RefinementPath:
    """Paths of q, each a list of (mean, factor), and the best q of each family with its ELBO.

    `diagonal` starts at the encoder's q, `full` at `best_diagonal`. ELBOs in nats by quadrature.
    `jumped` tells that the best diagonal q was not found from the encoder's but from another start.
    """

    diagonal: list[Normal]
    full: list[Normal]
    best_diagonal: Normal
    best_full: Normal
    encoder_elbo: float
    diagonal_elbo: float
    full_elbo: float
    jumped: bool

    @property
    def amortisation_gap(self) -> float:
        """ELBO(best diagonal) − ELBO(encoder), nats: the price of one encoder for all images."""
        return self.diagonal_elbo - self.encoder_elbo

    def approximation_gap(self, log_px: float) -> float:
        """Return log p(x) − ELBO(best diagonal), nats: the price of the diagonal family."""
        return log_px - self.diagonal_elbo


def trace_refinement(
    model: Model,
    x: Tensor,
    starts: ArrayLike = (),
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RefinementPath:
    """Return how q climbs the ELBO of one image x (1, C, H, W).

    Diagonal normals climb from the encoder's q and from each location of `starts` (T, K), such as
    the exact posterior's mode and mean; full ones from the best of these. Raises ExplorerError for
    more than two latents and `Stopped` when `stop()` answers True.
    """
    if model.latent_dim > 2:
        raise ExplorerError("The path of q is recorded for one or two latents.")
    subject = Subject(model, x[:1])
    x = subject.x
    watch = Watch(progress, stop)
    emission = Emission(model)
    mean, logvar = (code[0] for code in subject.codes)
    sd = np.exp(0.5 * logvar)
    encoder = (mean, np.diag(sd))
    places = np.asarray(starts, dtype=np.float64).reshape(-1, model.latent_dim)
    candidates = [encoder, *((place, np.diag(sd)) for place in places)]

    def score(q: Normal) -> float:
        location, factor = (torch.from_numpy(np.array(part))[None] for part in q)
        found = elbo_by_quadrature(model, x, location, factor, SCORING_NODES, emission=emission)
        return float(found[0])

    paths: list[list[Normal]] = []
    for number, start in enumerate(candidates):
        watch.check(number / (len(candidates) + 1))
        paths.append(_climb(model, x, start, full=False))
    ends = [path[-1] for path in paths]
    elbos = [score(end) for end in ends]
    encoder_elbo = score(encoder)
    winner = int(np.argmax([encoder_elbo, *elbos]))
    best_diagonal = [encoder, *ends][winner]
    diagonal_elbo = max(encoder_elbo, *elbos)
    watch.check(len(candidates) / (len(candidates) + 1))
    full = _climb(model, x, best_diagonal, full=True)
    full_elbo, best_full = score(full[-1]), full[-1]
    if full_elbo < diagonal_elbo:
        full_elbo, best_full, full = diagonal_elbo, best_diagonal, [best_diagonal]
    watch.report(1.0)
    return RefinementPath(
        diagonal=[encoder, *paths[0]],
        full=full,
        best_diagonal=best_diagonal,
        best_full=best_full,
        encoder_elbo=encoder_elbo,
        diagonal_elbo=diagonal_elbo,
        full_elbo=full_elbo,
        jumped=winner > 1 and diagonal_elbo - elbos[0] > JUMP_NATS,
    )


def _climb(model: Model, x: Tensor, start: Normal, *, full: bool) -> list[Normal]:
    """Return the steps of L-BFGS on the ELBO, in units of the start's own sd."""
    from scipy.optimize import minimize

    latents = model.latent_dim
    points, weights = gauss_hermite(NODES, latents)
    noise, weight = (torch.from_numpy(part).to(x) for part in (points, weights))
    repeated = x.expand(len(noise), *x.shape[1:])
    centre, factor = (torch.from_numpy(np.array(part)) for part in start)
    unit = torch.diagonal(factor)

    def assemble(values: Tensor) -> tuple[Tensor, Tensor]:
        """From K shifts, K log scales and, for full normals, what lies below the diagonal."""
        log_scale = values[latents : 2 * latents].clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
        lower = torch.diag_embed(unit * torch.exp(log_scale)) + torch.tril(factor, -1)
        if full and latents == 2:
            tilt = torch.zeros_like(lower)
            tilt[1, 0] = 1.0
            lower = lower + tilt * values[-1] * unit[1]
        return centre + unit * values[:latents], lower

    def loss(values: Floats) -> tuple[float, Floats]:
        variables = torch.from_numpy(values).requires_grad_(True)
        location, lower = assemble(variables)
        z = (location + noise.double() @ lower.T).to(x)
        cost = model.nll(z, repeated).double()
        kl = model.prior.normal_kl(location[None], lower[None])
        if kl is None:
            cost = cost - model.prior.log_prob(z).double()
            kl = -normal_entropy(lower[None])
        total = (weight.double() * cost).sum() + kl[0]
        total.backward()  # type: ignore[no-untyped-call]
        assert variables.grad is not None
        value = float(total.detach())
        if not math.isfinite(value):
            return 1e12, np.zeros_like(values)
        return value, variables.grad.numpy()

    steps: list[Floats] = []
    count = 2 * latents + int(full and latents == 2)
    with torch.enable_grad(), evaluating(model):
        minimize(
            loss,
            np.zeros(count),
            jac=True,
            method="L-BFGS-B",
            callback=lambda values: steps.append(np.array(values)),
            options={"maxiter": MAX_STEPS, "ftol": TOLERANCE, "maxls": 12},
        )
    return [_plain(assemble(torch.from_numpy(values))) for values in [np.zeros(count), *steps]]


def _plain(q: Sequence[Tensor]) -> Normal:
    return q[0].numpy(), q[1].numpy()
