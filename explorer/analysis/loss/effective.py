"""What an understood loss means: its β and σ² in nats per image, and what to change.

A loss a·(reconstruction) + b·KL, with a and b the weights that one item's sums over pixels and
latents have in it, is β = b/a for a likelihood in nats. A squared error Σ(x − x̂)² is a Gaussian
whose σ² is not said: only βσ² = b/(2a) is known, and the loss is the ELBO at that σ². An absolute
error is a Laplace in the same way, with scale b/a.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from numpy.typing import ArrayLike

from explorer.analysis.checks import Record
from explorer.analysis.collapse.linear import active_dimensions
from explorer.analysis.loss.lines import write_line
from explorer.analysis.loss.understood import WITHOUT_SCALE, Data, Understood
from explorer.errors import ExplorerError

PLAUSIBLE = (0.002, 0.05)
"""σ² of pixels in [0, 1] that needs no change: a noise of about .04 to .22 of the range."""
PLAUSIBLE_STANDARDISED = (0.02, 0.5)
DEFAULT_SIGMA2, DEFAULT_STANDARDISED = 0.01, 0.1
"""A noise of a tenth of the range, and a tenth of a standardised feature's variance: what is
proposed until the person gives the squared error per pixel that the model reaches."""
NO_NATS = ("perceptual", "adversarial", "second_reconstruction", "second_kl")
"""Doubts about terms beside which the loss has no β of its own."""
GAUSSIANS = ("squared-error", "gaussian", "gaussian-learned", "gaussian-optimal")


@dataclass(frozen=True)
class Advice(Record):
    """What to do about a loss: a code, the factor for the KL, and why.

    `code`: no_beta (terms without nats), is_elbo, is_elbo_at (a squared error whose σ² is
    sensible), is_elbo_here (one at this batch size alone), multiply_kl, no_kl, turn_kl (its sign
    is wrong) or answer_first. `factor` multiplies the KL as it is written; `factor_text` has it as
    people write it, 1/64. `sigma2` (or `scale`,
    of a Laplace) is that of the ELBO that results. `reason` is the note that explains most of the
    difference.
    """

    code: str
    factor: float | None = None
    factor_text: str = ""
    sigma2: float | None = None
    scale: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class LossMeaning(Record):
    """The effective β and σ² of a loss; nats per image, summed over pixels and latents.

    `beta` is β for a likelihood that has its scale, None for a bare squared or absolute error,
    where only its product with the scale is known: `sigma2` is σ²_eff = βσ² in the data's own
    units, `sigma2_unit` the same for data brought to [0, 1], `scale` a Laplace's effective b.
    `asks` are what must be answered first (names of fields, batch_size); then all figures are
    None. `surviving` counts the eigenvalues above βσ², as in `beta.EffectiveBeta`. `same` is this
    loss in nats per image, `corrected` the loss that `advice` means, both as code; empty where the
    likelihood cannot be written anew.

    A loss with perceptual or adversarial terms, or with two likelihoods, has no β in nats: all
    figures are None and `rest` has what the other terms would mean alone.
    """

    beta: float | None
    sigma2: float | None
    sigma2_unit: float | None
    scale: float | None
    surviving: int | None
    notes: tuple[str, ...]
    asks: tuple[str, ...]
    advice: Advice
    same: str
    corrected: str
    rest: "LossMeaning | None" = None


def effective_loss(
    loss: Understood,
    data: Data,
    *,
    sigma2: float | None = None,
    beta: float = 1.0,
    eigenvalues: ArrayLike | None = None,
) -> LossMeaning:
    """Return the β and σ² that a loss stands for with these data, and what to change.

    `sigma2` is the variance wanted for a squared error (best: the mean squared error per pixel
    that the model reaches), `beta` the β wanted. `eigenvalues` (D,) of the data, in their own
    units, give the dimensions that survive in a linear model; pass them where the data are at hand
    (for a cross-entropy those of `wakeup.wake_up_eigenvalues`).

    >>> loss = Understood(reconstruction_pixels="mean", kl_weight=0.00025)
    >>> round(effective_loss(loss, Data((3, 64, 64), 128)).sigma2, 6)
    1.536
    """
    if not 0 < beta < float("inf") or (sigma2 is not None and not 0 < sigma2 < float("inf")):
        raise ExplorerError("The β and the σ² that are wanted must be numbers above 0.")
    notes = _notes(loss, data)
    beside = tuple(dict.fromkeys(doubt.code for doubt in loss.doubts if doubt.code in NO_NATS))
    if beside:
        kept = tuple(doubt for doubt in loss.doubts if doubt.code not in NO_NATS)
        rest = effective_loss(
            replace(loss, doubts=kept), data, sigma2=sigma2, beta=beta, eigenvalues=eigenvalues
        )
        advice = Advice("no_beta", reason=beside[0])
        return LossMeaning(
            None, None, None, None, None, (*rest.notes, *beside), rest.asks, advice, "", "", rest
        )
    asks = _asks(loss, data)
    if asks:
        advice = Advice("answer_first", reason=asks[0])
        return LossMeaning(None, None, None, None, None, notes, asks, advice, "", "")
    ratio = _ratio(loss, data)
    width2 = (data.high - data.low) ** 2
    found_beta: float | None = ratio
    found_sigma2 = scale = None
    if loss.reconstruction == "squared-error":
        found_beta, found_sigma2 = None, ratio / 2
    elif loss.reconstruction == "absolute-error":
        found_beta, scale = None, ratio
    elif loss.reconstruction == "gaussian" and loss.scale is not None:
        found_sigma2 = ratio * loss.scale**2
    elif loss.reconstruction == "laplace" and loss.scale is not None:
        scale = ratio * loss.scale
    unit = None if found_sigma2 is None or data.standardised else found_sigma2 / width2
    if found_sigma2 is not None and not data.standardised and found_sigma2 > width2 / 4:
        notes = (*notes, "sigma_beyond_range")
    surviving = None
    level = found_sigma2 if loss.reconstruction in GAUSSIANS else found_beta
    if eigenvalues is not None and level is not None:
        surviving = data.latent_size
        if ratio > 0:
            surviving = min(data.latent_size, active_dimensions(eigenvalues, level))
        if surviving == 0:
            notes = (*notes, "everything_collapses")
    advice = _advise(loss, data, ratio, notes, beta, sigma2)
    same = corrected = ""
    if loss.kl != "none" and ratio > 0:
        own = loss.scale and loss.scale**2, loss.scale
        if found_beta is None:
            own = found_sigma2, scale
        same = write_line(loss, 1.0 if found_beta is None else found_beta, *own)
    if advice.code != "no_kl":
        corrected = write_line(loss, beta, advice.sigma2, advice.scale)
    return LossMeaning(
        found_beta, found_sigma2, unit, scale, surviving, notes, (), advice, same, corrected
    )


def factor_text(factor: float) -> str:
    """Return a factor as people write it.

    >>> factor_text(1 / 64), factor_text(784.0), factor_text(0.0104)
    ('1/64', '784', '0.0104')
    """
    if factor > 0:
        for value, text in ((factor, "{}"), (1 / factor, "1/{}")):
            whole = Fraction(value).limit_denominator(1)
            if whole >= 1 and abs(float(whole) / value - 1) < 1e-9 and whole < 10**7:
                return text.format(whole)
    return f"{factor:.4g}"


def _ratio(loss: Understood, data: Data) -> float:
    """Return b/a: the weight of one item's summed KL over that of its summed reconstruction."""
    sizes = data.sizes()
    a = float(loss.reconstruction_weight or 0.0)
    b = float(loss.kl_weight or 0.0) * (2.0 if loss.kl == "kl-without-half" else 1.0)
    if loss.kl == "none":
        b = 0.0
    batch = float(sizes["B"] or 1)
    if loss.reconstruction_batch == "mean":
        a /= batch
    if loss.kl_batch == "mean":
        b /= batch
    if loss.reconstruction_pixels == "mean":
        a /= data.size
    elif loss.reconstruction_pixels == "channel-mean":
        a /= sizes.get("C") or 1
    if loss.kl_latents == "mean":
        b /= data.latent_size
    a *= _product(loss.reconstruction_sizes, data)
    b *= _product(loss.kl_sizes, data)
    return b / a


