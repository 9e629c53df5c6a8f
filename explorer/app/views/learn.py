"""Learn: the story from p(x) to β in eight chapters, each with something to touch."""

from collections.abc import Callable

import streamlit as st

from explorer.app.text import text
from explorer.app.views import (
    learn_collapse,
    learn_elbo,
    learn_kl,
    learn_latents,
    learn_mixture,
    learn_notation,
    learn_reparameterise,
    learn_sigma,
)

CHAPTERS: dict[str, Callable[[], None]] = {
    "latents": learn_latents.show_chapter,
    "mixture": learn_mixture.show_chapter,
    "elbo": learn_elbo.show_chapter,
    "kl": learn_kl.show_chapter,
    "sigma": learn_sigma.show_chapter,
    "reparameterise": learn_reparameterise.show_chapter,
    "collapse": learn_collapse.show_chapter,
    "notation": learn_notation.show_chapter,
}


def show_page() -> None:
    """Lay out the page: the chapters' names, then the chosen one."""
    asked = st.query_params.get("chapter")
    chapter = st.segmented_control(
        text("learn.chapter"), list(CHAPTERS),
        default=asked if asked in CHAPTERS else next(iter(CHAPTERS)), key="learn_chapter",
        format_func=lambda name: text(f"learn.chapter.{name}"), label_visibility="collapsed",
    )  # fmt: skip
    chosen = chapter or next(iter(CHAPTERS))
    st.query_params["chapter"] = chosen
    CHAPTERS[chosen]()


show_page()
