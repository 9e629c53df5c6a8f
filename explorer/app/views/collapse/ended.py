"""A cure whose training did not come to its end: what became of it, and how to go on."""

import streamlit as st

from explorer.app.parts.jobs import describe_wait, go_on
from explorer.app.session import library
from explorer.app.text import explain, text
from explorer.runs.info import Status
from explorer.runs.run import Run

ENDED = ("failed", "stopped", "interrupted")
"""States of a training that is over and has not reached its end."""


def is_cut(status: Status) -> bool:
    """Tell whether a training is over, or rests, before its end."""
    return status.shown_state() in (*ENDED, "paused")


def show_ended(run: Run, *, is_cure: bool) -> None:
    """Say in one sentence that a training waits, rests or was cut short, and what to do.

    `is_cure` says that a button above trains it anew.
    """
    status, planned = run.info.status, run.info.planned_steps or 0
    state = status.shown_state()
    if state == "queued":
        st.caption(describe_wait(run, status))
        return
    if not is_cut(status):
        return
    reason = explain(status.message) if state == "failed" else ""
    told = text(f"why.cure.{state}", step=status.step, planned=planned, message=reason)
    (st.error if state == "failed" else st.warning)(told)
    if not is_cure or not library().is_own(run):
        return
    if state in ENDED and st.button(text("job.continue"), key=f"collapse_go_on_{run.id}"):
        if go_on(run):
            st.rerun()
