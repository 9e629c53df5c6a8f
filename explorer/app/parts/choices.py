"""Widgets that open on what the address asks for, and write there what is chosen."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import streamlit as st

from explorer.app.parts.kept import read_widget

T = TypeVar("T")


def kept_choice(key: str, options: Iterable[T], asked: object) -> T | None:
    """Return the option that the widget `key` stands on, first `asked`, else the first of them.

    None where there are no options. Give it to the widget as its default in every run, and never
    write it to the session state outside of a callback: such a write is sent to the browser once.
    Where a click ends that run before the browser has drawn the widget, it is drawn on its own
    default, which the next run then takes for the visitor's choice.
    """
    found = list(options)
    for wanted in (read_widget(key), asked):
        if wanted in found:
            return found[found.index(wanted)]
    return found[0] if found else None


def kept_number(key: str, asked: str | None, start: int, low: int, high: int) -> int:
    """Return the whole number that the widget `key` stands on, first `asked`, else `start`.

    It is moved into [low, high]; for the rest as `kept_choice`.
    """
    kept = read_widget(key)
    if kept is None:
        kept = asked if asked is not None and asked.isdecimal() and len(asked) < 10 else start
    return min(max(int(kept), low), high)


def bound_section(key: str, names: Sequence[str], label: str, name: Callable[[str], str]) -> str:
    """Show which section of a page is open, and return it; the address has it as `section`.

    `name` gives what is shown of each, `label` is for screen readers.
    """
    kept = kept_choice(key, names, st.query_params.get("section"))
    chosen = st.segmented_control(
        label, names, default=kept, key=key, required=True, format_func=name,
        label_visibility="collapsed",
    )  # fmt: skip
    section = chosen or names[0]
    st.query_params["section"] = section
    return section
