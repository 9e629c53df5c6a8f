"""Which latent dimensions are in use, which are not, and since which measure says so.

`diagnose(model, x)` looks at a model on images, `diagnose_codes(mean, logvar)` at anyone's codes,
text VAEs included. Every number comes with its error where it is estimated; no single threshold
decides (see `verdicts`), and causes are told only where they can be (see `causes`).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.analysis.causes import Cause, find_causes
from explorer.analysis.checks import Floats, check_codes, check_gaussian, check_images, plain
from explorer.analysis.decoder_use import DecoderUse, measure_decoder_use
from explorer.analysis.information import Information, decompose_rate, standard_error
from explorer.analysis.verdicts import (
    DELTA,
    EPSILON_NATS,
    VARIANCE_THRESHOLD,
    Evidence,
    Verdict,
    judge,
)
from explorer.analysis.watch import Progress, Stop, Watch, evaluating
from explorer.models.vae import VAE

ENCODE_CHUNK = 1024
DECODER_IMAGES = 1000
"""Images that the decoder's measures use."""
CAUSE_IMAGES = 2000


@dataclass(frozen=True)
class Dimension:
    """One latent dimension; nats per image, `*_error` standard errors.

    `var_mean` is Var_x(μ_i), `mean_var` E_x[σ_i²]; at an optimum they add up to 1
    (`total_variance`). `silent_fraction` is the share of images with KL_i < ε; the dimension is
    (ε, δ)-collapsed where it is at least 1 − δ. `variable_type` is passive in that case, active
    where at most δ of the images are silent, else mixed (after Bonheme and Grzes 2021).
    """

    index: int
    kl: float
    kl_error: float
    var_mean: float
    var_mean_error: float
    mean_var: float
    total_variance: float
    mutual_information: float
    mutual_information_error: float
    dimension_wise_kl: float
    silent_fraction: float
    variable_type: str
    aggregate_mean: float
    sensitivity: float | None
    shuffle: float | None
    shuffle_error: float | None
    verdict: str
    confidence: float
    reasons: tuple[str, ...]
    cause: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain(vars(self))


@dataclass(frozen=True)
class Diagnosis:
    """The whole model: the dimensions, the rate's split and what may be the cause.

    `active_units` counts Var_x(μ_i) > 0.01 (Burda et al. 2015); `in_use` the verdicts active,
    weak and mixed. `effective_dimensions` is exp(−Σ p_i ln p_i) with p_i = KL_i/R, between 0 (no
    rate) and K. `state` is healthy (all in use), partial, collapsed (none) or uncertain.
    """

    dimensions: tuple[Dimension, ...]
    information: Information
    active_units: int
    in_use: int
    effective_dimensions: float
    effective_dimensions_error: float
    state: str
    causes: tuple[Cause, ...]
    images: int
    epsilon: float
    delta: float
    beta: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values; the keys are part of the command line's contract."""
        information = self.information
        return plain(
            {
                "state": self.state,
                "active_units": self.active_units,
                "in_use": self.in_use,
                "latent_dim": len(self.dimensions),
                "effective_dimensions": self.effective_dimensions,
                "effective_dimensions_error": self.effective_dimensions_error,
                "rate": information.rate,
                "rate_error": information.rate_error,
                "mutual_information": information.mutual_information,
                "mutual_information_error": information.mutual_information_error,
                "mutual_information_ceiling": information.ceiling,
                "mutual_information_saturated": information.saturated,
                "total_correlation": information.total_correlation,
                "total_correlation_error": information.total_correlation_error,
                "dimension_wise_kl": information.dimension_wise_kl,
                "dimension_wise_kl_error": information.dimension_wise_kl_error,
                "marginal_kl": information.marginal_kl,
                "images": self.images,
                "epsilon": self.epsilon,
                "delta": self.delta,
                "beta": self.beta,
                "causes": [cause.to_dict() for cause in self.causes],
                "dimensions": [dimension.to_dict() for dimension in self.dimensions],
            }
        )


