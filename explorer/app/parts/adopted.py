"""What a self-test and the weights say of a model, in the visitor's language.

Of adopted models both lie in run.json, which anybody may have written: what is no number and no
known word is left out.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.app.text import number, paragraph, text
from explorer.runs.fields import is_number, is_text
from explorer.runs.run import Run

FINDINGS = (
    "nan", "unsteady", "batch", "range", "unexplained", "worse", "unrelated", "aggregate",
    "spread", "beta",
)  # fmt: skip
REASONS = ("asleep", "scattered", "unsure")
SPREADS = {
    "log-variance": "log σ²",
    "log-sd": "log σ",
    "sd": "σ",
    "variance": "σ²",
    "softplus-sd": "softplus⁻¹ σ",
    "softplus-variance": "softplus⁻¹ σ²",
}
"""What a network puts out as its spread, by what a reading calls it."""
SHOWN_READINGS = 2


def show_findings(report: Mapping[str, Any]) -> None:
    """Show what the self-test found, or that it found nothing."""
    found = report.get("findings")
    findings = [name for name in FINDINGS if isinstance(found, list) and name in found]
    if findings:
        lines = [text("adopted.speaks_against"), *(text(f"adopted.{name}") for name in findings)]
        st.warning("\n- ".join(lines), icon=":material/warning:")
    elif report:
        st.success(text("adopted.passed"), icon=":material/check:")


def describe_explained(report: Mapping[str, Any]) -> str:
    """Return how much of the images its pictures explain."""
    own, others = report.get("explained"), report.get("explained_by_others")
    if not is_number(own) or not is_number(others):
        return ""
    return text("adopted.explained", own=own, others=max(0.0, others))


def describe_beta_of(kept: Mapping[str, Any]) -> str:
    """Return β as it was told of an adopted model, and as its weights tell it."""
    beta = as_table(kept.get("beta"))
    told = beta.get("told")
    first = text("adopted.told", beta=number(told, ".3g")) if is_number(told) else ""
    return paragraph(first, describe_implied(as_table(beta.get("implied")), kept))


def describe_weighed_beta(run: Run) -> str:
    """Return the β of an adopted model as was told, and as its weights imply it; "" for neither."""
    beta = as_table(as_table(run.info.model.adopted).get("beta"))
    told, implied = beta.get("told"), as_table(beta.get("implied")).get("beta")
    known = number(told, ".3g") if is_number(told) else ""
    if not is_number(implied):
        return known
    weighed = text("adopted.by_weights", beta=number(implied, ".2g"))
    return f"{known} ({weighed})" if known else weighed


def describe_implied(implied: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """Return β as the weights tell it, or why they do not; `kept` may foretell who wakes."""
    found, error = implied.get("beta"), implied.get("error")
    if is_number(found) and is_number(error):
        shown = {"beta": number(found, ".2g"), "error": number(error, ".1g")}
        return text("adopted.implied", **shown)
    reason = implied.get("reason")
    if reason not in REASONS:
        return ""
    return paragraph(text(f"adopted.cannot_tell.{reason}"), describe_survivors(kept))


def describe_survivors(kept: Mapping[str, Any]) -> str:
    """Return the threshold at which a first latent wakes, and how many are expected awake."""
    survivors = as_table(kept.get("survivors"))
    threshold, expected = survivors.get("threshold"), survivors.get("expected")
    if not is_number(threshold) or not isinstance(expected, list):
        return ""
    pairs = [
        text("adopted.awake", beta=number(pair[0], ".3g"), count=number(pair[1], ".0f"))
        for pair in expected[:3]
        if isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair))
    ]
    return paragraph(
        text("adopted.threshold", threshold=number(threshold, ".3g")),
        text("adopted.survivors", expected=", ".join(pairs)) if pairs else "",
    )


def describe_reading(fit: Mapping[str, Any]) -> str:
    """Return a reading as its spread, with the KL and the β that follow; "" for none."""
    spread, kl, beta = fit.get("spread"), fit.get("kl"), fit.get("beta")
    if not is_text(spread) or spread not in SPREADS or not is_number(kl):
        return ""
    shown = number(beta, ".2g") if is_number(beta) else "?"
    return text("adopted.reading", spread=SPREADS[spread], kl=number(kl), beta=shown)


def describe_others(kept: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each reading that fits as well as the one that was taken."""
    others = kept.get("also_fits")
    shown = (others if isinstance(others, list) else [])[:SHOWN_READINGS]
    readings = filter(None, (describe_reading(as_table(other)) for other in shown))
    return [text("adopted.also_fits", reading=reading) for reading in readings]


def as_table(value: Any) -> Mapping[str, Any]:
    """Return what is a table as it is, and an empty one for all else."""
    return value if isinstance(value, Mapping) else {}
