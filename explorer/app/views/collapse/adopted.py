"""What the Collapse page says first of a model that was made elsewhere: is it that model at all?

The self-test was made when it was adopted and lies in run.json, which anybody may have written:
what is no number and no known word is left out.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.app.parts.names import name_likelihood
from explorer.app.text import number, paragraph, plain, text
from explorer.app.views.collapse.patient import Patient
from explorer.runs.fields import is_number, is_text

FINDINGS = (
    "nan", "unsteady", "batch", "range", "unexplained", "unrelated", "aggregate", "spread", "beta",
)  # fmt: skip
REASONS = ("asleep", "scattered", "unsure")
SHOWN_READINGS = 2


def show_adopted(patient: Patient) -> None:
    """Show the self-test in plain words, β by the weights, and readings that fit as well."""
    info = patient.run.info
    kept = _table(info.model.adopted)
    report = _table(kept.get("report"))
    found = report.get("findings")
    findings = [name for name in FINDINGS if isinstance(found, list) and name in found]
    if findings:
        lines = [text("adopted.speaks_against"), *(text(f"adopted.{name}") for name in findings)]
        st.warning("\n- ".join(lines), icon=":material/warning:")
    elif report:
        st.success(text("adopted.passed"), icon=":material/check:")
    sentences = [
        text("adopted.likelihood", likelihood=name_likelihood(info)),
        describe_explained(report),
        describe_implied(kept),
        *describe_others(kept),
    ]
    st.markdown(paragraph(*sentences))


def describe_explained(report: Mapping[str, Any]) -> str:
    """Return how much of the images its pictures explain."""
    own, others = report.get("explained"), report.get("explained_by_others")
    if not is_number(own) or not is_number(others):
        return ""
    return text("adopted.explained", own=own, others=max(0.0, others))


def describe_implied(kept: Mapping[str, Any]) -> str:
    """Return β as it was told and as the weights tell it, or why they do not."""
    beta = _table(kept.get("beta"))
    told, implied = beta.get("told"), _table(beta.get("implied"))
    first = text("adopted.told", beta=number(told, ".3g")) if is_number(told) else ""
    found, error = implied.get("beta"), implied.get("error")
    if is_number(found) and is_number(error):
        shown = {"beta": number(found, ".2g"), "error": number(error, ".1g")}
        return paragraph(first, text("adopted.implied", **shown))
    reason = implied.get("reason")
    if reason not in REASONS:
        return first
    return paragraph(first, text(f"adopted.cannot_tell.{reason}"), describe_survivors(kept))


def describe_survivors(kept: Mapping[str, Any]) -> str:
    """Return the threshold at which a first latent wakes, and how many are expected awake."""
    survivors = _table(kept.get("survivors"))
    threshold, expected = survivors.get("threshold"), survivors.get("expected")
    if not is_number(threshold) or not isinstance(expected, list):
        return ""
    pairs = [
        text("adopted.awake", beta=number(pair[0], ".3g"), count=number(pair[1], ".0f"))
        for pair in expected[:3]
        if isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair))
    ]
    return text("adopted.survivors", threshold=number(threshold, ".3g"), expected=", ".join(pairs))


def describe_others(kept: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each reading that fits as well as the one that was taken."""
    others, found = kept.get("also_fits"), []
    for other in (others if isinstance(others, list) else [])[:SHOWN_READINGS]:
        values = _table(other)
        spread, kl, beta = values.get("spread"), values.get("kl"), values.get("beta")
        if is_text(spread) and is_number(kl):
            shown = number(beta, ".2g") if is_number(beta) else "?"
            words = {"spread": plain(spread), "kl": number(kl), "beta": shown}
            found.append(text("adopted.also_fits", **words))
    return found


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
