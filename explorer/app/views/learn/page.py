"""Learn: the story from p(x) to β, chapter by chapter, each with something to touch."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from explorer.app.parts.choices import kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.kept import move_widget
from explorer.app.parts.lede import show_lede
from explorer.app.parts.sliders import forget_slider
from explorer.app.session import CHOSEN
from explorer.app.text import text
from explorer.app.views.learn import (
    collapse,
    elbo,
    kl,
    latents,
    mixture,
    notation,
    reparameterise,
    sigma,
)

CHAPTER = "learn_chapter"
CHAPTERS: dict[str, Callable[[], None]] = {
    "latents": latents.show_chapter,
    "mixture": mixture.show_chapter,
    "elbo": elbo.show_chapter,
    "kl": kl.show_chapter,
    "sigma": sigma.show_chapter,
    "reparameterise": reparameterise.show_chapter,
    "collapse": collapse.show_chapter,
    "notation": notation.show_chapter,
}


def show_page() -> None:
    """Lay out the page: the chapters' names, the chosen one, and the way on."""
    show_lede("learn.lede")
    names = list(CHAPTERS)
    kept = kept_choice(CHAPTER, names, "chapter")
    chapter = st.segmented_control(
        text("learn.chapter"),
        names,
        default=kept,
        required=True,
        key=CHAPTER,
        format_func=_title,
        label_visibility="collapsed",
        wrap=False,
    )
    assert chapter is not None  # It is required.
    if st.query_params.get("chapter", chapter) != chapter:
        _forget_settings()
    st.query_params["chapter"] = chapter
    with st.container(key="learn_body"), told():
        CHAPTERS[chapter]()
    place = names.index(chapter)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="learn_neighbours"):
        if place > 0:
            _show_way(names[place - 1], ":material/arrow_back:", "left")
        if place + 1 < len(names):
            _show_way(names[place + 1], ":material/arrow_forward:", "right")


def _forget_settings() -> None:
    """Take what the chapter that is left says out of the address; the language stays.

    So does the chapter, which is written over: an address without one would be a step of Back.
    """
    for name in list(st.query_params):
        if name not in (CHOSEN, "chapter"):
            del st.query_params[name]
            forget_slider(name)


def _title(chapter: str) -> str:
    return text(f"learn.chapter.{chapter}")


def _show_way(chapter: str, icon: str, side: Literal["left", "right"]) -> None:
    st.button(
        _title(chapter),
        key=f"learn_{side}",
        icon=icon,
        icon_position=side,
        type="tertiary",
        on_click=move_widget,
        args=(CHAPTER, chapter),
    )


show_page()
