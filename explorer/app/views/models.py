"""Models: every model of the notes side by side, and the codebook of a VQ-VAE."""

from collections.abc import Callable

import streamlit as st

from explorer.app.text import text
from explorer.app.views.models_codebook import show_codebook
from explorer.app.views.models_compare import show_comparison

SECTIONS: dict[str, Callable[[], None]] = {
    "compare": show_comparison,
    "codebook": show_codebook,
}


def show_page() -> None:
    """Lay out the page: the chosen section."""
    st.caption(text("models.lead"))
    section = st.segmented_control(
        text("models.section"), list(SECTIONS), default=next(iter(SECTIONS)), key="models_section",
        format_func=lambda name: text(f"models.section.{name}"), label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS[section or next(iter(SECTIONS))]()


show_page()
