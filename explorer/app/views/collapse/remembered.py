"""The β of a model that does not say it, as its owner remembers it."""

import streamlit as st

from explorer.app.parts.kept import read_widget
from explorer.app.session import library
from explorer.app.text import text
from explorer.runs.run import Run

LARGEST = 1e9


def asks_for_beta(run: Run) -> bool:
    """Tell whether β is what is missing: the model and its images are here."""
    return run.info.beta is None and run.info.has_model and library().has_images_of(run)


def ask_for_beta(run: Run) -> None:
    """Show the field for β."""
    st.number_input(
        text("why.beta.ask"),
        0.0,
        LARGEST,
        None,
        key=_key(run),
        format="%.6g",
        help=text("why.beta.ask.help"),
        width=240,
    )


def remember_beta(run: Run) -> float | None:
    """Return β as it stands in the field, None while it is empty or not asked for."""
    beta: float | None = read_widget(_key(run)) if asks_for_beta(run) else None
    return beta or None


def _key(run: Run) -> str:
    return f"collapse_beta_{run.id}"
