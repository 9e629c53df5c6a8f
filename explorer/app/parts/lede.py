"""The sentence that opens a page: what one will see on it; and the outline of what is to come."""

import html
from contextvars import ContextVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.app.text import text

LEDES = {
    "": "explore.lede",
    "learn": "learn.lede",
    "train": "train.lede",
    "beta": "beta.lead",
    "collapse": "collapse.lead",
    "elbo": "elbo.lead",
    "models": "models.lede",
    "runs": "runs.lede",
}
"""The sentence that opens each page, by the page's address."""


def _outline(kind: str, *parts: str) -> str:
    row = "".join(f'<i class="{part}"></i>' for part in parts)
    return (
        '<div class="explorer-skeleton" aria-hidden="true"><i class="bar"></i>'
        f'<div class="{kind}">{row}</div></div>'
    )


SKELETON = _outline("row", "picture", "plane", "picture")
"""The row of the map, as grey shapes: it goes when the map stands there (browser/map/main.js)."""
FIGURE = _outline("beside", "figure", "margin")
"""A figure of three fifths, and beside it what is said of it."""
SKELETONS = {
    "": SKELETON,
    "elbo": SKELETON,
    "models": _outline("alike", *4 * ["map"]),
    "train": FIGURE,
    "beta": FIGURE,
    "collapse": FIGURE,
}
"""What is about to stand below the sentence, by the page's address: of pages with one figure."""


_OUTLINE: ContextVar[DeltaGenerator | None] = ContextVar("outline", default=None)


def keep_until_lede(place: DeltaGenerator) -> None:
    """Let what fills `place` stand until the page shows its sentence: its modules take a second."""
    _OUTLINE.set(place)


def clear_outline() -> None:
    """Empty the place that was to stand until the page's sentence, if it still does."""
    place = _OUTLINE.get()
    if place is not None:
        _OUTLINE.set(None)
        place.empty()


def show_lede(key: str, **values: object) -> None:
    """Show the sentence `key` of the catalogue, larger than text and smaller than a title."""
    clear_outline()
    st.html(write_lede(text(key, **values)))


def write_lede(sentence: str) -> str:
    """Return the sentence that opens a page as HTML."""
    return f'<p class="explorer-lede">{html.escape(sentence)}</p>'
