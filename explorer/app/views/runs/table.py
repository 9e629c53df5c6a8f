"""The table of the desk: which runs are ticked, and what was pressed in one of its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.app.parts.address import is_led_over, refuse, write_address
from explorer.app.parts.kept import Kept, is_shown, read_widget
from explorer.app.parts.mount import do_nothing, enclose, inline_component
from explorer.app.text import sentences, text
from explorer.app.views.runs.acts import ACTS, delete
from explorer.app.views.runs.rows import list_rows
from explorer.runs.run import Run

DESK, TICKED = "runs_desk", "ticked"
"""The table's key, and what the address calls its ticked rows."""
FIRST = 60
"""Of so many runs the logs are read before the browser asks."""
ASKED: Kept[tuple[str, ...]] = Kept("runs_asked", ())
"""Ids that are ticked: the address's at first, then as the visitor left them."""
LED: Kept[int] = Kept("runs_led", 0)
"""How often Back or Forward came by: each time the table ticks what the address says."""
_MARKUP = '<div class="desk"></div>'


def choose_runs(runs: Sequence[Run]) -> tuple[list[Run], tuple[str, Run] | None]:
    """Show the table; return the ticked runs, and what was pressed in it for which run."""
    ids = [run.id for run in runs]
    state, led = read_widget(DESK) or {}, is_led_over(DESK, LED)
    if led or not is_shown(DESK):
        _read_address(ids)
    wanted = {*ids[:FIRST], *(state.get("wanted") or [])}
    # Where the table is mounted anew it opens as the visitor left it, not as the page before did.
    ticked = list(ASKED.get() if led else state.get("ticked", ASKED.get()))
    data = {
        "rows": list_rows(runs, wanted),
        "ticked": ticked,
        "led": LED.get(),
        "words": sentences("runs.desk."),
    }
    result = inline_component("desk", "desk", _MARKUP)(
        key=DESK,
        data=enclose(data),
        default={"ticked": ticked, "wanted": []},
        on_ticked_change=do_nothing,
        on_wanted_change=do_nothing,
        on_act_change=_hear,
    )
    by_id = dict(zip(ids, runs, strict=True))
    told = ticked if led else result.get("ticked") or ()
    chosen = [run_id for run_id in told if run_id in by_id]
    ASKED.put(tuple(chosen))
    write_address(TICKED, ",".join(chosen), "")
    action, meant = _read_press(result.get("act"))
    pressed = next(((action, by_id[run_id]) for run_id in meant if run_id in by_id), None)
    if action in ACTS and pressed is None:  # Deleted meanwhile, in another tab.
        st.toast(text("train.gone"), icon=":material/error:")
    return [by_id[run_id] for run_id in chosen], pressed


def _hear() -> None:
    """Delete before the page is drawn, so that it is drawn without what went."""
    action, ids = _read_press((read_widget(DESK) or {}).get("act"))
    if action == "delete":
        delete(ids)


def _read_press(values: Any) -> tuple[str, list[str]]:
    """Return the action and the ids of a press; the browser may send anything."""
    if not isinstance(values, Mapping):
        return "", []
    return str(values.get("action")), [str(run_id) for run_id in values.get("ids") or ()]


def _read_address(ids: Sequence[str]) -> None:
    """Tick what the address asks for, when the table comes on the page."""
    asked = st.query_params.get(TICKED, "")
    wished = tuple(asked.split(",")) if asked else ASKED.get()
    if asked and not set(wished) <= set(ids):
        refuse(TICKED)
    ASKED.put(tuple(run_id for run_id in wished if run_id in ids))
