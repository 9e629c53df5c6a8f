"""The consultation on the Collapse page: one sentence, why as a picture, and what to do."""

from collections.abc import Callable

import streamlit as st

from explorer.analysis.consultation.consult import Consultation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.session import name_owner
from explorer.app.text import language, plain, text
from explorer.export.report import words
from explorer.export.report.gather import Report
from explorer.export.report.page import build_report
from explorer.figures.thresholds import threshold_bars
from explorer.jobs.singly import DOWNLOADS


def show_headline(found: Consultation) -> None:
    """Show the answer in one sentence."""
    sentence = words.say_headline(found, language()).replace(" = ", "\u00a0=\u00a0")
    st.subheader(plain(sentence), anchor=False)


def show_why(found: Consultation, key: str) -> None:
    """Show β against what the images hold, or which evidence is missing."""
    if not found.asleep:
        st.caption(text("why.remedy.none"))
        return
    st.markdown(f"**{text('why.title')}**")
    values, used = found.thresholds.values[: found.latents], found.used
    if not values or used is None or used <= 0:
        _show_missing(found)
        return
    plan = found.prescription
    target = None if plan is None or plan.beta == used else plan.beta
    named = found.weight is not None and found.weight.of_sigma2
    figure = threshold_bars(
        values,
        used,
        role_colours(),
        name=text("why.weight.used" if named else "why.beta.used"),
        target=target,
        target_name=text("why.beta.next"),
    )
    show_chart(figure, f"collapse_why_{key}")
    st.caption(text("why.bars" if found.thresholds.at_collapse else "why.bars.further"))


def show_elsewhere(found: Consultation) -> None:
    """Say what to change of a model that cannot be trained here."""
    told = words.say_elsewhere(found, language())
    if told:
        st.markdown(f"**{text('why.remedy')}**")
        st.markdown(plain(told))


def offer_report(gather: Callable[[], Report], name: str) -> None:
    """Show the button that makes the report when it is pressed."""
    spoken, owner = language(), name_owner()

    def build() -> bytes:
        with DOWNLOADS.turn(owner):
            return build_report(gather(), spoken)

    st.download_button(
        text("why.report"),
        build,
        f"{name}-report.html",
        "text/html",
        key="collapse_report",
        icon=":material/summarize:",
        help=text("why.report.help"),
        on_click="ignore",
    )


def _show_missing(found: Consultation) -> None:
    if found.kind == "adopted" and found.missing == ("beta",) and found.weight is None:
        st.info(text("why.beta.missing"))
    elif {"beta", "data"} & {*found.missing}:
        st.info(_ask_further(found))
    if "images" in found.missing:
        st.caption(text("collapse.remedies.needs_images"))
    elif "model" in found.missing:
        st.caption(text("why.evidence.none"))


def _ask_further(found: Consultation) -> str:
    """Return what to do next where the loss, or the data that it is meant for, is not known."""
    if found.weight is None:
        return text("why.paste")
    key = "why.paste.data_sigma2" if found.weight.of_sigma2 else "why.paste.data"
    return text(key, beta=found.weight.beta)
