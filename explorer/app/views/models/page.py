"""Models: every model of the notes side by side, and the codebook of a VQ-VAE."""

from collections.abc import Callable

import streamlit as st

from explorer.app.parts.choices import kept_choice
from explorer.app.text import text
from explorer.app.views.models.codebook import show_codebook
from explorer.app.views.models.compare import show_comparison

SECTIONS: dict[str, Callable[[], None]] = {
    "compare": show_comparison,
    "codebook": show_codebook,
}
SECTION = "models_section"


def show_page() -> None:
    """Lay out the page: the chosen section."""
    kept = kept_choice(SECTION, SECTIONS, st.query_params.get("section"))
    section = st.segmented_control(
        text("models.section"), list(SECTIONS), default=kept, key=SECTION, required=True,
        format_func=lambda name: text(f"models.section.{name}"), label_visibility="collapsed",
    )  # fmt: skip
    assert section is not None
    st.query_params["section"] = section
    st.caption(text(f"models.lead.{section}"))
    SECTIONS[section]()


show_page()