@dataclass(frozen=True)
class _Measures:
    """Per-dimension arrays (K,) from codes alone."""

    kl: Floats
    kl_error: Floats
    var_mean: Floats
    var_mean_error: Floats
    mean_var: Floats
    silent_fraction: Floats
    kl_when_used: Floats
    aggregate_mean: Floats
    kl_per_image: Floats = field(repr=False)


def diagnose_codes(
    mean: ArrayLike | Tensor,
    logvar: ArrayLike | Tensor,
    *,
    epsilon: float = EPSILON_NATS,
    delta: float = DELTA,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of codes mean, logvar (N, K) alone, without decoder and causes.

    Raises ExplorerError for codes that are empty, unequal in shape, not finite or absurd.

    >>> rng = np.random.default_rng(3)
    >>> mean = np.stack([rng.normal(0, 0.95, 2000), np.zeros(2000)], 1)
    >>> logvar = np.log(np.stack([np.full(2000, 0.1), np.ones(2000)], 1))
    >>> [dimension.verdict for dimension in diagnose_codes(mean, logvar).dimensions]
    ['active', 'collapsed']
    """
    mu, lv = check_codes(mean, logvar)
    information = decompose_rate(mu, lv, seed=seed, progress=progress, stop=stop)
    return _assemble(mu, lv, information, None, (), epsilon, delta, None)


def diagnose(
    model: VAE,
    x: Tensor,
    *,
    beta: float = 1.0,
    epsilon: float = EPSILON_NATS,
    delta: float = DELTA,
    causes: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of a model on target images x (N, C, H, W).

    `x` is what the model scores: `model.target(images, generator)`. `beta` is the β of the
    training objective, which the cause "the objective asks for it" depends on. `causes=False`
    skips that part (a few seconds). Raises ExplorerError for a plain autoencoder or bad images.
    """
    check_gaussian(model)
    x = check_images(model, x)
    watch = Watch(progress, stop)
    mu, lv = encode_all(model, x)
    watch.check(0.1)
    inner = watch.part(0.1, 0.6)
    information = decompose_rate(mu, lv, seed=seed, progress=inner.report, stop=inner.stopped)
    inner = watch.part(0.6, 0.75)
    use = measure_decoder_use(
        model, x[:DECODER_IMAGES], seed=seed, progress=inner.report, stop=inner.stopped
    )
    found: tuple[Cause, ...] = ()
    if causes:
        draft = _assemble(mu, lv, information, use, (), epsilon, delta, beta)
        asleep = [d.index for d in draft.dimensions if d.verdict in ("collapsed", "empty")]
        ignored = [d.index for d in draft.dimensions if d.verdict == "ignored"]
        inner = watch.part(0.75, 1.0)
        found = find_causes(
            model,
            x[:CAUSE_IMAGES],
            beta=beta,
            asleep=asleep,
            ignored=ignored,
            seed=seed,
            watch=inner,
        )
    watch.report(1.0)
    return _assemble(mu, lv, information, use, found, epsilon, delta, beta)


def encode_all(model: VAE, x: Tensor) -> tuple[Floats, Floats]:
    """Return mean and logvar (N, K), float64, of target images x, in chunks."""
    import torch

    means, logvars = [], []
    with torch.no_grad(), evaluating(model):
        for start in range(0, len(x), ENCODE_CHUNK):
            mean, logvar = model.encode_parameters(x[start : start + ENCODE_CHUNK])
            assert logvar is not None
            means.append(mean.double().cpu().numpy())
            logvars.append(logvar.double().cpu().numpy())
    return np.concatenate(means), np.concatenate(logvars)


def effective_dimensions(kl_per_image: Floats) -> tuple[float, float]:
    """Return exp(entropy) of the shares KL_i/R, and its standard error, from KL (N, K).

    The error is by the delta method over images; (0, 0) where there is no rate.

    >>> effective_dimensions(np.ones((5, 4)))[0]
    4.0
    """
    kl = kl_per_image.mean(0)
    rate = kl.sum()
    if rate <= 0:
        return 0.0, 0.0
    share = kl / rate
    log_share = np.log(np.where(share > 0, share, 1.0))
    entropy = float(-(share * log_share).sum())
    slope = -(log_share + entropy) / rate
    return float(np.exp(entropy)), float(np.exp(entropy)) * standard_error(kl_per_image @ slope)


def _measure_codes(mu: Floats, lv: Floats, epsilon: float) -> _Measures:
    kl = 0.5 * (np.expm1(lv) - lv + mu**2)
    count = len(mu)
    centred = mu - mu.mean(0)
    var_mean = (centred**2).mean(0)
    fourth = (centred**4).mean(0)
    silent = kl < epsilon
    used = np.maximum((~silent).sum(0), 1)
    return _Measures(
        kl=kl.mean(0),
        kl_error=kl.std(0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(mu.shape[1]),
        var_mean=var_mean,
        var_mean_error=np.sqrt(np.maximum(fourth - var_mean**2, 0) / count),
        mean_var=np.exp(lv).mean(0),
        silent_fraction=silent.mean(0),
        kl_when_used=np.where(silent, 0, kl).sum(0) / used,
        aggregate_mean=mu.mean(0),
        kl_per_image=kl,
    )


def _variable_type(silent_fraction: float, delta: float) -> str:
    if silent_fraction >= 1 - delta:
        return "passive"
    return "active" if silent_fraction <= delta else "mixed"


def _assemble(
    mu: Floats,
    lv: Floats,
    information: Information,
    use: DecoderUse | None,
    causes: tuple[Cause, ...],
    epsilon: float,
    delta: float,
    beta: float | None,
) -> Diagnosis:
    measures = _measure_codes(mu, lv, epsilon)
    dimensions = []
    for i in range(mu.shape[1]):
        shared = {
            "kl": float(measures.kl[i]),
            "kl_error": float(measures.kl_error[i]),
            "var_mean": float(measures.var_mean[i]),
            "var_mean_error": float(measures.var_mean_error[i]),
            "mean_var": float(measures.mean_var[i]),
            "mutual_information": float(information.mutual_information_per_dim[i]),
            "mutual_information_error": float(information.mutual_information_per_dim_error[i]),
            "silent_fraction": float(measures.silent_fraction[i]),
            "sensitivity": None if use is None else float(use.sensitivity[i]),
            "shuffle": None if use is None else float(use.shuffle[i]),
            "shuffle_error": None if use is None else float(use.shuffle_error[i]),
        }
        verdict: Verdict = judge(
            Evidence(
                images=len(mu),
                kl_when_used=float(measures.kl_when_used[i]),
                spread=None if use is None else use.spread,
                **shared,  # type: ignore[arg-type]
            )
        )
        dimensions.append(
            Dimension(
                index=i,
                total_variance=float(measures.var_mean[i] + measures.mean_var[i]),
                dimension_wise_kl=float(information.dimension_wise_kl_per_dim[i]),
                variable_type=_variable_type(float(measures.silent_fraction[i]), delta),
                aggregate_mean=float(measures.aggregate_mean[i]),
                verdict=verdict.code,
                confidence=verdict.confidence,
                reasons=verdict.reasons,
                cause=next((c.code for c in causes if i in c.dimensions), None),
                **shared,  # type: ignore[arg-type]
            )
        )
    in_use = sum(d.verdict in ("active", "weak", "mixed") for d in dimensions)
    uncertain = any(d.verdict == "uncertain" for d in dimensions)
    state = "healthy" if in_use == len(dimensions) else "partial" if in_use else "collapsed"
    effective, effective_error = effective_dimensions(measures.kl_per_image)
    return Diagnosis(
        dimensions=tuple(dimensions),
        information=information,
        active_units=int((measures.var_mean > VARIANCE_THRESHOLD).sum()),
        in_use=in_use,
        effective_dimensions=effective,
        effective_dimensions_error=effective_error,
        state="uncertain" if uncertain and not in_use else state,
        causes=causes,
        images=len(mu),
        epsilon=epsilon,
        delta=delta,
        beta=beta,
    )
