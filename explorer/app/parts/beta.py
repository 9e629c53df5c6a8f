"""β of a run while it trains: how it is told, and the slider that moves it from any tab."""

import streamlit as st

from explorer.app.parts.jobs import try_or_toast
from explorer.app.parts.kept import Kept, is_shown, read_widget
from explorer.app.text import text
from explorer.config import ObjectiveConfig
from explorer.runs.control import Control
from explorer.runs.run import Run

BETAS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 40.0, 64.0)


def _shown(run: Run) -> Kept[tuple[int | None, str, float]]:
    """Return what the slider shows: number of the last command, the widget's key, where it began.

    The number is None until the slider was drawn.
    """
    return Kept(f"train_beta_{run.id}", (None, "", 0.0))


def show_beta(run: Run, objective: ObjectiveConfig) -> None:
    """Show β as it was sent last, by whichever tab; until then the planned one."""
    sent = Control(run.path).latest("beta")
    latest = sent.number if sent else 0
    known = objective.beta if sent is None or sent.value is None else sent.value
    seen, key, start = _shown(run).get()
    # What another tab sent is a new slider; what this one sent leaves it under the hand.
    if latest != seen or not is_shown(key):
        key, start = f"train_beta_{run.id}_{latest}", known
        _shown(run).put((latest, key, start))
    is_scheduled = objective.schedule != "constant"
    st.select_slider(
        text("train.beta_planned" if not sent and is_scheduled else "train.beta_now"),
        sorted({*BETAS, start}),
        value=start,
        key=key,
        help=text("train.beta_now_help"),
        on_change=_send_beta,
        args=(run, key, known),
        width=320,
    )


def is_beta_outdated(run: Run) -> bool:
    """Tell whether another tab has moved β since the slider was drawn."""
    seen = _shown(run).get()[0]
    if seen is None:
        return False
    sent = Control(run.path).latest("beta")
    return seen != (sent.number if sent else 0)


def _send_beta(run: Run, key: str, known: float) -> None:
    """Send β, unless it is known already or comes from a slider that another has replaced.

    A slider that leaves the page reports its value once more: what this tab had would take back
    what another tab has just sent.
    """
    beta = float(read_widget(key))
    _, current, start = _shown(run).get()
    if beta == known or key != current:
        return

    def send() -> None:
        _shown(run).put((Control(run.path).send("beta", beta), key, start))

    try_or_toast(send)
