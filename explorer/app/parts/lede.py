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

SKELETON = (
    '<div class="explorer-skeleton" aria-hidden="true"><i class="bar"></i>'
    '<div class="row"><i class="picture"></i><i class="plane"></i><i class="picture"></i></div>'
    "</div>"
)
"""The row of the map, as grey shapes: it goes when the map stands there (browser/map/main.js)."""


def show_lede(key: str, **values: object) -> None:
    """Show the sentence `key` of the catalogue, larger than text and smaller than a title."""
    st.html(write_lede(text(key, **values)))


def write_lede(sentence: str) -> str:
    """Return the sentence that opens a page as HTML."""
    return f'<p class="explorer-lede">{html.escape(sentence)}</p>'
