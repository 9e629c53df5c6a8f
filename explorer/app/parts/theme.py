"""The page's colours follow the reader's theme."""

import streamlit as st

from explorer.app.parts.mount import do_nothing, enclose, script_component
from explorer.app.session import is_dark


def follow_theme() -> None:
    """Run the page again when the reader's system turns from light to dark or back."""
    with st.container(key="theme"):
        script_component("theme")(
            key="theme_mount",
            data=enclose({"isDark": is_dark()}),
            height=1,
            on_turned_change=do_nothing,
        )
