"""The ELBO of single images to a stated error, by few decodes of the decoder.

The KL is in closed form, so that only E_q log p(x|z) is averaged over draws. They come in pairs
z = μ ± σε (antithetic variates): what log p(x|z) has of odd powers of ε cancels within a pair, and
its gradient is most of its spread where q is narrow. What is left of it along single dimensions is
taken out by ε² − 1, whose mean is known to be 0 (control variates; Owen 2013, Monte Carlo theory,
methods and examples, Ch. 8).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from explorer.analysis.checks import Floats
from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.microscope import Balance, encode_exactly
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.config.checks import check_seed
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.cost import decoding_cost

FEWEST_PAIRS = 64
"""Pairs from which the error is read: of fewer it is itself too uncertain to stop at."""
MOST_DECODES = 4096
PAIRS_AT_ONCE = 16
PAIRS_PER_CONTROL = 8
"""Controls are fitted where there are so many pairs of each: fewer cost more than they explain."""
FEWEST_SAMPLES, MOST_SAMPLES = 500, 5000
SAMPLING_COST = 10_000_000_000
"""Multiply-adds that the decodes of each of one image's estimates may take: about a second."""


@dataclass(frozen=True)
class ElboEstimate:
    """One image's ELBO, nats: −(reconstruction + kl), from so many `decodes`.

    `error` is the standard error of the reconstruction: that of the KL is 0 for N(0, I), and small
    beside it for a mixture.
    """

    reconstruction: float
    kl: float
    error: float
    decodes: int

    @property
    def elbo(self) -> float:
        """−(reconstruction + KL)."""
        return -(self.reconstruction + self.kl)


def estimate_elbo(
    model: Model,
    x: torch.Tensor,
    error: float = 0.1,
    *,
    most_decodes: int = MOST_DECODES,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> ElboEstimate:
    """Return the ELBO of one target image x (1, C, H, W) with a standard error of at most `error`.

    Draws go on until the error is reached, or `most_decodes` are done: then `error` of the result
    says how far it came. When `stop()` answers True it is what the draws so far give. Errors:
    ExplorerError for a model without a density, bad images or an error that is not positive.
    """
    if not error > 0 or most_decodes < 2 * FEWEST_PAIRS:
        raise ExplorerError(
            f"The error must be positive, and at least {2 * FEWEST_PAIRS} decodes allowed."
        )
    subject = Subject(model, x[:1])
    watch = Watch(progress, stop)
    pairs, noise = np.empty(0), np.empty((0, model.latent_dim))
    with torch.no_grad(), subject.hold():
        kl = float(encode_exactly(model, subject.x)[2])
        for drawn, scores in _draw_pairs(subject, seed):
            pairs, noise = np.concatenate([pairs, scores]), np.concatenate([noise, drawn])
            done = 2 * len(pairs)
            if len(pairs) < FEWEST_PAIRS:
                continue
            mean, spread = average_pairs(pairs, noise)
            watch.report(max(done / most_decodes, min(1.0, (error / spread) ** 2) if spread else 1))
            if spread <= error or done + 2 * PAIRS_AT_ONCE > most_decodes or watch.stopped():
                break
    return ElboEstimate(-mean, kl, spread, done)


def balance_image(
    model: Model, x: torch.Tensor, samples: int | None = None
) -> tuple[Balance, ElboEstimate, int]:
    """Return the identity of one target image x (1, C, H, W), its ELBO, and the samples taken.

    log p(x) is importance-weighted, by default of as many samples as the decoder's cost allows; the
    ELBO is `estimate_elbo`'s, which the same samples would tell less sharply.
    """
    allowed = max(FEWEST_SAMPLES, SAMPLING_COST // decoding_cost(model))
    samples = samples or min(MOST_SAMPLES, allowed)
    found = estimate_log_px(model, x[:1], samples)
    elbo = estimate_elbo(model, x, most_decodes=min(MOST_DECODES, allowed))
    balance = Balance(
        reconstruction=np.array([elbo.reconstruction]),
        kl=np.array([elbo.kl]),
        log_px=found.log_px,
        error=found.standard_error,
        trusted=~found.flagged,
    )
    return balance, elbo, samples


def average_pairs(pairs: Floats, noise: Floats) -> tuple[float, float]:
    """Return the mean of pairs (P,) and its standard error, with what ε² − 1 explains taken out.

    `noise` is ε (P, K). The error counts the controls that were fitted, so that it stays honest.
    """
    count, latents = noise.shape
    if count < PAIRS_PER_CONTROL * latents:
        return float(pairs.mean()), float(pairs.std(ddof=1) / math.sqrt(count))
    design = np.column_stack([np.ones(count), noise**2 - 1])
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ (design.T @ pairs)
    rest = pairs - design @ fitted
    variance = float(rest @ rest) / (count - latents - 1)
    return float(fitted[0]), math.sqrt(variance * float(inverse[0, 0]))


def _draw_pairs(subject: Subject, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield noise ε (P, K) and the mean log p(x|μ ± σε) of each pair (P,), without end."""
    model, x = subject.model, subject.x
    emission = Emission(model, x.dtype, x.device)
    seen = emission.project(x)
    mean, logvar = subject.posterior
    scale = torch.exp(0.5 * logvar)
    generator = torch.Generator(x.device).manual_seed(check_seed(seed))
    while True:
        noise = torch.randn(
            (PAIRS_AT_ONCE, model.latent_dim), generator=generator, dtype=x.dtype, device=x.device
        )
        z = torch.cat([mean + scale * noise, mean - scale * noise])
        scores = emission.score(emission.features(z), seen)[:, 0].double()
        pairs = scores.view(2, -1).mean(0).cpu().numpy()
        yield noise.double().cpu().numpy(), pairs
