"""Widgets that open on what the address asks for, and write there what is chosen."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

from explorer.app.parts.address import is_led_back, refuse, write_address
from explorer.app.parts.kept import move_widget, read_widget

T = TypeVar("T")
N = TypeVar("N", int, float)


def kept_choice(key: str, options: Iterable[T], name: str | None, start: object = None) -> T | None:
    """Return the option that the widget `key` stands on, first what the address has as `name`.

    Else `start` or the first of them; None where there are no options. Give it to the widget as
    its default in every run, and never write it to the session state outside of a callback: such a
    write is sent to the browser once. Where a click ends that run before the browser has drawn the
    widget, it is drawn on its own default, which the next run then takes for the visitor's choice.
    Back within the page is the exception: what stands there is drawn already, and goes along.
    """
    found = list(options)
    standing = read_widget(key)
    if standing in found and (name is None or not is_led_back()):
        return found[found.index(standing)]
    wanted = _ask_choice(found, name, start)
    if standing in found and wanted != standing:
        move_widget(key, wanted)
    return wanted


def _ask_choice(found: Sequence[T], name: str | None, start: object) -> T | None:
    asked = None if name is None else st.query_params.get(name)
    for option in found:
        if asked is not None and str(option) == asked:
            return option
    if name is not None and asked is not None and found:
        refuse(name)
    if start in found:
        return found[found.index(start)]
    return found[0] if found else None


def kept_number(key: str, name: str | None, start: N, low: N, high: N) -> N:
    """Return the number that the widget `key` stands on, first what the address has as `name`.

    Else `start`; it is moved into [low, high], and whole where `start` is. For the rest as
    `kept_choice`.
    """
    standing = read_widget(key)
    led = name is not None and is_led_back()
    kept = None if led else standing
    asked = None if name is None else st.query_params.get(name)
    if kept is None and name is not None and asked is not None:
        kept = _read_number(asked, isinstance(start, int))
        if kept is None:
            refuse(name)
    value = start if kept is None else type(start)(kept)
    value = min(max(value, low), high)
    if led and standing is not None and value != standing:
        move_widget(key, value)
    return value


def _read_number(written: str, whole: bool) -> float | int | None:
    try:
        value = int(written) if whole and len(written) < 10 else float(written)
    except ValueError:
        return None
    if whole and not isinstance(value, int):
        return None
    return value if math.isfinite(value) else None


def bound_segments(
    key: str,
    name: str,
    options: Sequence[T],
    label: str,
    show: Callable[[Any], str] = str,
    start: T | None = None,
    **settings: Any,
) -> T:
    """Show a row of options and return the chosen one, which the address has as `name`.

    `show` gives what is shown of each, so that a link means the same in every language; `start` is
    where it opens, the first without one. `settings` are those of `st.segmented_control`.
    """
    start = options[0] if start is None else start
    kept = kept_choice(key, options, name, start)
    chosen = st.segmented_control(
        label, options, default=kept, key=key, required=True, format_func=show, **settings
    )
    assert chosen is not None  # It is required.
    write_address(name, chosen, start)
    return chosen


def bound_select(
    key: str,
    name: str,
    options: Sequence[T],
    label: str,
    show: Callable[[Any], str] = str,
    start: T | None = None,
    **settings: Any,
) -> T:
    """Show a menu of options, at least one; else as `bound_segments`."""
    start = options[0] if start is None else start
    kept = kept_choice(key, options, name, start)
    place = list(options).index(start if kept is None else kept)
    chosen: T = st.selectbox(label, options, place, key=key, format_func=show, **settings)
    write_address(name, chosen, start)
    return chosen


def bound_number(
    key: str,
    name: str,
    label: str,
    low: N,
    high: N,
    start: N,
    step: N | None = None,
    **settings: Any,
) -> N:
    """Show a number to be typed and return it; the address has it as `name`.

    `settings` are those of `st.number_input`.
    """
    kept = kept_number(key, name, start, low, high)
    value: N = st.number_input(label, low, high, kept, step, key=key, **settings)
    write_address(name, value, start)
    return value


def bound_section(key: str, names: Sequence[str], label: str, name: Callable[[str], str]) -> str:
    """Show which section of a page is open, and return it; the address has it as `section`.

    `name` gives what is shown of each, `label` is for screen readers.
    """
    kept = kept_choice(key, names, "section")
    chosen = st.segmented_control(
        label,
        names,
        default=kept,
        key=key,
        required=True,
        format_func=name,
        label_visibility="collapsed",
    )
    section = chosen or names[0]
    st.query_params["section"] = section
    return section
