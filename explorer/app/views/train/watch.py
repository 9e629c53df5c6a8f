"""Watching one run: its controls, how far it is, its curves and its film."""

from typing import Any, Literal

import streamlit as st

from explorer.analysis.collapse.moved_beta import find_beta
from explorer.analysis.collapse.timeline import find_events
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.failures import told
from explorer.app.session import get_session, library
from explorer.app.text import number, paragraph, plain, sentences, text
from explorer.app.views.train.film import show_film
from explorer.config import ObjectiveConfig
from explorer.errors import ExplorerError
from explorer.figures.training import elbo_curves, kl_over_time
from explorer.runs.control import Control
from explorer.runs.info import RunInfo
from explorer.runs.run import Run

TICK_SECONDS = 0.6
SHOWN_EVENTS = 3
NAME_WIDTH, PAUSE_WIDTH = 200, 84
"""Pixels; fixed, so that a change of state moves no button."""
EXAMPLE = "digits-2d"
"""The shipped run that shows what a training looks like."""
BETAS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 40.0, 64.0)


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
        st.error(plain(error))
        return
    state, live = status.shown_state(), status.is_alive()
    # On a phone what lives stands above the settings (style.css goes by this key).
    with st.container(key="train_live" if live else "train_watched"):
        show_controls(run, state, live)
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
        st.error(text("train.gone") if not run.path.is_dir() else plain(error))
        return
    if info.status.shown_state() != shown or _is_beta_outdated(run):
        st.rerun()
    live = info.status.is_alive()
    train, validation = run.metrics("train"), run.metrics("validation")
    _show_progress(run, info, train)
    if not train:
        st.caption(text("train.waiting") if live else plain(info.status.message))
        return
    roles, words = role_colours(), sentences("figure.")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{text('train.curves')}**")
        figure = elbo_curves(train, validation, roles, 225, words)
        show_chart(figure, "train_curves")
        kind = "" if info.has_density else "_point"
        st.caption(text(f"train.curves.caption{kind}"))
    with right:
        if info.has_density and not info.has_shares:
            st.markdown(f"**{text('train.kl')}**")
            st.caption(text("train.kl.mixture"))
        elif info.has_density:
            st.markdown(f"**{text('train.kl')}**")
            figure = kl_over_time(train, roles, 225, words)
            show_chart(figure, "train_kl", describe_events(train))
    show_film(run)


