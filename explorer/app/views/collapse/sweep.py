"""A sweep on the Collapse page: where its latents fall asleep, and a playhead over its members."""

import streamlit as st

from explorer.analysis.consultation.sweep import (
    SweepAnswer,
    SweepMember,
    consult_sweep,
    list_comparable,
)
from explorer.app.parts.choices import bound_select
from explorer.app.parts.failures import told
from explorer.app.parts.kept import move_widget
from explorer.app.parts.names import label_run
from explorer.app.parts.timeline import show_timeline
from explorer.app.session import library
from explorer.app.text import language, paragraph, plain, sentences, text
from explorer.app.views.runs.questions import count_stored, show_sweep_figure
from explorer.export.report import words
from explorer.export.timeline import build_sweep_timeline
from explorer.runs.sweeps import Sweep


def ask_for_sweep() -> None:
    """Answer on a sweep that the visitor chooses."""
    sweeps = {name: each for name, each in library().sweeps().items() if len(each.configs) > 1}
    if not sweeps:
        st.caption(text("why.sweep.none"))
        return
    chosen = bound_select(
        "collapse_sweep",
        "sweep",
        list(sweeps),
        text("why.subject.sweep"),
        label_visibility="collapsed",
        width=420,
    )
    show_sweep(sweeps[chosen])


@st.fragment
@told()
def show_sweep(sweep: Sweep) -> None:
    """Show the answer in one sentence, and the members under the playhead."""
    found = consult_sweep(sweep)
    answer = say_sweep(found, sweep)
    st.subheader(plain(answer), anchor=False)
    place = show_timeline(
        build_sweep_timeline(found),
        answer,
        f"collapse_sweep_{sweep.id}",
        moment=sentences("why.sweep.moment.")[found.axis],
        label=f"why.sweep.axis.{found.axis}",
    )
    bracket = text("why.sweep.bracket") if found.falls else ""
    st.caption(paragraph(text("why.sweep.caption"), bracket, text("collapse.timeline.drag")))
    member = _member_at(found, place)
    if found.axis == "latent_dim":
        show_sweep_figure(*count_stored(list_comparable(sweep)))
    asked = st.button(
        text("why.sweep.ask", name=plain(label_run(member.run))),
        key="collapse_sweep_ask",
        icon=":material/stethoscope:",
        on_click=_ask_about,
        args=(member.run.id,),
    )
    if asked:
        st.rerun()  # The whole page, of which this is a part.


def _ask_about(run_id: str) -> None:
    move_widget("collapse_subject", "run")
    move_widget("collapse_choose", run_id)


def say_sweep(found: SweepAnswer, sweep: Sweep) -> str:
    """Return the answer on a sweep in one sentence."""
    if found.axis == "latent_dim":
        return words.say_count(count_stored(list_comparable(sweep))[0], language())
    return words.say_sweep(found, language())


def _member_at(found: SweepAnswer, place: float | None) -> SweepMember:
    """Return the member under the playhead, the last one at its end."""
    marks = [row["at"] for row in build_sweep_timeline(found)["rows"]]
    return found.members[marks.index(place) if place in marks else -1]
