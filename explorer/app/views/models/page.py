"""Models: every model of the notes side by side, and the codebook of a VQ-VAE."""

import streamlit as st

from explorer.app.parts.choices import bound_section
from explorer.app.parts.lede import show_lede
from explorer.app.parts.own_model import offer_own_model
from explorer.app.parts.sections import Section
from explorer.app.text import text
from explorer.app.views.models.codebook import show_codebook
from explorer.app.views.models.compare import show_comparison

SECTIONS: dict[str, Section[None]] = {
    "compare": Section(lambda _: show_comparison()),
    "codebook": Section(lambda _: show_codebook(), lede="models.lead.codebook"),
}
SECTION = "models_section"


def show_page() -> None:
    """Lay out the page: the chosen section."""
    show_lede("models.lede")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        section = bound_section(
            SECTION,
            list(SECTIONS),
            text("models.section"),
            lambda name: text(f"models.section.{name}"),
        )
        offer_own_model("models_own_model")
    SECTIONS[section].show(None)


show_page()
