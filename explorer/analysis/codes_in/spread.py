"""What is the second array? Its name is weighed against the total variance and its range.

At an optimum a dimension's decoder can rescale freely, so Var μ_i + E σ_i² = 1, whatever β is and
whether the dimension lives (σ² < 1) or sleeps (μ = 0, σ² = 1). An array read as the wrong thing
breaks this where dimensions live, and often where they sleep. Codes that are no optimum against
N(0, I) (a latent-diffusion encoder's, a mixture prior's) break it under every reading: then their
name stands and nothing is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import LOGVAR_RANGE, Floats, Record
from explorer.analysis.codes_in.naming import SPREADS
from explorer.analysis.codes_in.told import Told
from explorer.errors import ExplorerError

Numbers = NDArray[np.floating]
READINGS = {
    "logvar": "log-variance",
    "log_std": "log σ",
    "std": "σ",
    "variance": "variance",
    "softplus": "σ before its softplus",
}
LIVE = 0.05
"""Var μ from which a dimension counts as living."""
GOOD, DOUBTFUL, WRONG = 0.1, 0.06, 0.3
"""Median |Var μ + E σ² − 1|: a reading at least this good; one worth a doubt; one that is wrong.
Among the shipped models the true reading reaches .08 at most."""
USUAL = ("variance", "logvar", "std", "log_std", "softplus")
"""What is meant most often, where two readings fit alike."""
STORED = ("logvar", "std", "variance")
"""What most people store: thought of where nothing says that an array is a spread."""
CLEARER = 3.0
"""So many times better must another reading be."""


@dataclass(frozen=True)
class Spread(Record):
    """How the second array is read, and whether its values agree.

    `claimed` is what its name, its place or the person says (`source` is name, position or asked),
    `used` how it is read, `better` the reading that fits best where another fits clearly better.
    `verdict`: agrees, doubtful, contradicted, impossible or cannot_tell. `fits` has the median
    |Var μ + E σ² − 1| of each reading that its values allow.
    """

    claimed: str
    source: str
    used: str
    verdict: str
    better: str | None = None
    fits: Mapping[str, float] = field(default_factory=dict)
    told: Told | None = None


def as_logvar(values: Numbers, reading: str) -> Floats:
    """Return log σ² of an array that holds one of `SPREADS`; a spread of 0 is the least there is.

    >>> [round(float(as_logvar(np.array(v), r)), 3) for r, v in
    ...  (("std", 0.5), ("variance", 0.25), ("log_std", np.log(0.5)), ("logvar", np.log(0.25)))]
    [-1.386, -1.386, -1.386, -1.386]
    """
    numbers: Floats = np.asarray(values, dtype=np.float64)
    low, high = LOGVAR_RANGE
    if reading == "logvar":
        return numbers
    if reading == "log_std":
        return 2 * numbers
    with np.errstate(divide="ignore"):
        if reading == "variance":
            logvar = np.log(numbers)
        else:
            logvar = 2 * np.log(np.logaddexp(0, numbers) if reading == "softplus" else numbers)
    clipped: Floats = np.clip(logvar, low, high)
    return clipped


def weigh_spread(
    mean: Numbers,
    values: Numbers,
    claimed: str,
    *,
    name: str = "logvar",
    source: str = "name",
    asked: str | None = None,
    mean_name: str = "mean",
) -> Spread:
    """Return how an array of spreads (N, K) beside means (N, K) is to be read, and what is said.

    `claimed` is one of SPREADS; `asked` is what the person says it is, which is then used.
    """
    for reading in (claimed, *([] if asked is None else [asked])):
        if reading not in SPREADS:
            raise ExplorerError(
                f"A spread is one of {', '.join(SPREADS)}; {reading!r} is none of them."
            )
    fits = measure_fits(mean, values)
    if "softplus" not in (claimed, asked) and fits["softplus"] >= GOOD:
        del fits["softplus"]  # Any number has a softplus: it is thought of only where it fits.
    swapped = _say_swapped(mean, values, claimed, fits)
    if asked is None and swapped is not None:
        said = Told("exchanged", {"mean": mean_name, "name": name, **swapped})
        used = claimed if claimed in fits else min(fits, key=USUAL.index)
        return Spread(claimed, source, used, "contradicted", None, fits, said)
    noise = _noise(mean)
    best = _best(fits, claimed, noise) if fits else ""
    if asked is not None:
        if asked not in fits:
            why = _why_impossible(values, asked)
            raise ExplorerError(f"{name} cannot be {READINGS[asked]}: {why}.")
        return Spread(claimed, "asked", asked, "agrees", None, fits)
    if claimed not in fits:
        if not best:
            raise ExplorerError(
                f"{name} reaches {values.min():.4g} to {values.max():.4g}: that is no spread."
            )
        said = Told(
            "spread_impossible", _say(name, claimed, best, _why_impossible(values, claimed))
        )
        return Spread(claimed, source, best, "impossible", best, fits, said)
    return _judge(values, fits, claimed, best, noise, name, source)


def measure_fits(mean: Numbers, values: Numbers) -> dict[str, float]:
    """Return |Var μ + E σ² − 1| of each reading that the values allow.

    The larger of two medians: over living dimensions and over sleeping ones.
    """
    var_mean = np.asarray(mean, dtype=np.float64).var(0)
    live = var_mean >= LIVE
    fits = {}
    for reading in SPREADS:
        if _why_impossible(values, reading):
            continue
        total = _miss_total(mean, values, reading)
        fits[reading] = float(
            max(np.median(total[group]) for group in (live, ~live) if group.any())
        )
    return fits


def _say_swapped(
    mean: Numbers, values: Numbers, claimed: str, fits: Mapping[str, float]
) -> dict[str, float] | None:
    """Return by how much both orders miss a total variance of 1, where only the other one fits."""
    best = fit_as_moments(values, mean)
    possible = [reading for reading in STORED if reading in fits]
    if best is None or not possible:
        return None
    lives = np.asarray(values, dtype=np.float64).var(0) >= LIVE
    readings = [claimed] if claimed in fits else possible
    missed = (_miss_total(mean, values, reading)[lives] for reading in readings)
    off = min(float(np.median(dimensions)) for dimensions in missed)
    return {"off": off, "best": best} if off > max(WRONG, CLEARER * best) else None


def fit_as_moments(mean: Numbers, values: Numbers) -> float | None:
    """Return |Var μ + E σ² − 1| of values that fit means as their spread, None of others.

    Some dimension must live: constants alone would fit by accident.
    """
    if not (np.asarray(mean, dtype=np.float64).var(0) >= LIVE).any():
        return None
    fits = measure_fits(mean, values)
    best = min((fits[reading] for reading in STORED if reading in fits), default=None)
    return best if best is not None and best < GOOD else None


def _miss_total(mean: Numbers, values: Numbers, reading: str) -> Floats:
    """Return |Var μ + E σ² − 1| of each dimension (K,)."""
    var_mean = np.asarray(mean, dtype=np.float64).var(0)
    missed: Floats = np.abs(var_mean + np.exp(as_logvar(values, reading)).mean(0) - 1)
    return missed


def _noise(mean: Numbers) -> float:
    """Return what two readings may differ by through the sampling of Var μ alone: two errors."""
    live = max(int((np.asarray(mean, dtype=np.float64).var(0) >= LIVE).sum()), 1)
    return 2 * float(np.sqrt(2 / (len(mean) * live))) + 0.005


def _best(fits: Mapping[str, float], claimed: str, noise: float) -> str:
    """Return the best reading; of those that noise cannot tell apart the claimed or usual one."""
    least = min(fits.values())
    alike = [reading for reading in fits if fits[reading] <= least + noise]
    return claimed if claimed in alike else min(alike, key=USUAL.index)


def _judge(
    values: Numbers,
    fits: dict[str, float],
    claimed: str,
    best: str,
    noise: float,
    name: str,
    source: str,
) -> Spread:
    off, least = fits[claimed], fits[best]
    positive = claimed in ("logvar", "log_std") and values.min() >= 0 and values.max() > 0.02
    if positive:
        # A log-variance that is nowhere below 0 has nothing known better than the prior.
        likely: dict[str, float] = {r: fits[r] for r in ("variance", "std") if r in fits}
        best = _best(likely, claimed, noise)
        why = "it is nowhere below 0, as a variance or σ is"
        told = Told("spread_contradicted", _say(name, claimed, best, why))
        return Spread(claimed, source, claimed, "contradicted", best, fits, told)
    clearer = best != claimed and least < GOOD and off > DOUBTFUL
    clearer = clearer and off > CLEARER * least and off - least > noise
    if clearer:
        verdict = "contradicted" if off > WRONG else "doubtful"
        why = (
            f"the total variance of a dimension, 1 at an optimum, is off by {off:.2f}, "
            f"and as {READINGS[best]} by {least:.2f}"
        )
        values_told = {**_say(name, claimed, best, why), "off": off, "best": least}
        told = Told(f"spread_{verdict}", values_told)
        return Spread(claimed, source, claimed, verdict, best, fits, told)
    verdict = "agrees" if off < WRONG else "cannot_tell"
    return Spread(claimed, source, claimed, verdict, None, fits)


def _why_impossible(values: Numbers, reading: str) -> str:
    low, high = LOGVAR_RANGE
    if reading in ("std", "variance"):
        if values.min() < 0:
            return f"it falls to {values.min():.4g}"
        if values.max() == 0:
            return "it is 0 throughout"
        values = as_logvar(values, reading)
    edge = high / 2 if reading == "log_std" else high
    if reading in ("logvar", "log_std") and not -edge <= values.min() <= values.max() <= edge:
        return f"it reaches {values.min():.4g} to {values.max():.4g}"
    return ""


def _say(name: str, claimed: str, better: str, why: str) -> dict[str, Any]:
    return {
        "name": name,
        "claimed": READINGS[claimed],
        "better": READINGS[better],
        "option": better,
        "said": claimed,
        "why": why,
    }
