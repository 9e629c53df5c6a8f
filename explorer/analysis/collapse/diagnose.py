"""Which latent dimensions are in use, which are not, and since which measure says so.

`diagnose(model, x)` looks at a model on images, `diagnose_codes(mean, logvar)` at anyone's codes,
text VAEs included. Every number comes with its error where it is estimated; no single threshold
decides (see `verdicts`), and causes are told only where they can be (see `causes`).
"""

import dataclasses
import math
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.analysis.checks import LARGEST_CODE, Floats, check_codes, check_standard_prior
from explorer.analysis.codes_in.numbers import as_numbers
from explorer.analysis.codes_in.spread import as_logvar, weigh_spread
from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.causes import Cause, find_causes
from explorer.analysis.collapse.decoder_use import DecoderUse, measure_decoder_use
from explorer.analysis.collapse.diagnosis import Diagnosis, Dimension
from explorer.analysis.collapse.verdicts import (
    DELTA,
    EPSILON_NATS,
    VARIANCE_THRESHOLD,
    Evidence,
    Verdict,
    judge,
)
from explorer.analysis.representation.information import Information, decompose_rate, standard_error
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.codes import kl_of_codes
from explorer.config.checks import check_seed
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.cost import decoding_cost

if TYPE_CHECKING:
    from explorer.codes import Array
    from explorer.runs.run import Run

DECODER_IMAGES, FEWEST_DECODED, FEWEST_PAIRS = 1000, 8, 1536
"""Images that the decoder's measures use; at least so many, or so many pairs with a latent."""
DECODER_VALUES, DECODER_COST = 3_200_000, 4e10
"""Numbers in all these images together, and multiply-adds to decode them: fewer of large ones, and
of decoders that cost much."""
CAUSE_IMAGES = 2000


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
    mean: Any,
    logvar: Any,
    *,
    spread: str | None = None,
    epsilon: float = EPSILON_NATS,
    delta: float = DELTA,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of codes mean, logvar (N, K) alone, without decoder and causes.

    Both may be arrays or tensors of any library. `spread` says what the second array is (logvar,
    log_std, std, variance or softplus); unsaid, it is taken for a log-variance, and weighed: where
    its values contradict that, a UserWarning and `told` say so first. Raises ExplorerError for
    codes that are empty, unequal in shape, not finite or absurd; grids and sequences (N, C, H, W)
    are to be laid out as (items, dimensions) first.

    >>> rng = np.random.default_rng(3)
    >>> mean = np.stack([rng.normal(0, 0.95, 2000), np.zeros(2000)], 1)
    >>> logvar = np.log(np.stack([np.full(2000, 0.1), np.ones(2000)], 1))
    >>> [dimension.verdict for dimension in diagnose_codes(mean, logvar).dimensions]
    ['active', 'collapsed']
    """
    seed = check_seed(seed)
    mu, values = as_numbers(mean, "mean"), as_numbers(logvar, "logvar")
    told: tuple[Told, ...] = ()
    fits = mu.ndim == 2 and mu.size and mu.shape == values.shape
    if fits and np.isfinite(values).all() and bool((np.abs(mu) <= LARGEST_CODE).all()):
        with np.errstate(all="ignore"):  # What is no code is told so below.
            weighed = weigh_spread(mu, values, spread or "logvar", asked=spread)
        values = as_logvar(values, weighed.used)
        if weighed.told is not None:
            told = (weighed.told,)
            warnings.warn(str(weighed.told), stacklevel=2)
    found = diagnose_moments(
        mu, values, epsilon=epsilon, delta=delta, seed=seed, progress=progress, stop=stop
    )
    return dataclasses.replace(found, told=told)


def diagnose_moments(
    mean: ArrayLike,
    logvar: ArrayLike,
    *,
    epsilon: float = EPSILON_NATS,
    delta: float = DELTA,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of means and log-variances (N, K) that are known to be just that."""
    mu, lv = check_codes(mean, logvar)
    information = decompose_rate(mu, lv, seed=check_seed(seed), progress=progress, stop=stop)
    return _assemble(mu, lv, information, None, (), epsilon, delta, None)


