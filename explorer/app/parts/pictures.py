"""How pictures stand on every page: strips enlarged without smoothing."""

import html

import numpy as np
import streamlit as st

from explorer.figures.pictures import data_uri, encode_png


def show_strip(picture: np.ndarray, caption: str) -> None:
    """Show one picture over its caption, enlarged without smoothing."""
    caption = html.escape(caption)
    uri = data_uri(encode_png(picture, max(1, 640 // picture.shape[1])))
    st.html(
        f'<div class="explorer-strip"><figure><img src="{uri}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure></div>"
    )
