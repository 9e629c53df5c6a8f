"""Importance-weighted log p(x), with what is needed to know whether to believe it.

log p̂(x) = log (1/S) Σ_s p(x, z_s)/q(z_s|x), z_s ~ q(z|x) (Burda et al. 2015, Eq. 8): a lower
bound in expectation that rises with S. It is far too low where q misses a mode of p(z|x), which is
why every image carries an effective sample size, a Pareto k̂ and a flag.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.inference.emission import Emission
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.config.checks import check_seed
from explorer.errors import ExplorerError
from explorer.models.base import Model

CHUNK_CODES = 1024
"""Codes decoded at once: bounds memory whatever N and S are, and keeps a chunk in the cache."""
PARETO_LIMIT = 0.7
ESS_LIMIT = 0.05
SMALLEST_FOR_PARETO = 100
MAX_SAMPLES = 1_000_000


@dataclass(frozen=True)
class LogLikelihood:
    """Importance-weighted log p(x) per image, nats; arrays of shape (N,).

    `standard_error` is that of log p̂ by the delta method, √((S/ESS − 1)/S); it is honest only
    where `flagged` is False. `ess` lies in [1, S]. `pareto_k` is NaN below 100 samples. `elbo` is
    the same samples' mean log weight. `flagged` images have k̂ > 0.7 or ESS/S < 0.05: do not
    believe them. The reverse does not hold: a mode that q never visits leaves no trace in the
    weights (`exact` for K ≤ 2 and `mcmc.anneal_log_px` look without q). `bits_per_dim` is None
    where the score is no likelihood of images (grey values under a Bernoulli); for a density on
    [0, 1] it is that of 8-bit values, −log p/(D ln 2) + 8.
    """

    log_px: Floats
    standard_error: Floats
    ess: Floats
    pareto_k: Floats
    elbo: Floats
    flagged: np.ndarray
    bits_per_dim: Floats | None
    samples: int

    def to_dict(self) -> dict[str, Any]:
        """Return means over images, with the standard error over images, as plain numbers."""
        count = len(self.log_px)
        spread = float(self.log_px.std(ddof=1) / math.sqrt(count)) if count > 1 else None
        return plain(
            {
                "log_px": float(self.log_px.mean()),
                "log_px_standard_error": spread,
                "log_px_median": float(np.median(self.log_px)),
                "elbo": float(self.elbo.mean()),
                "ess_fraction_median": float(np.median(self.ess) / self.samples),
                "pareto_k_median": float(np.median(self.pareto_k)),
                "flagged": int(self.flagged.sum()),
                "bits_per_dim": None if self.bits_per_dim is None else self.bits_per_dim.mean(),
                "images": count,
                "samples": self.samples,
            }
        )


def estimate_log_px(
    model: Model,
    x: Tensor,
    samples: int = 5000,
    *,
    seed: int = 0,
    proposal: tuple[Tensor, Tensor] | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> LogLikelihood:
    """Return the importance-weighted log p(x) of each image in x (N, C, H, W).

    `proposal` replaces the encoder by a normal with mean (N, K) and covariance factor, either
    log-variances (N, K) or lower Cholesky factors (N, K, K) (see `refinement`). Memory stays
    bounded by `CHUNK_CODES`. When `stop()` answers True the images finished so far are returned
    (at least one). Errors: ExplorerError for a plain autoencoder, bad images or samples.
    Source: Burda et al. 2015, Eq. 8; k̂ as in Vehtari et al. 2024 by arviz-stats.
    """
    subject = Subject(model, x)
    x = subject.x
    if not 1 <= samples <= MAX_SAMPLES:
        raise ExplorerError(f"The number of samples must be from 1 to {MAX_SAMPLES}.")
    watch = Watch(progress, stop)
    generator = torch.Generator(x.device).manual_seed(check_seed(seed))
    block = max(1, CHUNK_CODES // samples)
    parts: list[tuple[Floats, ...]] = []
    with torch.no_grad(), subject.hold():
        emission = _emission(model)
        for start in range(0, len(x), block):
            part = x[start : start + block]
            mean, scale = _proposal(subject, part, proposal, start)
            log_weights = torch.cat(
                list(_log_weights(model, emission, part, mean, scale, samples, generator)), 1
            )
            parts.append(summarise_weights(log_weights.cpu().numpy()))
            watch.report((start + len(part)) / len(x))
            if watch.stopped():
                break
    columns = zip(*parts, strict=True)
    log_px, error, ess, pareto_k, elbo = (np.concatenate(column) for column in columns)
    flagged = (ess / samples < ESS_LIMIT) | (np.nan_to_num(pareto_k) > PARETO_LIMIT)
    bits = bits_per_dim(model, x[: len(log_px)], log_px)
    return LogLikelihood(log_px, error, ess, pareto_k, elbo, flagged, bits, samples)


def draw_log_weights(model: Model, x: Tensor, samples: int, *, seed: int = 0) -> Floats:
    """Return log p(x, z) − log q(z|x) for draws z ~ q(z|x), (N, samples), nats.

    Their mean is the ELBO, the logarithm of their mean weight the importance-weighted bound; for
    one image they are the draws of `estimate_log_px` with the same seed.
    """
    subject = Subject(model, x)
    x = subject.x
    if not 1 <= samples <= MAX_SAMPLES:
        raise ExplorerError(f"The number of samples must be from 1 to {MAX_SAMPLES}.")
    generator = torch.Generator(x.device).manual_seed(check_seed(seed))
    with torch.no_grad(), subject.hold():
        mean, scale = _proposal(subject, x, None, 0)
        parts = list(_log_weights(model, _emission(model), x, mean, scale, samples, generator))
    return torch.cat(parts, 1).cpu().numpy()


def summarise_weights(log_weights: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return log-mean, its standard error, ESS, Pareto k̂ and mean of log weights (N, S).

    ESS = (Σw)²/Σw². All finite for any finite weights, one sample included.

    >>> weights = np.log([[1.0, 1.0, 2.0]])
    >>> log_mean, error, ess, pareto_k, elbo = summarise_weights(weights)
    >>> round(float(np.exp(log_mean[0])), 6), round(float(ess[0]), 6)
    (1.333333, 2.666667)
    """
    count = log_weights.shape[1]
    top = log_weights.max(1, keepdims=True)
    weights = np.exp(log_weights - top)
    total = weights.sum(1)
    log_mean = np.log(total) + top[:, 0] - math.log(count)
    ess = total**2 / np.square(weights).sum(1)
    error = np.sqrt(np.maximum(1 / ess - 1 / count, 0.0))
    return log_mean, error, ess, _pareto_k(log_weights), log_weights.mean(1)


