"""A consultation in words: one sentence with date and cause, the remedy, what was asked beside it.

The pages of the app and the report say the same; sentences are plain text, without Markdown.
"""

from collections.abc import Callable, Sequence
from typing import Any

from explorer.analysis.codes_in.told import Told
from explorer.analysis.consultation.consult import Consultation
from explorer.analysis.consultation.prescription import Change, Prescription, aim_beta
from explorer.analysis.consultation.stand_in import STAND_IN
from explorer.analysis.consultation.sweep import SweepAnswer
from explorer.analysis.questions.converged import Convergence
from explorer.analysis.questions.how_many import LatentCount, Member
from explorer.analysis.questions.linear_oracle import LinearOracle, find_shortfall
from explorer.analysis.questions.pictures import PictureVerdict
from explorer.analysis.questions.sampling import SamplingVerdict
from explorer.codes import latent_name
from explorer.text import paragraph, say, sentences

NAMED = {"objective.schedule": "why.schedule.", "model.likelihood": "train.likelihood."}
"""Changes whose values are names in words."""
WEIGHTS = ("weight", "weight_part")
"""Causes that rest on a pasted loss; the remedy is one for both."""
LACKING = ("beta", "data", "images", "model")
"""What it would take to tell a cause, the easiest first."""
SHOWN = 5
"""Dimensions and rows of a file that are called by name."""


def say_headline(found: Consultation, language: str) -> str:
    """Return the answer in one sentence: what sleeps, since when, and why."""
    if not found.asleep:
        if found.uncertain:
            values = {"uncertain": found.uncertain, "count": found.latents}
            return say(language, "why.disagree", **values)
        return say(language, "why.healthy", count=found.latents)
    date, cause = say_date(found, language), say_because(found, language)
    return say(language, "why.headline", date=date, cause=cause)


def say_date(found: Consultation, language: str) -> str:
    """Return which latents sleep and since when, as a clause."""
    dated = found.dated
    kind = "all" if len(found.asleep) == found.latents else "some"
    if dated.step is not None:
        kind += "_died_between" if dated.is_coarse and dated.after is not None else "_died"
    elif dated.never == len(found.asleep):
        kind += "_never"
    values = {"asleep": len(found.asleep), "count": found.latents}
    return say(language, f"why.date.{kind}", step=dated.step, after=dated.after, **values)


def say_because(found: Consultation, language: str) -> str:
    """Return the cause as a clause, or what it would take to tell it."""
    if found.cause is None:
        if found.dated.beta is not None and "model" in found.missing:
            return say(language, "why.because.beta_then", beta=found.dated.beta)
        lacking = next(
            (n for n in ("beta", "data", "images", "model") if n in found.missing), "nothing"
        )
        return say(language, f"why.because.{lacking}")
    code, values = _vary(found), found.thresholds.values
    beta = 0.0 if found.used is None else found.used
    surviving = sum(value > beta for value in values[: found.latents])
    return say(
        language,
        f"why.because.{code}",
        beta=beta,
        top=values[0] if values else 0.0,
        surviving=surviving,
        explained=found.latents - surviving,
        asleep=len(found.asleep),
    )


def say_remedy(plan: Prescription, language: str) -> str:
    """Return the remedy's name, of a lower β with its numbers."""
    beta = next((change for change in plan.changes if change.name == "objective.beta"), None)
    if plan.remedy == "lower-beta" and beta is not None:
        return say(language, "why.remedy.lower", before=beta.before, after=beta.after)
    if plan.remedy == STAND_IN and beta is not None:
        return say(language, "why.remedy.stand_in", before=beta.before, after=beta.after)
    return say(language, f"collapse.remedy.{plan.remedy}")


def say_changes(plan: Prescription, language: str) -> list[str]:
    """Return all that a remedy changes against what was used, a line each."""
    return [_say_change(change, language) for change in plan.changes]


def say_expected(found: Consultation, plan: Prescription, language: str) -> str:
    """Return how many latents the rule expects awake, "" where it says nothing."""
    if plan.expected is None:
        return ""
    return say(language, "why.remedy.expected", expected=plan.expected, count=found.latents)


def say_elsewhere(found: Consultation, language: str) -> str:
    """Return what to change where the model was made elsewhere, "" without a cause."""
    if not found.cause:
        return ""
    code, values = _vary(found), found.thresholds.values[: found.latents]
    beta, used = aim_beta(values) if values else 0.0, found.used or 0.0
    told = say(
        language,
        f"why.elsewhere.{code.replace('_part', '')}",
        beta=beta,
        used=used,
        factor=min(1.0, beta / used) if used else 1.0,
        expected=sum(value > beta for value in values),
        count=found.latents,
    )
    return paragraph(language, told, say(language, "why.remedy.elsewhere"))


def say_convergence(found: Convergence, language: str) -> str:
    """Return whether training has converged."""
    values = found.to_dict()
    if found.gain is not None:  # What rounds to zero has no sign.
        values["gain"] = round(found.gain, 2) + 0.0
    return say(language, f"why.converged.{found.verdict}", **values)


