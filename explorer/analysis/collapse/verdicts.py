"""One verdict per dimension from measures that must agree, and never from one threshold.

Each measure casts a soft vote between 0 (silent) and 1 (in use): Φ((value − threshold)/width),
where the width joins the measure's standard error with half the threshold, so that a value close
to a threshold, or one known badly, hardly counts. Verdicts and reasons are codes; the text
catalogue puts them into words.
"""

import math
from dataclasses import dataclass

from explorer.analysis.checks import Record

EPSILON_NATS = 0.01
"""Below this KL a dimension is silent for an image (ε of (ε, δ)-collapse, Lucas et al. 2019)."""
DELTA = 0.05
VARIANCE_THRESHOLD = 0.01
"""Active units of Burda et al. 2015: Var_x(μ_i) > 0.01."""
INFORMATION_THRESHOLD = 0.01
SHUFFLE_THRESHOLD = 0.01
SENSITIVITY_SHARE = 0.01
"""Of the images' own spread: a smaller move of the picture counts as none."""
WEAK_NATS = 0.5 * math.log(2)
"""½ ln 2: below it z_i carries less signal, Var(μ_i), than noise, E[σ_i²]."""
FEWEST_IMAGES = 30

VERDICTS = ("active", "weak", "mixed", "collapsed", "empty", "ignored", "uncertain")
"""active: in use. weak: in use, with less signal than noise. mixed: in use for a part of the
images. collapsed: q(z_i|x) is the prior for almost every image. empty: KL is paid, yet z_i tells
nothing about x. ignored: the encoder writes z_i, the decoder does not read it. uncertain: the
measures disagree, or there are too few images."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one dimension; nats per image, errors are standard errors.

    Decoder measures are None where there is no model.
    """

    images: int
    kl: float
    kl_error: float
    var_mean: float
    var_mean_error: float
    mean_var: float
    mutual_information: float
    mutual_information_error: float
    silent_fraction: float
    kl_when_used: float
    sensitivity: float | None = None
    spread: float | None = None
    shuffle: float | None = None
    shuffle_error: float | None = None


@dataclass(frozen=True)
class Verdict(Record):
    """A code of VERDICTS, the confidence (0 to 1) and the reasons, as codes in order of weight."""

    code: str
    confidence: float
    reasons: tuple[str, ...]


def vote(value: float, error: float, threshold: float) -> float:
    """Return Φ((value − threshold)/√(error² + (threshold/2)²)), from 0 to 1.

    >>> round(vote(0.02, 0.0, 0.01), 3), round(vote(0.0, 0.0, 0.01), 3), vote(0.01, 1.0, 0.01)
    (0.977, 0.023, 0.5)
    """
    width = math.hypot(error, threshold / 2)
    return 0.5 * math.erfc(-(value - threshold) / (width * math.sqrt(2)))


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on one dimension.

    The encoder's votes (KL, Var(μ), mutual information) and, with a model, the decoder's
    (sensitivity, shuffle test) must agree; the confidence is the mean vote for the verdict.
    """
    votes = {
        "kl": vote(evidence.kl, evidence.kl_error, EPSILON_NATS),
        "var_mean": vote(evidence.var_mean, evidence.var_mean_error, VARIANCE_THRESHOLD),
        "information": vote(
            evidence.mutual_information, evidence.mutual_information_error, INFORMATION_THRESHOLD
        ),
    }
    decoder: dict[str, float] = {}
    if evidence.sensitivity is not None and evidence.spread is not None:
        threshold = max(SENSITIVITY_SHARE * evidence.spread, 1e-9)
        decoder["sensitivity"] = vote(evidence.sensitivity, 0.0, threshold)
    if evidence.shuffle is not None:
        decoder["shuffle"] = vote(evidence.shuffle, evidence.shuffle_error or 0, SHUFFLE_THRESHOLD)

    reasons = [f"{name}_{'high' if value > 0.5 else 'low'}" for name, value in votes.items()]
    reasons += [f"{name}_{'high' if value > 0.5 else 'low'}" for name, value in decoder.items()]
    if abs(evidence.var_mean + evidence.mean_var - 1) > 0.1:
        reasons.append("total_variance_off")
    if evidence.images < FEWEST_IMAGES:
        return Verdict("uncertain", 0.0, ("too_few_images", *reasons))

    high = {name for name, value in {**votes, **decoder}.items() if value > 0.5}
    told = {"var_mean", "information"} & high
    if "kl" in high and not told:
        against = [1 - votes["var_mean"], 1 - votes["information"]]
        return Verdict("empty", _mean([votes["kl"], *against]), tuple(reasons))
    if not high & votes.keys():
        silent = [1 - value for value in votes.values()]
        if "shuffle" in decoder:  # a decoder that reads a silent z_i only adds noise
            silent.append(1 - decoder["shuffle"])
        return Verdict("collapsed", _mean(silent), tuple(reasons))
    if not votes.keys() <= high:
        return Verdict("uncertain", _mean([abs(2 * v - 1) for v in votes.values()]), tuple(reasons))
    used = list(votes.values())
    if decoder and not high & decoder.keys():
        ignoring = [1 - value for value in decoder.values()]
        return Verdict("ignored", _mean(used + ignoring), tuple(reasons))
    if "shuffle" in decoder and "shuffle" not in high:
        return Verdict("uncertain", _mean(used + list(decoder.values())), tuple(reasons))
    if evidence.silent_fraction > DELTA and evidence.kl_when_used > WEAK_NATS:
        share = vote(evidence.silent_fraction, 0.5 / math.sqrt(evidence.images), DELTA)
        return Verdict("mixed", _mean([*used, share]), ("silent_for_some", *reasons))
    strength = vote(evidence.mutual_information, evidence.mutual_information_error, WEAK_NATS)
    if strength < 0.5:
        weak = _mean([*used, *decoder.values(), 1 - strength])
        return Verdict("weak", weak, ("less_signal_than_noise", *reasons))
    return Verdict("active", _mean([*used, *decoder.values(), strength]), tuple(reasons))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
