"""Looking together: a press of the lecturer's opens a page for all who follow."""

import streamlit as st

from explorer.app.parts.jobs import try_or_toast
from explorer.app.parts.kept import read_widget
from explorer.app.parts.mount import script_component
from explorer.app.session import get_visitor
from explorer.app.text import text
from explorer.visitors.house import get_house

KEY = "together_mount"
TICK_SECONDS = 3.0


def show_together() -> None:
    """Put the lecturer's, or the follower's, switch into the app's bar; in a classroom alone."""
    house = get_house()
    if house is None or house.mode.kind != "classroom":
        return
    with st.container(key="together"):
        if get_visitor().is_lecturer:
            _mount()
        else:
            st.fragment(_mount, run_every=TICK_SECONDS)()


def _mount() -> None:
    house = get_house()
    assert house is not None
    scene = house.scene()
    data = {
        "leads": get_visitor().is_lecturer,
        "number": scene.number,
        "address": scene.address,
        "words": {
            "show": text("visit.show"),
            "show_help": text("visit.show.help"),
            "follow": text("visit.follow"),
            "follow_help": text("visit.follow.help"),
        },
    }
    component = script_component("together")
    component(key=KEY, data=data, height=1, on_shown_change=_show)


def _show() -> None:
    """Show all what the lecturer sees; a message of anybody else is not heard."""
    house, address = get_house(), (read_widget(KEY) or {}).get("shown")
    if house is None or not get_visitor().is_lecturer or not isinstance(address, str):
        return
    if try_or_toast(house.show, address):
        st.toast(text("visit.shown"))
