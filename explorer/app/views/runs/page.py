"""Runs: a desk of what was trained; open, diagnose, go on, compare up to six, delete and undo."""

import streamlit as st

from explorer.app.parts.lede import show_lede
from explorer.app.parts.own_model import offer_own_model
from explorer.app.parts.sections import Section, show_sections
from explorer.app.parts.visit import show_visit
from explorer.app.session import library
from explorer.app.text import plain, text
from explorer.app.views.runs.acts import act
from explorer.app.views.runs.bin import show_bin, show_undo
from explorer.app.views.runs.compare import compare
from explorer.app.views.runs.table import choose_runs
from explorer.runs.run import Run
from explorer.visitors.house import get_house

SHOWN_UNREADABLE = 30


def list_desk() -> list[Run]:
    """Return the visitor's runs, newest first, and then the shipped ones."""
    listed = library().runs()
    own = [run for run in listed if library().is_own(run)]
    shipped = [run for run in listed if not library().is_own(run)]
    return own + sorted(shipped, key=lambda run: ("/" in run.id, run.id))


def show_desk(runs: list[Run]) -> list[Run]:
    """Show the table, do what was pressed in it, and return the ticked runs."""
    with st.container(key="runs_table"):
        chosen, pressed = choose_runs(runs)
    if pressed is not None:
        act(*pressed)
    return chosen


def show_oddities() -> None:
    """Name runs that stand in a shipped one's place, and folders that are no runs, with why."""
    own, shipped = library().own, library().shipped
    if taken := [plain(run.id) for run in shipped.list() if own.has(run.id)]:
        st.caption(text("runs.taken", names=text("app.comma").join(taken)))
    unreadable = own.survey()[1]
    if not unreadable:
        return
    with st.expander(text("runs.unreadable", count=len(unreadable)), icon=":material/error:"):
        st.caption(text("runs.unreadable.help"))
        for entry in unreadable[:SHOWN_UNREADABLE]:
            reason = text(f"runs.unreadable.{entry.reason.code}", detail=plain(entry.reason.detail))
            st.markdown(f"- **{plain(entry.id)}**: {reason}")


def show_comparison(chosen: list[Run]) -> None:
    """Show the ticked runs side by side, from two on."""
    if len(chosen) > 1:
        compare(chosen)


BELOW: tuple[Section[list[Run]], ...] = (
    Section(show_comparison),
    Section(lambda chosen: show_bin()),
    Section(lambda chosen: show_oddities()),
)


def show_page() -> None:
    """Lay out the page: the table, the ticked side by side, the bin, what is odd in the folder."""
    show_lede("runs.lede")
    show_undo()
    runs = list_desk()
    if not any(library().is_own(run) for run in runs):
        st.info(text("runs.empty"), icon=":material/folder_open:")
    chosen = show_desk(runs) if runs else []
    st.caption(text("runs.caption"))
    show_sections(BELOW, chosen)
    offer_own_model("runs_own_model")
    show_visit()
    if get_house() is None:  # Elsewhere the folder is nothing to the visitor.
        st.caption(text("runs.lead", folder=plain(library().own.folder)))


show_page()
