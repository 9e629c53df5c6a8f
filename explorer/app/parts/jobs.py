"""A job on every page: its buttons, how far it is, its place in the queue, going on with it.

Buttons are callbacks, so that they are heard even where the page redraws under the hand; what is
refused is a toast.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from explorer.app.session import library
from explorer.app.text import explain, text
from explorer.errors import ExplorerError
from explorer.runs.control import Control
from explorer.runs.info import Status
from explorer.runs.run import Run
from explorer.visitors.house import get_house

Width = int | Literal["content"]


def warm_worker() -> None:
    """Start the worker, where there is none yet, while the visitor reads."""
    library().queue  # noqa: B018


def try_or_toast(action: Callable[..., object], *values: Any) -> bool:
    """Do it and tell whether that went well; what was refused is said in a toast."""
    try:
        action(*values)
    except ExplorerError as error:
        st.toast(explain(error), icon=":material/error:")
        return False
    return True


def press(action: Callable[..., object], *values: Any) -> None:
    """Do what a button stands for; what was refused is said in a toast."""
    try_or_toast(action, *values)


def offer_pause(folder: Path, state: str, key: str, width: Width = "content") -> None:
    """Show the button that pauses a job, or lets a paused one go on.

    It is one button of two names: of two buttons both stand there while the page redraws.
    """
    action = "resume" if state == "paused" else "pause"
    send = Control(folder).send
    st.button(text(f"job.{action}"), key=key, on_click=press, args=(send, action), width=width)


def offer_step(folder: Path, state: str, key: str) -> None:
    """Show the button that takes one step of a paused job."""
    st.button(
        text("job.step"),
        key=key,
        disabled=state != "paused",
        on_click=press,
        args=(Control(folder).send, "step"),
    )


def offer_stop(folder: Path, key: str) -> None:
    """Show the button that ends a job, or takes it from the queue."""
    st.button(text("job.stop"), key=key, on_click=press, args=(_stop, folder))


def _stop(folder: Path) -> None:
    library().queue.stop(folder)


def go_on(run: Run) -> bool:
    """Queue an unfinished run anew and tell whether that went well."""
    return try_or_toast(library().go_on, run)


def show_progress(step: int, planned: int, words: str) -> None:
    """Show how far a job is as a bar under its words."""
    st.progress(min(1.0, step / planned), words)


def describe_wait(run: Run, status: Status) -> str:
    """Return what a job that has no figures yet waits for."""
    if status.state != "queued":
        return text("job.waiting")
    queue = library().queue
    if queue.trouble:
        return explain(queue.trouble)
    ahead, seconds = queue.expect(run.path)
    if get_house() is not None and ahead:
        return text("job.expected", count=ahead, seconds=round(seconds))
    return text("job.behind", count=ahead) if ahead else text("job.waiting")
