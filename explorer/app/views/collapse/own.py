"""What visitors bring to the Collapse page: their own codes."""

from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.codes_in.axes import PER, AxesNeeded
from explorer.analysis.codes_in.naming import SPREADS
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.judged import JudgedCodes, LabelScore
from explorer.analysis.consultation.consult import consult_codes
from explorer.app.cached.collapse import judge_codes
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.kept import read_widget
from explorer.app.text import explain, language, paragraph, plain, sentences, text
from explorer.app.views.collapse.answer import (
    offer_report,
    show_elsewhere,
    show_headline,
    show_why,
)
from explorer.app.views.collapse.film import draw_timeline
from explorer.app.views.collapse.followed import show_followed
from explorer.app.views.collapse.loss import ask_for_loss
from explorer.app.views.collapse.prior import show_prior
from explorer.app.views.collapse.verdicts import show_diagnosis, show_means, show_plane, show_table
from explorer.errors import ExplorerError
from explorer.export.report import words
from explorer.export.report.gather import gather_codes
from explorer.figures.latent import latent_scatter

SHOWN_CODES = 2000
STEPPED = 3
"""Axes of codes over the steps of a training."""
CODE_FILES = ("npz", "npy", "parquet", "csv", "tsv", "txt", "h5ad")
DOUBTS = ("axes_doubtful", "exchanged", "moments_fit", "whole_numbers")
"""What is said of a file that every verdict depends on, beside what its spread is."""


def ask_for_codes() -> None:
    """Answer on a file of anyone's codes."""
    with st.container(key="collapse_own"):
        st.caption(text("collapse.own.help"))
        given = st.file_uploader(
            text("collapse.own.drop"), CODE_FILES, key="collapse_codes", max_upload_size=50
        )
        if given is None:
            return
        axes = read_widget("collapse_axes")
        per = read_widget("collapse_per") or PER[0]
        spread = read_widget("collapse_spread")
        try:
            with st.spinner():
                own = judge_codes(given.getvalue(), given.name, axes, per, spread)
        except AxesNeeded as needed:
            st.warning(paragraph(*map(explain, needed.asked)))
            _ask_for_axes(needed)
            return
        except ExplorerError as error:
            st.error(explain(error))
            return
        _show_own(own)


def _ask_for_axes(needed: AxesNeeded) -> None:
    """Let the visitor say which axis is which."""
    by_code = {choice.axes: choice for choice in needed.choices}
    st.radio(
        text("collapse.own.axes"),
        list(by_code),
        index=None,
        key="collapse_axes",
        format_func=lambda code: text("collapse.own.axes.choice", **vars(by_code[code])),
    )
    st.radio(
        text("collapse.own.per"),
        PER,
        key="collapse_per",
        horizontal=True,
        format_func=lambda per: text(f"collapse.own.per.{per}"),
    )
    if needed.choices and len(needed.choices[0].axes) == STEPPED:
        st.caption(text("collapse.own.axes.steps", items=needed.choices[0].items))


def _show_own(own: JudgedCodes) -> None:
    """Show what must be said of a file first, and then its verdicts."""
    codes, values = own.codes, own.to_dict()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown(text("collapse.own.title", name=plain(codes.name)), width="content")
        if codes.logvar is not None:
            _offer_spread(own)
    for said in own.told:
        doubt = said.code.startswith("spread") or said.code in DOUBTS
        (st.warning if doubt else st.caption)(say_told(said))
    if values["state"] == "means_alone":
        show_means(values)
        _show_own_map(codes, values, own.score)
        _show_findings(own)
        return
    _show_answer(own, values)
    with st.expander(text("why.details"), expanded=True):
        show_diagnosis(values, None)
        _show_own_map(codes, values, own.score)
        st.markdown(f"**{text('collapse.table')}**")
        show_table(values, "own")
        _show_findings(own)


def _show_answer(own: JudgedCodes, values: dict[str, Any]) -> None:
    """Show the answer in one sentence, since when beside why, and what to do."""
    codes = own.codes
    points = codes.points() if len(codes.steps) else []
    head = st.container()
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        if points:
            draw_timeline(points, "own")
            st.caption(text("collapse.own.last", step=int(codes.steps[-1]), count=len(codes.steps)))
        st.markdown(f"**{text('collapse.plane')}**")
        show_plane(values, "own")
    weight = None
    found = consult_codes(codes.name, values, points)
    if found.asleep:
        with st.expander(text("loss.title"), icon=":material/balance:", expanded=True):
            weight = ask_for_loss(found.latents)
        found = consult_codes(codes.name, values, points, weight)
    with head:
        show_headline(found)
    with right:
        show_why(found, "own")
        show_elsewhere(found)
    offer_report(lambda: gather_codes(own, weight), codes.name)


def _show_findings(own: JudgedCodes) -> None:
    """Show what is found beside collapse: of the prior, and of the file's columns."""
    st.markdown(f"**{text('prior.title')}**")
    show_prior(own.prior, "own", own.codes.dimensions)
    show_followed(own.columns, own.codes.dimensions)


def say_told(said: Told) -> str:
    """Return what must be said of a file, in the visitor's language."""
    return words.say_told(said, language(), plain)


def _offer_spread(own: JudgedCodes) -> None:
    """Show how the second array is read, the better reading marked, and let it be changed."""
    spread = own.codes.spread
    if spread is None:
        return
    st.segmented_control(
        text("collapse.own.spread"),
        list(SPREADS),
        default=spread.used,
        key="collapse_spread",
        format_func=lambda name: text(f"collapse.own.spread.{name}"),
    )


def _show_own_map(codes: CodesIn, values: dict[str, Any], score: LabelScore | None) -> None:
    """Show the codes on their two main dimensions, and what their labels say of them."""
    st.markdown(f"**{text('collapse.own.map')}**")
    order = sorted(values["dimensions"], key=lambda row: -(row["kl"] or row["var_mean"]))
    axes = (order[0]["index"], order[min(1, len(order) - 1)]["index"])
    shown = np.linspace(0, len(codes.mean) - 1, min(len(codes.mean), SHOWN_CODES)).astype(int)
    figure = latent_scatter(
        codes.mean[shown],
        None if codes.labels is None else codes.labels[shown],
        codes.class_names,
        role_colours(),
        axes=axes,
        height=300,
        words=sentences("figure."),
    )
    show_chart(figure, "collapse_own_map")
    told = [text("collapse.own.map.caption", count=len(shown))]
    if score is not None:
        told.append(text("collapse.own.labels", **vars(score)))
    elif codes.labels is None:
        told.append(text("collapse.own.no_labels"))
    st.caption(paragraph(*told))
