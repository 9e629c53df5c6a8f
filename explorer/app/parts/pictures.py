"""How pictures stand on every page: strips enlarged without smoothing, told in words as well."""

import html

import numpy as np
import streamlit as st

from explorer.app.text import paragraph, text
from explorer.figures.pictures import data_uri, encode_png, mean_difference, picture_sheet


def show_pairs(above: np.ndarray, below: np.ndarray, caption: str) -> None:
    """Show images (N, C, H, W) uint8 over as many others, and tell how far the two rows differ."""
    told = text("app.pairs", count=len(above), share=100 * mean_difference(above, below))
    _show_strip(picture_sheet(np.concatenate([above, below]), len(above)), caption, told)


def show_row(images: np.ndarray, caption: str, across: int = 0) -> None:
    """Show images (N, C, H, W) uint8, `across` in a row or all in one, and tell how many."""
    told = text("app.pictures", count=len(images))
    _show_strip(picture_sheet(images, across or len(images)), caption, told)


def _show_strip(sheet: np.ndarray, caption: str, told: str) -> None:
    words = html.escape(paragraph(f"{caption}:", told))
    uri = data_uri(encode_png(sheet, max(1, 640 // sheet.shape[1])))
    st.html(
        f'<div class="explorer-strip"><figure><img src="{uri}" alt="{words}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure></div>"
    )
