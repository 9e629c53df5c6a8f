"""Sampling p(z|x) where no grid reaches: batched HMC, and annealed importance sampling.

Chains start from the prior, never from q: started from q they agree with each other long before
they have seen the posterior. Step sizes adapt per image by dual averaging (Hoffman and Gelman
2014, Sect. 3.2) and per dimension by the sds seen so far, both during the warm-up only; afterwards
steps are jittered by ±20 %. R̂ and effective sample sizes are arviz-stats' (Vehtari et al. 2021).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.elbo.encoding import evaluating
from explorer.errors import ExplorerError
from explorer.models.base import Model

LEAPFROG_STEPS = 10
"""The most per proposal; each takes between half of them and all."""
TARGET_ACCEPTANCE = 0.8
JITTER = 0.2
RHAT_GATE = 1.01
ESS_GATE = 400.0
FIRST_STEP = 0.1
METRIC_WINDOWS = (0.15, 0.5, 0.9)
"""Shares of the warm-up between which the sds of the posterior are learned, twice."""
SMALLEST_VARIANCE = 1e-3
LogDensity = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PosteriorSample:
    """Draws of p(z|x): `draws` (chains, draws, N, K); the rest per image.

    `rhat`, `ess_bulk`, `ess_tail` (N, K); `acceptance` and `step_size` (N,). `converged` (N,)
    needs R̂ < 1.01 and both ESS ≥ 400 in every dimension; do not quote an image without it.
    `warmup` (chains, 1 + steps, N, K) is the way there from the prior, if it was kept.
    """

    draws: Floats
    rhat: Floats
    ess_bulk: Floats
    ess_tail: Floats
    acceptance: Floats
    step_size: Floats
    converged: NDArray[np.bool_]
    warmup: Floats | None = None

    @property
    def mean(self) -> Floats:
        """Posterior means, (N, K)."""
        return self.draws.mean((0, 1))

    @property
    def standard_deviation(self) -> Floats:
        """Posterior standard deviations, (N, K)."""
        return self.draws.std((0, 1))

    def to_dict(self) -> dict[str, Any]:
        """Return a summary as plain values."""
        chains, draws, images, _ = self.draws.shape
        return plain(
            {
                "images": images,
                "chains": chains,
                "draws": draws,
                "converged": int(self.converged.sum()),
                "largest_rhat": np.nanmax(self.rhat),
                "smallest_ess": min(np.nanmin(self.ess_bulk), np.nanmin(self.ess_tail)),
                "acceptance": self.acceptance.mean(),
            }
        )


@dataclass(frozen=True)
class AnnealedLikelihood:
    """log p̂(x) per image, (N,), nats, by annealed importance sampling with `chains` chains.

    A lower bound in expectation. `standard_error` by the delta method over chains; `ess` of the
    chains' weights, in [1, chains]: believe an image only where it is well above 1.
    """

    log_px: Floats
    standard_error: Floats
    ess: Floats
    acceptance: Floats
    chains: int

    def to_dict(self) -> dict[str, Any]:
        """Return means over images as plain values."""
        return plain(
            {
                "images": len(self.log_px),
                "log_px": self.log_px.mean(),
                "ess_median": np.median(self.ess),
                "chains": self.chains,
            }
        )


def sample_posterior(
    model: Model,
    x: Tensor,
    *,
    chains: int = 4,
    draws: int = 1000,
    warmup: int = 500,
    keep_warmup: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> PosteriorSample:
    """Return HMC draws of p(z|x) for target images x (N, C, H, W), all chains in one batch.

    Raises ExplorerError for bad images or fewer than 2 chains (R̂ compares chains), Stopped when
    `stop()` answers True. Source: Neal 2011; Hoffman and Gelman 2014, Eq. 6.
    """
    if chains < 2 or draws < 4 or warmup < 1:
        raise ExplorerError("HMC needs at least 2 chains, 4 draws and 1 step of warm-up.")
    watch = Watch(progress, stop)
    x, generator, z = _start(model, x, chains, seed)
    kept = torch.empty((draws, *z.shape), dtype=z.dtype)
    way = [z.cpu()]
    accepted = torch.zeros(len(x), dtype=torch.float64)
    with evaluating(model):
        target = _log_joint(model, x, chains)
        steps = _DualAveraging(len(x), z)
        scale = torch.ones((len(x), model.latent_dim)).to(z)
        starts = [int(share * warmup) for share in METRIC_WINDOWS]
        window: list[Tensor] = []
        for iteration in range(warmup + draws):
            watch.check(iteration / (warmup + draws))
            warming = iteration < warmup
            size = (steps.current if warming else steps.final) * scale
            z, probability = _hmc_step(z, target, size, generator, jitter=not warming)
            rate = probability.view(chains, -1).mean(0)
            if warming:
                if keep_warmup:
                    way.append(z.cpu())
                steps.update(rate)
                if iteration >= starts[0]:
                    window.append(z)
                if iteration in starts[1:] and len(window) > 10:
                    scale = _posterior_scale(window, chains)
                    window, steps = [], _DualAveraging(len(x), z)
            else:
                kept[iteration - warmup] = z.cpu()
                accepted += rate.double().cpu() / draws
    watch.report(1.0)

    def arrange(states: Tensor) -> Floats:
        by_step = states.double().numpy().reshape(len(states), chains, len(x), -1)
        return np.asarray(by_step.swapaxes(0, 1))

    values = arrange(kept)
    rhat, bulk, tail = diagnose_chains(values)
    good = (rhat < RHAT_GATE) & (bulk >= ESS_GATE) & (tail >= ESS_GATE)
    return PosteriorSample(
        draws=values,
        rhat=rhat,
        ess_bulk=bulk,
        ess_tail=tail,
        acceptance=accepted.numpy(),
        step_size=steps.final.double().cpu().numpy(),
        converged=np.asarray(good.all(axis=1)),
        warmup=arrange(torch.stack(way)) if keep_warmup else None,
    )


def draw_starts(model: Model, x: Tensor, chains: int, seed: int = 0) -> Floats:
    """Return where the chains of `sample_posterior` start, (chains, N, K): draws of the prior."""
    z = _start(model, x, chains, seed)[2]
    return np.asarray(z.double().cpu().numpy().reshape(chains, len(x), -1))


def _posterior_scale(window: list[Tensor], chains: int) -> Tensor:
    """Return sds (N, K) within chains, shrunk as in Stan, for steps of equal reach everywhere."""
    draws = torch.stack(window).view(len(window), chains, -1, window[0].shape[1])
    count = len(window) * chains
    variance = draws.var(0).mean(0)
    return ((count * variance + 5 * SMALLEST_VARIANCE) / (count + 5)).sqrt()


def diagnose_chains(draws: Floats) -> tuple[Floats, Floats, Floats]:
    """Return R̂, bulk ESS and tail ESS, each (N, K), of draws (chains, draws, N, K).

    Rank-normalised split R̂ (Vehtari et al. 2021) by arviz-stats; NaN (a stuck chain) fails every
    gate.
    """
    from arviz_stats.base import array_stats

    values = np.moveaxis(draws, (0, 1), (-2, -1))
    with np.errstate(all="ignore"):
        rhat = np.asarray(array_stats.rhat(values, chain_axis=-2, draw_axis=-1))
        bulk = np.asarray(array_stats.ess(values, chain_axis=-2, draw_axis=-1, method="bulk"))
        tail = np.asarray(
            array_stats.ess(values, chain_axis=-2, draw_axis=-1, method="tail", prob=0.95)
        )
    return rhat, bulk, tail


def anneal_log_px(
    model: Model,
    x: Tensor,
    *,
    chains: int = 16,
    temperatures: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> AnnealedLikelihood:
    """Return log p(x) of target images x (N, C, H, W) by annealed importance sampling.

    From the prior to the posterior along p(z)·p(x|z)^t, t on a sigmoid schedule, one HMC step at
    each (Neal 2001; Wu et al. 2017). It does not use q at all, which makes it the check on
    `estimate_log_px`. Raises Stopped when `stop()` answers True.
    """
    if chains < 1 or temperatures < 2:
        raise ExplorerError("Annealing needs at least 1 chain and 2 temperatures.")
    watch = Watch(progress, stop)
    x, generator, z = _start(model, x, chains, seed)
    ramp = torch.sigmoid(torch.linspace(-4, 4, temperatures + 1, dtype=torch.float64))
    schedule = ((ramp - ramp[0]) / (ramp[-1] - ramp[0])).tolist()
    log_weights = torch.zeros(z.shape[0], dtype=torch.float64, device=z.device)
    accepted = torch.zeros(len(x), dtype=torch.float64)
    with evaluating(model):
        repeated = x.repeat(chains, 1, 1, 1)
        size = torch.full((len(x), 1), FIRST_STEP, dtype=z.dtype, device=z.device)
        for number in range(1, temperatures + 1):
            watch.check(number / temperatures)
            with torch.no_grad():
                likelihood = -model.nll(z, repeated).double()
            log_weights += (schedule[number] - schedule[number - 1]) * likelihood
            if number == temperatures:
                break
            target = _log_joint(model, x, chains, temperature=schedule[number])
            z, probability = _hmc_step(z, target, size, generator, jitter=True)
            rate = probability.view(chains, -1).mean(0)
            accepted += rate.double().cpu() / (temperatures - 1)
            # Towards 65 % acceptance, as in Wu et al. 2017.
            size = (size * torch.where(rate > 0.65, 1.02, 0.98)[:, None]).clamp(1e-4, 2.0)
    watch.report(1.0)
    weights = log_weights.view(chains, -1).T.cpu().numpy()
    from explorer.analysis.inference.likelihood import summarise_weights

    log_px, error, ess, _, _ = summarise_weights(weights)
    return AnnealedLikelihood(log_px, error, ess, accepted.numpy(), chains)


def _start(
    model: Model, x: Tensor, chains: int, seed: int
) -> tuple[Tensor, torch.Generator, Tensor]:
    """Return checked images, a generator and prior draws (chains·N, K)."""
    x = Subject(model, x).x
    generator = torch.Generator(x.device).manual_seed(seed)
    return x, generator, model.prior.sample(chains * len(x), generator).detach().to(x)


def _log_joint(model: Model, x: Tensor, chains: int, temperature: float = 1.0) -> LogDensity:
    repeated = x.repeat(chains, 1, 1, 1)

    def log_density(z: Tensor) -> Tensor:
        return -temperature * model.nll(z, repeated) + model.prior.log_prob(z)

    return log_density


def _hmc_step(
    z: Tensor, target: LogDensity, size: Tensor, generator: torch.Generator, *, jitter: bool
) -> tuple[Tensor, Tensor]:
    """Return the next state (M, K) and acceptance probabilities (M,).

    `size` (N, 1 or K) is per image, times a dimension's sd where known (a diagonal mass matrix);
    M = chains·N. A divergent proposal has probability 0.
    """

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, dtype=z.dtype, device=z.device)

    step = size.repeat(len(z) // len(size), 1)
    if jitter:
        step = step * (1 + JITTER * (2 * uniform(len(z), 1) - 1))
    momentum = torch.randn(z.shape, generator=generator, dtype=z.dtype, device=z.device)
    value, gradient = _value_and_gradient(target, z)
    energy = value - 0.5 * momentum.square().sum(1)
    position, p = z, momentum + 0.5 * step * gradient
    new_value = value
    # A fixed length can close an orbit on itself, z → −z, and never change its radius.
    count = int(
        torch.randint(
            LEAPFROG_STEPS // 2, LEAPFROG_STEPS + 1, (), generator=generator, device=z.device
        )
    )
    for number in range(count):
        position = position + step * p
        new_value, gradient = _value_and_gradient(target, position)
        p = p + (step if number < count - 1 else 0.5 * step) * gradient
    log_ratio = new_value - 0.5 * p.square().sum(1) - energy
    probability = torch.nan_to_num(log_ratio, nan=-math.inf).clamp_max(0).exp()
    accept = uniform(len(z)) < probability
    return torch.where(accept[:, None], position, z), probability


def _value_and_gradient(target: LogDensity, z: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        leaf = z.detach().requires_grad_(True)
        value = target(leaf)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), torch.nan_to_num(gradient)


class _DualAveraging:
    """Nesterov's dual averaging of log step sizes, one per image (Hoffman and Gelman 2014)."""

    GAMMA, OFFSET, KAPPA = 0.05, 10.0, 0.75

    def __init__(self, images: int, like: Tensor) -> None:
        self._anchor = math.log(10 * FIRST_STEP)
        self._log_size = torch.full((images, 1), math.log(FIRST_STEP)).to(like)
        self._averaged = torch.zeros_like(self._log_size)
        self._error = torch.zeros_like(self._log_size)
        self._count = 0

    @property
    def current(self) -> Tensor:
        """Step sizes (N, 1) while warming up."""
        return self._log_size.exp()

    @property
    def final(self) -> Tensor:
        """The averaged step sizes (N, 1), fixed after the warm-up."""
        return self._averaged.exp()

    def update(self, acceptance: Tensor) -> None:
        """Move towards the target acceptance, given each image's mean acceptance (N,)."""
        self._count += 1
        t = self._count
        weight = 1 / (t + self.OFFSET)
        gap = TARGET_ACCEPTANCE - acceptance.to(self._error)[:, None]
        self._error = (1 - weight) * self._error + weight * gap
        self._log_size = self._anchor - math.sqrt(t) / self.GAMMA * self._error
        share = t**-self.KAPPA
        self._averaged = share * self._log_size + (1 - share) * self._averaged
