"""The one lasting state of a visitor, typed; widgets keep their own values by key."""

from dataclasses import dataclass, field

import streamlit as st

from explorer.library import Library

CHOSEN = "lang"
"""The chosen language's name in the address and in the visitor's session."""


@dataclass
class Session:
    """What a visitor's pages share."""

    watched: str | None = None
    """Id of the run on the Train page."""
    notice: str | None = None
    """One sentence to show after the next rerun."""
    fits: dict[str, bool] = field(default_factory=dict)
    """Linear models that the visitor had fitted on Models, by id of their run: whether each has
    stood beside the others yet."""


def get_session() -> Session:
    """Return this visitor's session, made at first use."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
    session: Session = st.session_state["session"]
    return session


def chosen_language() -> str | None:
    """Return the language that the visitor chose in this session, None before that."""
    chosen: str | None = st.session_state.get(CHOSEN)
    return chosen


def library() -> Library:
    """Return the visitor's runs, images and jobs; local use has one Library for all."""
    return Library()


def is_dark() -> bool:
    """Tell whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
