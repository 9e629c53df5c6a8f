"""A slider that reports while it is dragged; Streamlit's own does so on release only."""

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.app.parts.address import is_led_back, refuse, write_address
from explorer.app.parts.kept import Kept
from explorer.app.parts.mount import do_nothing, enclose, inline_component

_MARKUP = '<div class="live-slider"><label></label><output></output><input type="range"></div>'


def live_slider(
    label: str,
    low: float,
    high: float,
    value: float,
    step: float,
    *,
    key: str,
    role: str = "latent",
    digits: int = 2,
) -> float:
    """Return the slider's value, which follows the thumb at about ten reports a second.

    Keep it inside a fragment, together with what it moves. `role` is a field of
    `figures.palette.Roles`, its colour. Where the thumb is let go is written to the URL under
    `key`, and read from there, clamped, when the page opens. `move_slider` moves it from Python.
    """
    data = {"label": label, "role": role, "digits": digits}
    return _mount(data, low, high, value, step, key)


def live_choice(
    label: str,
    names: Sequence[str],
    index: int,
    *,
    key: str,
    role: str = "latent",
    address: str | None = None,
) -> int:
    """Return the place of the chosen name on a slider over `names`; else as `live_slider`.

    With `address` the URL has the name where it is let go, under that word, and not its place.
    """
    data = {"label": label, "role": role, "names": list(names), "digits": 0}
    if address is None:
        return round(_mount(data, 0, len(names) - 1, index, 1, key))
    asked = st.query_params.get(address)
    if asked is not None and asked not in names:
        refuse(address)
    first = list(names).index(asked) if asked is not None and asked in names else index
    value, rest = _place(data, 0, len(names) - 1, first, 1, key)
    write_address(address, names[round(rest)], names[index])
    return round(value)


def move_slider(key: str, value: float) -> None:
    """Move a live slider to `value` at the next run, for the callback of a button."""
    _moved(key).put((_moved(key).get()[0] + 1, value))
    st.query_params[key] = f"{value:g}"


def forget_slider(key: str) -> None:
    """Have a live slider open anew, on its start or on what the address asks for."""
    _moved(key).forget()


def _moved(key: str) -> Kept[tuple[int, float | None]]:
    """Return how often a slider was moved from Python, and whereto; None before it was drawn."""
    return Kept(f"{key}_moved", (0, None))


def _mount(
    data: dict[str, Any], low: float, high: float, value: float, step: float, key: str
) -> float:
    shown, left = _place(data, low, high, _read_address(key, value), step, key)
    start, rest = _moved(key).get()[1], f"{left:g}"
    if (left != start or key in st.query_params) and st.query_params.get(key) != rest:
        st.query_params[key] = rest
    return shown


def _place(
    data: dict[str, Any], low: float, high: float, value: float, step: float, key: str
) -> tuple[float, float]:
    """Show the slider, at first on `value`; return where it is and where it was let go."""
    stamp, start = _moved(key).get()
    if start is None or is_led_back():
        stamp, start = stamp + (start is not None), value
        _moved(key).put((stamp, start))
    start = min(max(start, low), high)
    data |= {"low": low, "high": high, "step": step, "value": start, "stamp": f"{key} {stamp}"}
    # A moved slider is a new one: what the old one reported no longer counts.
    state = inline_component("live_slider", "slider", _MARKUP)(
        key=f"{key}_{stamp}",
        data=enclose(data),
        default={"value": start, "rest": start},
        on_value_change=do_nothing,
        on_rest_change=do_nothing,
    )
    shown, rest = (min(max(float(found), low), high) for found in (state.value, state.rest))
    return shown, rest


def _read_address(key: str, value: float) -> float:
    try:
        asked = float(st.query_params.get(key, value))
    except ValueError:
        asked = math.nan
    if math.isfinite(asked):
        return asked
    refuse(key)
    return value
