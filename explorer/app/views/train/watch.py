"""Watching one run: its controls, how far it is, its curves and its film."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.analysis.collapse.timeline import DEAD_NATS, find_events
from explorer.app.parts.beta import is_beta_outdated, show_beta
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.failures import told
from explorer.app.parts.jobs import (
    describe_wait,
    go_on,
    offer_pause,
    offer_step,
    offer_stop,
    show_progress,
)
from explorer.app.parts.lede import FIGURE
from explorer.app.parts.names import title_run
from explorer.app.parts.pictures import show_row
from explorer.app.parts.sections import Section, show_beside
from explorer.app.parts.stage import may_stage, send_anew, show_empty_stage, show_stage
from explorer.app.parts.ways import offer_map
from explorer.app.session import get_session, library
from explorer.app.text import explain, number, paragraph, plain, sentences, text
from explorer.app.views.train.film import show_film
from explorer.codes import latent_name
from explorer.errors import ExplorerError
from explorer.figures.training import elbo_curves, kl_over_time
from explorer.runs.info import RunInfo
from explorer.runs.run import Run

TICK_SECONDS = 0.6
STAGE = "train_stage"
SHOWN_EVENTS = 3
NAME_WIDTH, PAUSE_WIDTH = 200, 84
"""Pixels; fixed, so that a change of state moves no button."""
EXAMPLE = "digits-2d"
"""The shipped run that shows what a training looks like."""


@dataclass(frozen=True)
class Watched:
    """A run as it is at this tick, with the log of its training."""

    run: Run
    info: RunInfo
    points: list[dict[str, Any]]


def watch_run(run_id: str | None) -> None:
    """Show the run that is watched, the latest one, or an example where there is none yet."""
    if run_id is None:
        latest = library().own.list()
        run_id = latest[0].id if latest else None
    if run_id is None:
        show_example()
        return
    try:
        run = library().find(run_id)
        status = run.info.status
    except ExplorerError as error:
        st.error(explain(error))
        return
    state, live = status.shown_state(), status.is_alive()
    show_controls(run, state, live)
    send_anew(STAGE)
    # A timer is fixed when its fragment is registered: a run that ends reruns the page once.
    st.fragment(_show_live, run_every=TICK_SECONDS if live else None)(run, state)


def show_example() -> None:
    """Say how to begin, and show a shipped training as what will appear."""
    st.info(text("train.no_run"), icon=":material/school:")
    run = library().shipped.open(EXAMPLE)
    st.markdown(text("train.example", name=plain(run.name)))
    st.fragment(_show_live)(run, run.info.status.shown_state())


@told()
def _show_live(run: Run, shown: str) -> None:
    """Show what moves; a change of state reruns the page, so that the controls follow."""
    try:
        info = run.info
    except ExplorerError as error:
        st.error(text("train.gone") if not run.path.is_dir() else explain(error))
        return
    if info.status.shown_state() != shown or is_beta_outdated(run):
        st.rerun()
    live = info.status.is_alive()
    watched = Watched(run, info, run.metrics("train"))
    newest = may_stage(run)
    is_ahead = newest is None and live and _awaits_stage(watched)
    with st.container():  # The stage below it keeps its place when the bar comes.
        _show_progress(watched, is_staged=is_ahead or newest is not None)
    if is_ahead:
        show_empty_stage(run, describe_wait(run, info.status), key=STAGE)
        return
    if not watched.points:
        st.caption(describe_wait(run, info.status) if live else explain(info.status.message))
        if live:
            st.html(FIGURE)
        return
    if newest is None:
        if len(watched.points) > 1:  # One point is no curve: its figures stand above.
            show_beside(CURVES, watched, run)
            st.caption(_explain(watched))
        show_film(run)
        return
    show_stage(run, newest, watched.points, key=STAGE, live=live)
    if live:
        st.caption(_explain(watched))
        return
    left, right = st.columns([1.62, 1])  # As the stage above them.
    with left:
        st.caption(_explain(watched))
    if newest.samples is not None:
        with right:
            show_row(newest.samples, text("train.samples"))
    # What moves has its curves on the stage alone; what stands still may be read off.
    with st.expander(text("train.curves.full"), icon=":material/show_chart:"):
        show_beside(CURVES, watched, run)


def _awaits_stage(watched: Watched) -> bool:
    """Tell whether a run that has no frame yet will have a map.

    A loop of the visitor's own may never write one: its figures are not held back for it.
    """
    info = watched.info
    return info.is_continuous and (info.config is not None or not watched.points)


def show_curves(watched: Watched) -> None:
    """Show ELBO, reconstruction and KL over the steps."""
    validation = watched.run.metrics("validation")
    figure = elbo_curves(watched.points, validation, role_colours(), 225, sentences("figure."))
    show_chart(figure, "train_curves")


def _explain(watched: Watched) -> str:
    """Say what to look for in the terms and, where KL has shares, in those."""
    events = describe_events(watched.points) if watched.info.has_shares else ""
    return paragraph(_explain_curves(watched), events)


def _explain_curves(watched: Watched) -> str:
    """Say what to look for, or that there is nothing left to look for: the code is not used."""
    if not watched.info.has_density:
        return text("train.curves.caption_point")
    kl = watched.points[-1].get("kl", 0.0)
    if kl < DEAD_NATS:
        return text("train.curves.caption_asleep", kl=number(kl))
    return text("train.curves.caption")


def show_shares(watched: Watched) -> None:
    """Show the KL of each latent over the steps, where it has shares."""
    if not watched.info.has_shares:
        st.caption(text("train.kl.mixture"))
        return
    figure = kl_over_time(watched.points, role_colours(), 225, sentences("figure."))
    show_chart(figure, "train_kl")


CURVES = (
    Section(show_curves, title="train.curves"),
    Section(show_shares, title="train.kl", needs=("density",)),
)


def describe_events(points: list[dict[str, Any]]) -> str:
    """Return which dimension fell asleep or woke last, at which β; else what to look for."""
    rows = [point for point in points if "kl_per_dim" in point]
    events = find_events([row["step"] for row in rows], [row["kl_per_dim"] for row in rows])
    if not events:
        return text("train.kl.caption")
    betas = {row["step"]: _say_beta(row) for row in rows}
    is_known = all(row.get("beta") is not None for row in rows)
    told = [
        text(
            f"train.event.{event.kind}" if is_known else f"train.event.{event.kind}_bare",
            dimension=latent_name(event.dimension),
            step=event.step,
            beta=betas[event.step],
        )
        for event in events[-SHOWN_EVENTS:]
    ]
    why = "train.event.why_died" if events[-1].kind == "died" else "train.event.why_woke"
    return paragraph(*told, text(why))


@st.fragment
@told()
def show_controls(run: Run, state: str, live: bool) -> None:
    """Show name, state and buttons, apart from what ticks: no redraw falls into a press."""
    info = run.info
    with st.container(horizontal=True, vertical_alignment="center"):
        # A loop of the visitor's own hears no commands: it gets no buttons.
        is_ours = info.has_model and info.config is not None
        has_transport = live and is_ours and state != "queued"
        # "running" is longer than "paused": the buttons must not move under the hand.
        width: int | Literal["auto"] = NAME_WIDTH if has_transport else "auto"
        title = title_run(run, is_steered=has_transport)
        st.markdown(f"{title} · {text('state.' + state)}", width=width)
        if has_transport:
            _show_transport(run, info, state)
        elif live and is_ours:
            offer_stop(run.path, "train_unqueue")
        elif is_ours and state in ("interrupted", "stopped", "failed"):
            if st.button(text("job.continue"), key="train_continue") and go_on(run):
                get_session().watched = run.id
                st.rerun()  # Nothing ticks here: the page must begin to.
        if not live and (run.path / "codes.npz").is_file():
            if info.has_model:
                offer_map(run, "train", text("train.explore"))
            if info.has_shares:
                _offer_why(run, info)
            if is_ours and info.has_density and info.has_model and library().has_images_of(run):
                if st.button(text("train.slow"), key="train_slow"):
                    query = {"run": run.id, "section": "players", "view": "slow"}
                    st.switch_page("views/elbo/page.py", query_params=query)
    if state == "failed":
        st.error(text("train.failed", message=explain(info.status.message), step=_kept_step(run)))
    if state == "interrupted":
        silent = text("train.silent")
        st.warning(text("train.interrupted", step=_kept_step(run)) if is_ours else silent)


def _offer_why(run: Run, info: RunInfo) -> None:
    """Show the way to Collapse, which says why dimensions sleep, or that none does."""
    shares = info.best_results.get("kl_per_dim") or []
    name = "train.why" if any(share < DEAD_NATS for share in shares) else "train.diagnose"
    if st.button(text(name), key="train_why"):
        st.switch_page("views/collapse/page.py", query_params={"run": run.id})


def _show_progress(watched: Watched, *, is_staged: bool) -> None:
    run, info, points = watched.run, watched.info, watched.points
    if info.status.is_alive() and info.planned_steps:
        latest = points[-1] if points else None
        step = max(info.status.step, latest["step"] if latest else 0)
        words = text("train.progress", step=step, planned=info.planned_steps)
        if latest and latest.get("images") and latest.get("seconds"):
            left = latest["seconds"] * (info.planned_steps / max(latest["step"], 1) - 1)
            if info.config is not None and info.config.budget.seconds is not None:
                # Where it is slower than planned, fewer updates are done.
                left = min(left, info.config.budget.seconds - latest["seconds"])
            speed = latest["images"] / latest["seconds"]
            words += text("train.progress_speed", speed=speed, left=max(0.0, left))
        show_progress(step, info.planned_steps, words)
    if points:
        if not is_staged:
            st.html(_describe_point(points[-1], describe_beta(run)))
        if info.status.state == "finished" and info.status.message:
            st.caption(plain(info.status.message))  # What a loop of another library had to say.


def _describe_point(point: Mapping[str, Any], beta: str | None) -> str:
    """Return the identity −ELBO = reconstruction + KL with its numbers, each in its colour."""
    key = "train.identity" if "kl" in point else "train.identity_point"
    values = {
        "elbo": number(-point["elbo"]),
        "reconstruction": number(point["reconstruction"]),
        "kl": number(point.get("kl", 0.0)),
        "beta": beta if beta and "→" in beta else _say_beta(point),
    }
    return f'<div class="explorer-identity">{text(key, **values)}</div>'


def _say_beta(point: Mapping[str, Any]) -> str:
    """Return a log point's β; a dash where whoever wrote it did not state one."""
    beta = point.get("beta")
    return "—" if beta is None else f"{beta:.3g}"


def _kept_step(run: Run) -> int:
    """Return the step of the latest frame, which is that of the latest checkpoint."""
    return max(run.snapshot_steps(), default=0)


def _show_transport(run: Run, info: RunInfo, state: str) -> None:
    offer_pause(run.path, state, "train_pause", PAUSE_WIDTH)
    offer_step(run.path, state, "train_step")
    offer_stop(run.path, "train_stop")
    if info.has_density and info.config is not None:
        show_beta(run, info.config.objective)