def _product(powers: tuple[tuple[str, float], ...], data: Data) -> float:
    sizes = data.sizes()
    result = 1.0
    for axis, power in powers:
        # Data that are one row of features have their number as D, whatever the paste calls it.
        size = sizes.get(axis)
        result *= float(size or 1) ** power
    return result


def _batch_matters(loss: Understood) -> bool:
    def power(how: str, sizes: tuple[tuple[str, float], ...]) -> float:
        return dict(sizes).get("B", 0.0) - (how == "mean")

    return power(loss.reconstruction_batch, loss.reconstruction_sizes) != power(
        loss.kl_batch, loss.kl_sizes
    )


def _asks(loss: Understood, data: Data) -> tuple[str, ...]:
    """Return what is not known and must be said before any β can be."""
    asks = []
    if loss.reconstruction == "unknown":
        asks.append("reconstruction")
    if loss.reconstruction_weight is None:
        asks.append("reconstruction_weight")
    if loss.kl == "unknown":
        asks.append("kl")
    if loss.has("shapes_unclear"):
        asks.append("kl_sizes")
    if loss.kl_weight is None:
        asks.append("kl_weight")
    if loss.reconstruction in ("gaussian", "laplace") and loss.scale is None:
        asks.append("scale")
    if loss.kl != "none" and _batch_matters(loss) and data.batch_size is None:
        asks.append("batch_size")
    return tuple(asks)