def describe_events(points: list[dict[str, Any]]) -> str:
    """Return which dimension fell asleep or woke last, at which β; else what to look for."""
    rows = [point for point in points if "kl_per_dim" in point]
    events = find_events([row["step"] for row in rows], [row["kl_per_dim"] for row in rows])
    if not events:
        return text("train.kl.caption")
    betas = {row["step"]: row["beta"] for row in rows}
    told = [
        text(
            f"train.event.{event.kind}",
            dimension=event.dimension + 1,
            step=event.step,
            beta=f"{betas[event.step]:.3g}",
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
        st.markdown(f"**{plain(run.name)}** · {text('state.' + state)}", width=width)
        if has_transport:
            _show_transport(run, info, paused=state == "paused")
        elif live and is_ours:
            st.button(text("train.stop"), key="train_unqueue", on_click=_stop, args=(run,))
        elif is_ours and state in ("interrupted", "stopped", "failed"):
            if st.button(text("train.continue"), key="train_continue") and _go_on(run):
                st.rerun()  # Nothing ticks here: the page must begin to.
        if is_ours and not live and (run.path / "codes.npz").is_file():
            if not info.is_continuous:
                if st.button(text("train.codebook"), key="train_codebook", type="primary"):
                    query = {"section": "codebook", "vq": run.id}
                    st.switch_page("views/models/page.py", query_params=query)
            elif st.button(text("train.explore"), key="train_explore", type="primary"):
                st.switch_page("views/explore.py", query_params={"model": run.id})
    if state == "failed":
        st.error(text("train.failed", message=plain(info.status.message), step=_kept_step(run)))
    if state == "interrupted":
        st.warning(text("train.interrupted", step=_kept_step(run)))


def _show_progress(run: Run, info: RunInfo, points: list[dict[str, Any]]) -> None:
    if info.status.is_alive() and info.planned_steps:
        latest = points[-1] if points else None
        step = max(info.status.step, latest["step"] if latest else 0)
        words = text("train.progress", step=step, planned=info.planned_steps)
        if latest and latest.get("images") and latest.get("seconds"):
            left = latest["seconds"] * (info.planned_steps / max(latest["step"], 1) - 1)
            speed = latest["images"] / latest["seconds"]
            words += text("train.progress_speed", speed=speed, left=max(0.0, left))
        st.progress(min(1.0, step / info.planned_steps), words)
    if points:
        st.html(_describe_point(points[-1], describe_beta(run)))


def describe_beta(run: Run) -> str | None:
    """Return the run's β, or "1 → 4" where a viewer moved it while it trained."""
    beta = find_beta(run)
    if beta is None:
        return None
    return f"{beta.planned:g} → {beta.now:g}" if beta.is_moved else f"{beta.planned:g}"


def _describe_point(point: dict[str, float], beta: str | None) -> str:
    """Return the identity −ELBO = reconstruction + KL with its numbers, each in its colour."""
    key = "train.identity" if "kl" in point else "train.identity_point"
    values = {
        "elbo": number(-point["elbo"]),
        "reconstruction": number(point["reconstruction"]),
        "kl": number(point.get("kl", 0.0)),
        "beta": beta if beta and "→" in beta else f"{point['beta']:.3g}",
    }
    return f'<div class="explorer-identity">{text(key, **values)}</div>'


def _kept_step(run: Run) -> int:
    """Return the step of the latest frame, which is that of the latest checkpoint."""
    return max(run.snapshot_steps(), default=0)


def _show_transport(run: Run, info: RunInfo, paused: bool) -> None:
    control = Control(run.path)
    action = "resume" if paused else "pause"
    # One button of two names: of two buttons both stand there while the page redraws.
    st.button(
        text(f"train.{action}"), key="train_pause", on_click=_send, args=(control, action),
        width=PAUSE_WIDTH,
    )  # fmt: skip
    st.button(
        text("train.step"), key="train_step", disabled=not paused,
        on_click=_send, args=(control, "step"),
    )  # fmt: skip
    st.button(text("train.stop"), key="train_stop", on_click=_stop, args=(run,))
    if info.has_density and info.config is not None:
        _show_beta(run, control, info.config.objective)


def _show_beta(run: Run, control: Control, objective: ObjectiveConfig) -> None:
    """Show β as it was sent last, by whichever tab; until then the planned one."""
    sent = control.latest("beta")
    latest = sent.number if sent else 0
    start = objective.beta if sent is None or sent.value is None else sent.value
    state, name = st.session_state, f"train_beta_{run.id}"
    key = state.get(f"{name}_key", "")
    # What another tab sent is a new slider; what this one sent leaves it under the hand.
    if latest != state.get(f"{name}_seen") or key not in state:
        key = f"{name}_{latest}"
        state[f"{name}_seen"], state[f"{name}_key"], state[f"{name}_start"] = latest, key, start
    shown, is_scheduled = state[f"{name}_start"], objective.schedule != "constant"
    st.select_slider(
        text("train.beta_planned" if not sent and is_scheduled else "train.beta_now"),
        sorted({*BETAS, shown}),
        value=shown,
        key=key,
        help=text("train.beta_now_help"),
        on_change=_send_beta,
        args=(control, name, key, start),
        width=320,
    )


def _is_beta_outdated(run: Run) -> bool:
    """Tell whether another tab has moved β since the slider was drawn."""
    seen = st.session_state.get(f"train_beta_{run.id}_seen")
    if seen is None:
        return False
    sent = Control(run.path).latest("beta")
    return seen != (sent.number if sent else 0)


def _send(control: Control, action: str) -> None:
    try:
        control.send(action)
    except ExplorerError as error:
        st.toast(plain(error), icon=":material/error:")


def _send_beta(control: Control, name: str, key: str, known: float) -> None:
    """Send β, unless it is known already or comes from a slider that another has replaced.

    A slider that leaves the page reports its value once more: what this tab had would take back
    what another tab has just sent.
    """
    state, beta = st.session_state, float(st.session_state[key])
    if beta == known or key != state.get(f"{name}_key"):
        return
    try:
        state[f"{name}_seen"] = control.send("beta", beta)
    except ExplorerError as error:
        st.toast(plain(error), icon=":material/error:")


def _stop(run: Run) -> None:
    try:
        library().queue.stop(run.path)
    except ExplorerError as error:
        st.toast(plain(error), icon=":material/error:")


def _go_on(run: Run) -> bool:
    """Queue the run anew and tell whether that went well."""
    config = run.info.config
    assert config is not None
    try:
        library().submit(config, run.path)
    except ExplorerError as error:
        st.toast(plain(error), icon=":material/error:")
        return False
    get_session().watched = run.id
    return True