def say_pictures(found: PictureVerdict, language: str) -> str:
    """Return what is wrong with the reconstructions, if anything is."""
    values: dict[str, Any] = _unsigned(found.to_dict())
    codes = list(found.symptoms) or ["fine"]
    if not {"alike", "unlike", "blurred", "overdone"} & set(codes) and "fine" not in codes:
        codes.insert(0, "fine")
    if found.source is not None:
        codes.append(found.source)
    return paragraph(language, *(say(language, f"why.pictures.{code}", **values) for code in codes))


def say_sampling(found: SamplingVerdict, language: str) -> str:
    """Return whether random codes decode to something, and why not."""
    return say(language, f"why.sampling.{found.verdict}", **_unsigned(found.to_dict()))


def say_count(found: LatentCount, language: str) -> str:
    """Return how many latents are enough."""
    largest = found.members[-1]
    gain = next(
        share
        for member, share in zip(found.members, found.gains, strict=True)
        if member.latents == found.enough
    )
    values = {"enough": found.enough, "gain": gain, "largest": largest.latents}
    return say(language, f"questions.latents.{found.verdict}", active=largest.active, **values)


def say_oracle(found: LinearOracle, members: Sequence[Member], language: str) -> str:
    """Return which of the images' directions the linear theory keeps, and of how many latents.

    Of members that fall short of it, it says that they do.
    """
    values = {"level": found.level, "sigma2": found.sigma2, "beta": found.beta}
    counts = {"directions": found.directions, "active": found.active[-1]}
    kind = "held" if found.held else "learned"
    told = say(language, f"questions.oracle.{kind}", largest=found.latents[-1], **values, **counts)
    gap = find_shortfall(members, found)
    short = "" if gap is None else say(language, "questions.oracle.short", gap=gap)
    return paragraph(language, told, short)


def say_sweep(found: SweepAnswer, language: str) -> str:
    """Return at which β latents fall asleep, or how many each seed has awake."""
    counts = [member.awake for member in found.members]
    values: dict[str, Any] = {
        "count": found.latents,
        "low": min(counts),
        "high": max(counts),
        "awake": found.always,
        "start": found.members[0].value,
        "end": found.members[-1].value,
    }
    if found.axis == "seed":
        kind = "same" if min(counts) == max(counts) else "differ"
        return say(language, f"why.sweep.seed.{kind}", **values)
    if not found.falls:
        kind = "rests" if max(counts) else "asleep"
        return say(language, f"why.sweep.beta.{kind}", **values)
    first, last = found.falls[0], found.falls[-1]
    kind = "one" if (first.after, first.at) == (last.after, last.at) else "falls"
    told = say(
        language,
        f"why.sweep.beta.{kind}",
        falls=len(found.falls),
        first_after=first.after,
        first=first.at,
        last_after=last.after,
        last=last.at,
        **values,
    )
    return paragraph(
        language, told, say(language, "why.sweep.beta.still", **values) if found.always else ""
    )


def say_told(
    told: Told, language: str, escape: Callable[[object], str] = lambda words: str(words)
) -> str:
    """Return what must be said of a file of codes; `escape` is for what others wrote."""
    values = {
        key: escape(value) if isinstance(value, str) else value
        for key, value in told.values.items()
    }
    if told.code.startswith("spread_"):
        for key, reading in (("claimed", "said"), ("better", "option")):
            values[key] = say(language, f"collapse.own.spread.{told.values[reading]}")
    if told.code == "gaps":
        names = ", ".join(latent_name(index) for index in told.values["dimensions"][:SHOWN])
        rows = ", ".join(f"{row:,}" for row in told.values["first_rows"][:SHOWN])
        values["dimension_count"] = len(told.values["dimensions"])
        values["dimension_names"] = f" ({names})" if names else ""
        values["row_names"] = f" ({rows})" if rows else ""
    if told.code == "export_both":
        values["line"] = escape(str(told).partition(": ")[2])
    return say(language, f"told.{told.code}", **values)


def _vary(found: Consultation) -> str:
    """Return the code of the cause's sentence, which depends on what its figures are of."""
    code = found.cause or ""
    if code == "objective" and not found.thresholds.at_collapse:
        return "objective_further"
    if code in WEIGHTS and found.weight is not None and found.weight.of_sigma2:
        return f"{code}_sigma2"
    return code


def _unsigned(values: dict[str, Any]) -> dict[str, Any]:
    """Return values in which what rounds to zero per cent has no sign."""
    return {**values, "explained": round(values["explained"], 2) + 0.0}


def _say_change(change: Change, language: str) -> str:
    before, after = change.before, change.after
    if change.name in NAMED:
        known = sentences(language, NAMED[change.name])
        before, after = known[before], known[after]
    name = change.name.split(".")[-1]
    return say(language, f"why.change.{name}", before=before, after=after)