def diagnose(
    model: Model,
    x: "Tensor | Array",
    *,
    beta: float | None = 1.0,
    epsilon: float = EPSILON_NATS,
    delta: float = DELTA,
    causes: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of a model on images x (N, C, H, W).

    `x` is what the model scores, `model.target(images, generator)`; uint8 images are made into
    that with `seed`. `beta` is the β of the training objective, None where nobody knows it: what
    the objective asks for is not told then. `causes=False` skips the causes (a few seconds).
    Raises ExplorerError for a plain autoencoder or bad images.
    """
    check_standard_prior(model)
    subject = Subject(model, x, seed=check_seed(seed))
    watch = Watch(progress, stop)
    mu, lv = subject.codes
    watch.check(0.1)
    inner = watch.part(0.1, 0.6)
    information = decompose_rate(mu, lv, seed=seed, progress=inner.report, stop=inner.stopped)
    inner = watch.part(0.6, 0.75)
    use = measure_decoder_use(
        subject.first(_count_decoded(model)),
        seed=seed,
        progress=inner.report,
        stop=inner.stopped,
    )
    found: tuple[Cause, ...] = ()
    if causes:
        draft = _assemble(mu, lv, information, use, (), epsilon, delta, beta)
        asleep = [d.index for d in draft.dimensions if d.verdict in ("collapsed", "empty")]
        ignored = [d.index for d in draft.dimensions if d.verdict == "ignored"]
        inner = watch.part(0.75, 1.0)
        found = find_causes(
            subject.first(CAUSE_IMAGES),
            beta=beta,
            asleep=asleep,
            ignored=ignored,
            seed=seed,
            watch=inner,
        )
    watch.report(1.0)
    return _assemble(mu, lv, information, use, found, epsilon, delta, beta)


def diagnose_run(
    run: "Run",
    images: "Array | None" = None,
    *,
    beta: float | None = None,
    causes: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Diagnosis:
    """Return the diagnosis of a run: of its model on uint8 images (N, C, H, W), or of its codes.

    Without images, or without a model of ours, the stored codes are diagnosed alone. β is the one
    that the run was trained with; `beta` stands in where it does not say. ExplorerError where the
    run has neither.
    """
    info = run.info
    if images is not None and info.has_model:
        return diagnose(
            run.model,
            images,
            beta=beta if info.beta is None else info.beta,
            causes=causes,
            seed=seed,
            progress=progress,
            stop=stop,
        )
    if info.has_density and not info.has_shares:
        check_standard_prior(run.model)
    codes = run.codes()
    if codes is None:
        raise ExplorerError(
            f"Run {run.id} holds no codes to diagnose; its writer stores them with save_codes()."
        )
    if codes.logvar is None:
        raise ExplorerError(
            f"Run {run.id} has codes without log-variances: there is no KL to diagnose."
        )
    return diagnose_moments(codes.mean, codes.logvar, seed=seed, progress=progress, stop=stop)


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


def _count_decoded(model: Model) -> int:
    """Return of how many images the decoder's use is measured, three decodes for each latent."""
    cheap = DECODER_COST / decoding_cost(model) / (3 * model.latent_dim)
    small = max(100, DECODER_VALUES // math.prod(model.shape))
    fewest = max(FEWEST_DECODED, FEWEST_PAIRS / model.latent_dim)
    return int(min(DECODER_IMAGES, small, max(fewest, cheap)))


def _measure_codes(mu: Floats, lv: Floats, epsilon: float) -> _Measures:
    kl = kl_of_codes(mu, lv)
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
    if not in_use and not uncertain:
        effective, effective_error = 0.0, 0.0  # Shares of nothing say nothing.
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
