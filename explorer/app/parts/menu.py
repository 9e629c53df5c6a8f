"""The app's menu on a phone: named, and closed once a page is chosen."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager

from explorer.app.text import sentences
from explorer.browser import read_script

_renderers: dict[int, Callable[..., Any]] = {}


def tend_menu() -> None:
    """Let the browser name the drawer's buttons and close it."""
    manager = id(get_bidi_component_manager())
    if manager not in _renderers:
        _renderers.clear()
        _renderers[manager] = component("explorer_menu", js=read_script("menu"))
    with st.container(key="menu"):
        _renderers[manager](key="menu_mount", data={"words": sentences("app.menu.")}, height=1)