def bits_per_dim(model: Model, x: Tensor, log_px: Floats) -> Floats | None:
    """Return −log p/(D ln 2) per image, + 8 for densities on [0, 1] (8-bit values).

    None where the score is not a likelihood: grey pixels under a Bernoulli.
    """
    bits = bits_of_values(model, log_px)
    if bits is not None:
        return bits
    known = bool(((x == 0) | (x == 1)).all())
    return -log_px / (math.prod(model.shape) * math.log(2)) if known else None


def bits_of_values(model: Model, log_px: Floats) -> Floats | None:
    """Return the bits per dimension of 8-bit values that log p(x) in nats comes to, of its shape.

    None for a likelihood of binary pixels, which knows no such values.

    >>> import explorer
    >>> model = explorer.open_run("strokes-vae-2d").model
    >>> float(bits_of_values(model, np.array(784 * math.log(2))))
    7.0
    """
    if model.likelihood.scores == "binary":
        return None
    bits = -log_px / (math.prod(model.shape) * math.log(2))
    return bits + 8.0 if model.likelihood.scores == "density" else bits


def _score(emission: Emission, z: Tensor, x: Tensor) -> Tensor:
    """Return log p(x_n|z_ns), (n, s), for z (n, s, K) and images x (n, C, H, W)."""
    images, copies, latents = z.shape
    decoded = emission.features(z.reshape(-1, latents))
    owner = torch.arange(images, device=z.device).repeat_interleave(copies)
    if not emission.factors:
        return emission.score_rows(decoded, emission.project(x).image(owner)).view(images, copies)
    seen = emission.project(x)
    dots = torch.bmm(decoded.features.view(images, copies, -1), seen.projection.unsqueeze(2))
    return dots.squeeze(2) + decoded.normaliser.view(images, copies) + seen.constant[:, None]


def _emission(model: Model) -> Emission:
    return Emission(model, model.reference.dtype, model.reference.device)


def _proposal(
    subject: Subject, part: Tensor, proposal: tuple[Tensor, Tensor] | None, start: int
) -> tuple[Tensor, Tensor]:
    if proposal is None:
        mean, logvar = (code[start : start + len(part)] for code in subject.posterior)
        return mean, torch.exp(0.5 * logvar)
    mean, factor = (given[start : start + len(part)].to(part) for given in proposal)
    return mean, factor if factor.ndim == 3 else torch.exp(0.5 * factor)


def _log_weights(
    model: Model,
    emission: Emission,
    x: Tensor,
    mean: Tensor,
    scale: Tensor,
    samples: int,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """Yield log p(x, z) − log q(z|x) in float64, in chunks of samples: (n, s) each.

    q's density is written in its own noise, so that the 2π and the squares cancel exactly.
    """
    step = max(1, CHUNK_CODES // len(x))
    if scale.ndim == 3:
        log_scale = torch.diagonal(scale, dim1=1, dim2=2).double().log().sum(1)
    else:
        log_scale = scale.double().log().sum(1)
    for done in range(0, samples, step):
        copies = min(step, samples - done)
        noise = torch.randn(
            (len(x), copies, mean.shape[1]), generator=generator, dtype=x.dtype, device=x.device
        )
        spread = noise @ scale.mT if scale.ndim == 3 else noise * scale[:, None]
        z = mean[:, None] + spread
        log_ratio = model.prior.log_ratio(z.double(), noise.double())
        yield _score(emission, z, x).double() + log_ratio + log_scale[:, None]


def _pareto_k(log_weights: Floats) -> Floats:
    """Return Pareto k̂ per row by arviz-stats; −inf for equal weights, NaN below 100 samples."""
    rows, count = log_weights.shape
    if count < SMALLEST_FOR_PARETO:
        return np.full(rows, np.nan)
    from arviz_stats.base import array_stats

    result = np.full(rows, -np.inf)
    for row in np.flatnonzero(np.ptp(log_weights, axis=1) > 1e-9):
        try:
            with np.errstate(all="ignore"):
                result[row] = array_stats.psislw(log_weights[row])[1]
        except ValueError:  # the largest weights are all equal: a bounded tail
            result[row] = -np.inf
    result[np.isnan(result)] = np.inf
    return result
