"""The sentence that opens a page: what one will see on it; and the outline of what is to come."""

import html

import streamlit as st

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
SKELETONS = {"": SKELETON, "elbo": SKELETON, "models": _outline("alike", *4 * ["map"])}
"""What is about to stand below the sentence, by the page's address: of pages with one figure."""


def show_lede(key: str, **values: object) -> None:
    """Show the sentence `key` of the catalogue, larger than text and smaller than a title."""
    st.html(write_lede(text(key, **values)))


def write_lede(sentence: str) -> str:
    """Return the sentence that opens a page as HTML."""
    return f'<p class="explorer-lede">{html.escape(sentence)}</p>'