def _notes(loss: Understood, data: Data) -> tuple[str, ...]:
    found = {
        "kl_negative": (loss.kl_weight or 0) < 0 and loss.kl != "none",
        "no_kl": loss.kl == "none" or loss.kl_weight == 0,
        "batch_dependent": loss.kl not in ("none", "unknown") and _batch_matters(loss),
        "kl_averaged_over_latents": loss.kl_latents == "mean" and data.latent_size > 1,
        "reconstruction_averaged_over_pixels": (
            loss.reconstruction_pixels == "mean" and data.size > 1
        ),
        "reconstruction_averaged_over_channels": (
            loss.reconstruction_pixels == "channel-mean" and (data.sizes().get("C") or 1) > 1
        ),
        "kl_without_half": loss.kl == "kl-without-half",
        "kl_sampled": loss.kl == "kl-sampled",
        "annealed": loss.annealing == "warm-up",
        "cyclical": loss.annealing == "cyclical",
        "free_bits": loss.floor == "free_bits",
        "capacity": loss.floor == "capacity",
        "grey_cross_entropy": loss.reconstruction.startswith("bernoulli"),
        "cross_entropy_outside_0_1": loss.reconstruction.startswith("bernoulli")
        and (data.standardised or data.low < 0 or data.high > 1),
        "wide_range": loss.reconstruction in (*GAUSSIANS, "absolute-error", "laplace")
        and not data.standardised
        and (data.low, data.high) != (0.0, 1.0),
        "several_kl": loss.has("several_kl"),
    }
    return tuple(code for code, holds in found.items() if holds)


def _advise(
    loss: Understood,
    data: Data,
    ratio: float,
    notes: tuple[str, ...],
    beta: float,
    wanted: float | None,
) -> Advice:
    """Return the factor that makes this loss the β-ELBO that is wanted."""
    bare = loss.reconstruction in WITHOUT_SCALE
    squared = loss.reconstruction == "squared-error"
    proposed = _proposed_sigma2(data) if wanted is None else wanted
    sigma2 = proposed if squared else loss.scale and loss.scale**2
    scale = (proposed / 2) ** 0.5 if loss.reconstruction == "absolute-error" else None
    if loss.reconstruction == "laplace":
        sigma2, scale = None, loss.scale
    if loss.kl == "none" or ratio == 0:
        return Advice("no_kl", sigma2=sigma2, scale=scale, reason="no_kl")
    if ratio < 0:
        return Advice("turn_kl", -1.0, "−1", sigma2, scale, "kl_negative")
    if bare and wanted is None and beta == 1:
        low, high = PLAUSIBLE_STANDARDISED if data.standardised else PLAUSIBLE
        variance = ratio / 2 if squared else 2 * ratio**2
        unit = variance if data.standardised else variance / (data.high - data.low) ** 2
        if low <= unit <= high:
            own = ratio / 2 if squared else None
            b = None if squared else ratio
            if "batch_dependent" in notes:
                return Advice("is_elbo_here", 1.0, "1", own, b, "batch_dependent")
            return Advice("is_elbo_at", 1.0, "1", own, b, "plausible")
    target = beta
    if squared and sigma2 is not None:
        target = 2 * beta * sigma2
    elif scale is not None and bare:
        target = beta * scale
    factor = target / ratio
    if abs(factor - 1) < 1e-9:
        if "batch_dependent" in notes:
            return Advice("is_elbo_here", 1.0, "1", sigma2, scale, "batch_dependent")
        return Advice("is_elbo", 1.0, "1", sigma2, scale)
    return Advice("multiply_kl", factor, factor_text(factor), sigma2, scale, _reason(notes, bare))


def _proposed_sigma2(data: Data) -> float:
    if data.standardised:
        return DEFAULT_STANDARDISED
    return DEFAULT_SIGMA2 * (data.high - data.low) ** 2


def _reason(notes: tuple[str, ...], bare: bool) -> str:
    order = (
        "batch_dependent",
        "kl_averaged_over_latents",
        "reconstruction_averaged_over_pixels",
        "reconstruction_averaged_over_channels",
        "kl_without_half",
        "wide_range",
    )
    for code in order:
        if code in notes:
            return code
    return "scale_not_said" if bare else "kl_weighted"
