"""Presenting: every page on a projector, larger, and led through by a clicker's keys."""

from collections.abc import Mapping

import streamlit as st

from explorer.app.parts.guide import GUIDE
from explorer.app.parts.mount import enclose, script_component
from explorer.app.text import sentences

SWITCHES: Mapping[str, str] = {
    "learn": ".st-key-learn_chapter",
    "elbo": ".st-key-elbo_section",
    "models": ".st-key-models_section",
}
"""By page the control that its sections are chosen by: a step forward goes through them."""


def show_present() -> None:
    """Put the switch into the app's bar; what it does is the browser's."""
    data = {
        "pages": list(GUIDE),
        "switches": dict(SWITCHES),
        "words": sentences("present."),
    }
    with st.container(key="present"):
        script_component("present")(key="present_mount", data=enclose(data), height=1)
