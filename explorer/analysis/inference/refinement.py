"""How good could q(z|x) be for one image? The encoder's q against the best of its family.

log p(x) − ELBO(encoder) = approximation gap + amortisation gap (Cremer et al. 2018): the first,
log p(x) − ELBO(q*), is the price of the family (diagonal or full normals); the second,
ELBO(q*) − ELBO(encoder), that of one encoder for all images.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.posterior_grid import exact_prior
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.cost import decoding_cost
from explorer.training.optimiser import Adam

FAMILIES = ("diagonal", "full")
HERMITE_NODES = {1: 16, 2: 8}
"""Gauss–Hermite nodes per dimension while optimising: a deterministic ELBO for K ≤ 2."""
TRAINING_SAMPLES = 32
EVALUATION_SAMPLES = 2000
TRAINING_COST, EVALUATION_COST = 320e6, 14e9
"""Multiply-adds that decoding the draws of one image may take: a step, and the final score. Of
costlier decoders fewer draws are taken, so that one image takes ten seconds and not a minute."""
FEWEST_TRAINING, FEWEST_EVALUATION = 4, 100
CHUNK_CODES = 8192
NEGLIGIBLE = 1e-14
"""Weight below which a point of a quadrature is left out."""


@dataclass(frozen=True)
class Draws:
    """How many draws of q a step of the ascent and the final score take, where K > 2."""

    training: int = TRAINING_SAMPLES
    evaluation: int = EVALUATION_SAMPLES

    @classmethod
    def within(cls, training: float, evaluation: float) -> "Draws":
        """Return as many as are allowed, even for the pairs that they come in."""
        most = TRAINING_SAMPLES, EVALUATION_SAMPLES
        least = FEWEST_TRAINING, FEWEST_EVALUATION
        asked = training, evaluation
        counts = [
            2 * int(min(max(wish, few), many) / 2)
            for wish, few, many in zip(asked, least, most, strict=True)
        ]
        return cls(*counts)


@dataclass(frozen=True)
class RefinedPosterior:
    """The best q per image: mean (N, K), lower Cholesky factor (N, K, K) of its covariance.

    `elbo` (N,) is its ELBO and `encoder_elbo` (N,) the encoder's, nats, with Monte-Carlo standard
    errors (0 where K ≤ 2: those are quadratures). `start` (N,) tells which start won, 0 being the
    encoder's own q.
    """

    mean: Floats
    cholesky: Floats
    elbo: Floats
    elbo_error: Floats
    encoder_elbo: Floats
    encoder_elbo_error: Floats
    start: np.ndarray
    family: str

    @property
    def amortisation_gap(self) -> Floats:
        """ELBO(q*) − ELBO(encoder), (N,), nats."""
        return self.elbo - self.encoder_elbo

    def approximation_gap(self, log_px: ArrayLike) -> Floats:
        """Return log p(x) − ELBO(q*), (N,), nats, for log p(x) from `inference` or `mcmc`."""
        return np.asarray(log_px, dtype=np.float64) - self.elbo

    def to_dict(self) -> dict[str, Any]:
        """Return means and medians over images as plain numbers."""
        gap = self.amortisation_gap
        return plain(
            {
                "family": self.family,
                "images": len(self.elbo),
                "elbo": self.elbo.mean(),
                "encoder_elbo": self.encoder_elbo.mean(),
                "amortisation_gap_mean": gap.mean(),
                "amortisation_gap_median": np.median(gap),
            }
        )


def refine_posterior(
    model: Model,
    x: Tensor,
    *,
    family: str = "diagonal",
    starts: ArrayLike | None = None,
    prior_starts: int = 2,
    steps: int = 200,
    learning_rate: float = 0.05,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RefinedPosterior:
    """Return the best normal q per image of x (N, C, H, W), from several starts.

    Starts: the encoder's q, `prior_starts` draws of the prior, and `starts` (T, N, K), for example
    the modes of the exact posterior. Each runs Adam on the ELBO, by Gauss–Hermite quadrature for
    K ≤ 2 and by 32 fresh antithetic samples beyond, fewer of decoders beyond ten million
    multiply-adds. All are scored at the end by the same draws, so the result is never worse than
    the encoder by more than its error. `family`: diagonal or full.
    """
    return refine_subject(
        Subject(model, x),
        family=family,
        starts=starts,
        prior_starts=prior_starts,
        steps=steps,
        learning_rate=learning_rate,
        seed=seed,
        progress=progress,
        stop=stop,
    )


def refine_subject(
    subject: Subject,
    *,
    family: str = "diagonal",
    starts: ArrayLike | None = None,
    prior_starts: int = 2,
    steps: int = 200,
    learning_rate: float = 0.05,
    seed: int = 0,
    draws: Draws | None = None,
    beta: float = 1.0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RefinedPosterior:
    """Return what `refine_posterior` does, of a subject that is checked and encoded already.

    `draws` are by default as many as the cost of the decoder allows. With another `beta` the best
    q is that of the β-ELBO, E log p(x|z) − β·KL, which then stands in place of the ELBO.
    """
    model, x = subject.model, subject.x
    if family not in FAMILIES:
        raise ExplorerError(f"family must be one of {', '.join(FAMILIES)}; it is {family!r}.")
    watch = Watch(progress, stop)
    generator = torch.Generator(x.device).manual_seed(seed)
    if draws is None:
        cost = decoding_cost(model)
        draws = Draws.within(TRAINING_COST / cost, EVALUATION_COST / cost)
    rule = _Rule(model.latent_dim, x.dtype, x.device, generator, draws, beta)
    mean, logvar = subject.posterior
    with subject.hold():
        with torch.no_grad():
            scale = torch.diag_embed(torch.exp(0.5 * logvar))
            # The same draws for all: what they have in common does not decide who wins.
            scoring = rule.draw(evaluation=True)
            encoder_elbo, encoder_error = _evaluate(model, x, mean, scale, rule, scoring)
            candidates = [(mean, scale)]
            for _ in range(prior_starts):
                z = model.prior.sample(len(mean), generator).to(mean)
                candidates.append((z, scale))
            if starts is not None:
                for location in torch.as_tensor(np.asarray(starts)).to(mean):
                    candidates.append((location, scale))
        best = (mean, scale, encoder_elbo, encoder_error, torch.zeros_like(encoder_elbo).long())
        for number, (location, factor) in enumerate(candidates):
            part = watch.part(number / len(candidates), (number + 1) / len(candidates))
            refined = _ascend(model, x, location, factor, family, rule, steps, learning_rate, part)
            with torch.no_grad():
                elbo, error = _evaluate(model, x, *refined, rule, scoring)
            # NaN never wins.
            wins = elbo > best[2]
            new = (*refined, elbo, error, torch.full_like(best[4], number))
            best = tuple(  # type: ignore[assignment]
                torch.where(wins.view(-1, *[1] * (old.ndim - 1)), fresh, old)
                for fresh, old in zip(new, best, strict=True)
            )
    watch.report(1.0)
    mean, scale, elbo, error, start = (part.cpu() for part in best)
    return RefinedPosterior(
        mean=mean.double().numpy(),
        cholesky=scale.double().numpy(),
        elbo=elbo.numpy(),
        elbo_error=error.numpy(),
        encoder_elbo=encoder_elbo.cpu().numpy(),
        encoder_elbo_error=encoder_error.cpu().numpy(),
        start=start.numpy(),
        family=family,
    )


def gauss_hermite(nodes: int, latents: int) -> tuple[Floats, Floats]:
    """Return points (M, K) and weights (M,) for E[f(ε)], ε ~ N(0, I), by a product rule.

    Of the nodes^K points those of negligible weight are left out: at 64² three quarters of them,
    with 4e-13 of the weight.

    >>> points, weights = gauss_hermite(5, 2)
    >>> round(float((weights * points[:, 0] ** 2 * points[:, 1] ** 2).sum()), 12)
    1.0
    """
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    grids = np.meshgrid(*[points] * latents, indexing="ij")
    products = np.meshgrid(*[weights] * latents, indexing="ij")
    weight = np.prod([product.ravel() for product in products], axis=0)
    kept = ~(weight <= NEGLIGIBLE)  # Too many nodes are not a number: that must be seen.
    return np.stack([grid.ravel()[kept] for grid in grids], 1), weight[kept]


def elbo_by_quadrature(
    model: Model,
    x: Tensor,
    mean: Tensor,
    cholesky: Tensor,
    nodes: int = 32,
    *,
    emission: Emission | None = None,
    score: Callable[[int, Tensor], Tensor] | None = None,
) -> Floats:
    """Return the ELBO (N,) of normal q's by a nodes^K Gauss–Hermite rule, summed in float64; K ≤ 2.

    `emission` is the model's decoder, if it is at hand: in float64, or for a Bernoulli likelihood
    in the model's own precision, which takes half the time and costs some 1e-5 nats. `score`
    answers log p(x_n|z), (M,), of image n and codes (M, K) in its place.
    Independent of any grid: the check on the identity log p = ELBO + KL(q‖p(z|x)).
    """
    if score is None:
        score = _whole_score(emission or Emission(model), x)
    points, weights = gauss_hermite(nodes, model.latent_dim)
    epsilon, weight = torch.from_numpy(points), torch.from_numpy(weights)
    mean, cholesky = mean.detach().cpu().double(), cholesky.detach().cpu().double()
    values = np.empty(len(x))
    for n in range(len(x)):
        values[n] = float((weight * score(n, mean[n] + epsilon @ cholesky[n].T)).sum())
    prior = exact_prior(model)
    kl = prior.normal_kl(mean, cholesky)
    if kl is not None:
        return values - kl.numpy()
    for n in range(len(x)):
        values[n] += float((weight * prior.log_prob(mean[n] + epsilon @ cholesky[n].T)).sum())
    return values + normal_entropy(cholesky).numpy()


def _whole_score(emission: Emission, x: Tensor) -> Callable[[int, Tensor], Tensor]:
    seen = emission.project(x)
    return lambda n, z: emission.score(emission.features(z), seen.image(n))[:, 0]


def normal_entropy(cholesky: Tensor) -> Tensor:
    """Return the entropy of N(·, LLᵀ), (N,), nats, from L (N, K, K)."""
    diagonal = torch.diagonal(cholesky, dim1=-2, dim2=-1)
    each = 0.5 * (1 + math.log(2 * math.pi))
    return diagonal.abs().log().sum(-1) + each * diagonal.shape[-1]


def _fixed_part(model: Model, mean: Tensor, cholesky: Tensor, beta: float) -> Tensor:
    """Return what of −ELBO needs no draws of q, (N,): KL, or −entropy where it has no formula."""
    kl = model.prior.normal_kl(mean, cholesky)
    return beta * (-normal_entropy(cholesky) if kl is None else kl)


def _drawn_part(model: Model, z: Tensor, x: Tensor, beta: float) -> Tensor:
    """Return what of −ELBO does, (S, N), for codes z (S, N, K) and images x (N, C, H, W)."""
    nll = model.nll(z.flatten(0, 1), x.repeat(len(z), 1, 1, 1)).view(len(z), -1)
    return nll if model.prior.has_shares else nll - beta * model.prior.log_prob(z)


class _Rule:
    """Noise and weights for E_q: fixed Gauss–Hermite nodes for K ≤ 2, else random draws.

    `beta` is the weight of KL in what they are drawn for.
    """

    def __init__(
        self,
        latents: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: torch.Generator,
        draws: Draws,
        beta: float,
    ) -> None:
        self._draws, self.beta = draws, beta
        self._dtype, self._device = dtype, device
        self._latents = latents
        self._generator = generator
        self.exact = latents in HERMITE_NODES

    def draw(self, evaluation: bool) -> tuple[Tensor, Tensor]:
        """Return noise (S, K) and weights (S,)."""
        if self.exact:
            nodes = HERMITE_NODES[self._latents] * (2 if evaluation else 1)
            points, weights = gauss_hermite(nodes, self._latents)
            at, weight = torch.from_numpy(points), torch.from_numpy(weights)
            return at.to(self._device, self._dtype), weight.to(self._device, self._dtype)
        count = self._draws.evaluation if evaluation else self._draws.training
        half = torch.randn(
            (count // 2, self._latents),
            generator=self._generator,
            dtype=self._dtype,
            device=self._device,
        )
        return torch.cat([half, -half]), torch.full_like(half[:1, 0], 1 / count).expand(count)


def _evaluate(
    model: Model,
    x: Tensor,
    mean: Tensor,
    scale: Tensor,
    rule: _Rule,
    scoring: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """Return the ELBO (N,) by noise and weights, and its standard error, float64."""
    noise, weights = scoring
    total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    square = torch.zeros_like(total)
    step = max(1, CHUNK_CODES // len(x))
    for start in range(0, len(noise), step):
        part = noise[start : start + step]
        z = mean + torch.einsum("nkl,sl->snk", scale, part)
        nll = _drawn_part(model, z, x, rule.beta).double()
        weight = weights[start : start + step, None].double()
        total += (weight * nll).sum(0)
        square += (weight * nll.square()).sum(0)
    variance = (square - total.square()).clamp_min(0)
    error = torch.zeros_like(total) if rule.exact else (variance / len(noise)).sqrt()
    return -total - _fixed_part(model, mean.double(), scale.double(), rule.beta), error


def _ascend(
    model: Model,
    x: Tensor,
    mean: Tensor,
    scale: Tensor,
    family: str,
    rule: _Rule,
    steps: int,
    learning_rate: float,
    watch: Watch,
) -> tuple[Tensor, Tensor]:
    """Return mean and Cholesky factor after Adam on the ELBO; steps are in units of q's sd."""
    unit = torch.diagonal(scale, dim1=1, dim2=2).detach()
    shift = torch.zeros_like(mean, requires_grad=True)
    log_scale = torch.zeros_like(unit, requires_grad=True)
    lower = torch.zeros_like(scale, requires_grad=family == "full")
    variables = [shift, log_scale] + ([lower] if family == "full" else [])
    optimiser = Adam(variables, learning_rate)

    def assemble() -> tuple[Tensor, Tensor]:
        diagonal = unit * torch.exp(log_scale.clamp(-12, 12))
        factor = torch.diag_embed(diagonal)
        if family == "full":
            factor = factor + torch.tril(lower, -1) * unit[:, :, None]
        return mean + shift * unit * 4, factor

    with torch.enable_grad():
        for step in range(steps):
            location, factor = assemble()
            noise, weights = rule.draw(evaluation=False)
            z = location + torch.einsum("nkl,sl->snk", factor, noise)
            drawn = (weights[:, None] * _drawn_part(model, z, x, rule.beta)).sum(0)
            loss = drawn + _fixed_part(model, location, factor, rule.beta)
            optimiser.forget()
            loss.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.lr = learning_rate * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
            optimiser.update()
            if step % 20 == 0:
                watch.check(step / steps)
    with torch.no_grad():
        location, factor = assemble()
    return location.detach(), factor.detach()
