"""The app's menu on a phone: named, and closed once a page is chosen."""

import streamlit as st

from explorer.app.parts.mount import enclose, script_component
from explorer.app.text import sentences


def tend_menu() -> None:
    """Let the browser name the drawer's buttons and close it."""
    with st.container(key="menu"):
        data = enclose({"words": sentences("app.menu.")})
        script_component("menu")(key="menu_mount", data=data, height=1)
