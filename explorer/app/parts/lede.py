"""The sentence that opens a page: what one will see on it."""

import html

import streamlit as st

from explorer.app.text import text


def show_lede(key: str, **values: object) -> None:
    """Show the sentence `key` of the catalogue, larger than text and smaller than a title."""
    st.html(f'<p class="explorer-lede">{html.escape(text(key, **values))}</p>')
