"""How far the β lab's models are: a family's controls, each member of a sweep, new arrivals."""

import html
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from explorer.app.parts.jobs import offer_pause, offer_stop, show_progress
from explorer.app.parts.kept import Kept
from explorer.app.session import library
from explorer.app.text import explain, in_words, text
from explorer.errors import ExplorerError
from explorer.runs.sweeps import MemberProgress, Sweep, read_sweep

FOLLOW_SECONDS = 3.0
SHOWN_MEMBERS = 48
SHOWN_FIRST = ("failed", "interrupted", "running", "paused", "queued", "stopped")
COUNTED = ("finished", "running", "paused", "queued", "missing", "stopped", "interrupted", "failed")

Signature = tuple[bool, str]
"""Whether a sweep is being trained, and a family's state: a change of either reruns the page."""

FOLLOWED: Kept[tuple[list[str], str | None, bool] | None] = Kept("beta_followed", None)
"""Sweeps in the folder, the chosen one, and whether it was being trained, at the last look."""


def sign(sweep: Sweep, progress: Sequence[MemberProgress]) -> Signature:
    """Return what decides the page's timer and controls."""
    state = progress[0].state if sweep.kind == "family" and progress else ""
    return sweep.is_active(progress), state


@st.fragment(run_every=FOLLOW_SECONDS)
def follow_folder(chosen: str | None) -> None:
    """Rerun the page when a sweep appears or goes, or the chosen one is taken up again."""
    folder = library().own.folder
    seen = sorted(path.parent.name for path in folder.glob("*/sweep.json"))
    active = False
    if chosen is not None and (folder / chosen / "sweep.json").is_file():
        try:
            sweep = read_sweep(folder / chosen)
            active = sweep.is_active(sweep.progress())
        except ExplorerError:
            active = False
    now = (seen, chosen, active)
    before = FOLLOWED.get() or now
    FOLLOWED.put(now)
    if now[0] != before[0] or (now[1] == before[1] and now[2] != before[2]):
        st.rerun()


@st.fragment
def show_transport(sweep: Sweep, state: str) -> None:
    """Show a family's controls, apart from what ticks: no redraw falls into a press."""
    with st.container(horizontal=True, vertical_alignment="center", key="beta_transport"):
        shown = text("state." + state)
        st.markdown(text("beta.state", count=len(sweep.configs), state=shown))
        if state != "queued":
            offer_pause(sweep.path, state, "beta_pause")
        offer_stop(sweep.path, "beta_stop")


def show_members(sweep: Sweep, progress: Sequence[MemberProgress], is_active: bool) -> None:
    """Show how far each member is; nothing once all have finished."""
    if all(member.state == "finished" for member in progress):
        return
    if sweep.kind == "family":
        _show_family(progress, is_active)
        return
    counts = Counter(member.state for member in progress)
    counted = [
        text("beta.count", count=counts[state], state=text(f"beta.member.{state}"))
        for state in COUNTED
        if counts[state]
    ]
    st.markdown(text("beta.sweep_state", count=len(progress), states=" · ".join(counted)))
    shown = list(progress)
    if len(shown) > SHOWN_MEMBERS:
        shown = [member for state in SHOWN_FIRST for member in shown if member.state == state]
    cells = "".join(_describe_member(sweep, member) for member in shown[:SHOWN_MEMBERS])
    st.html(f'<div class="explorer-members">{cells}</div>')
    if not is_active:
        st.caption(text("beta.sweep_idle"))


def _show_family(progress: Sequence[MemberProgress], is_active: bool) -> None:
    first = progress[0]
    if is_active and first.planned:
        step = max(member.step for member in progress)
        words = text("beta.progress", step=step, planned=first.planned, count=len(progress))
        show_progress(step, first.planned, words)
    for message in dict.fromkeys(member.message for member in progress if member.state == "failed"):
        st.error(text("beta.failed", message=explain(message)))


def _describe_member(sweep: Sweep, member: MemberProgress) -> str:
    """Return one member's cell: its name, how far it is, a bar."""
    state = text(f"beta.member.{member.state}")
    if member.planned and member.state != "finished":
        state += " · " + text("beta.member.step", step=member.step, planned=member.planned)
    words = html.escape(in_words(member.message))
    message = f'<em title="{words}">{words}</em>'
    told = message if member.state == "failed" and member.message else ""
    return (
        f'<div class="{member.state}"><b>{html.escape(name_member(sweep, member.name))}</b>'
        f"<span>{html.escape(state)}</span>{told}"
        f'<i><i style="width:{100 * member.part:.0f}%"></i></i></div>'
    )


def name_member(sweep: Sweep, name: str) -> str:
    """Return what sets a member apart in the grid, such as "β 0.5 · seed 1"."""
    config = sweep.configs[name]
    values = {
        "beta": config.objective.beta,
        "latent_dim": config.model.latent_dim,
        "seed": config.seed,
    }
    grid = sweep.grid
    if not grid or set(grid) - set(values):
        return name
    return " · ".join(text(f"beta.grid.{key}", value=values[key]) for key in values if key in grid)
