"""Widgets that open on what the address asks for."""

from collections.abc import Iterable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def kept_choice(key: str, options: Iterable[T], asked: object) -> T | None:
    """Return the option that the widget `key` stands on, first `asked`, else the first of them.

    None where there are no options. Give it to the widget as its default in every run, and never
    write it to the session state outside of a callback: such a write is sent to the browser once.
    Where a click ends that run before the browser has drawn the widget, it is drawn on its own
    default, which the next run then takes for the visitor's choice.
    """
    found = list(options)
    for wanted in (st.session_state.get(key), asked):
        if wanted in found:
            return found[found.index(wanted)]
    return found[0] if found else None


def kept_number(key: str, asked: str | None, start: int, low: int, high: int) -> int:
    """Return the whole number that the widget `key` stands on, first `asked`, else `start`.

    It is moved into [low, high]; for the rest as `kept_choice`.
    """
    kept = st.session_state.get(key)
    if kept is None:
        kept = asked if asked is not None and asked.isdecimal() and len(asked) < 10 else start
    return min(max(int(kept), low), high)
