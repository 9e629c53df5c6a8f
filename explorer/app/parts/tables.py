"""Tables in the page's own words: true minus signs, put in order by a press on a column's name.

They are marked-up text, and no `st.dataframe`, which loads pandas and Arrow: 75 MB of a server.
"""

import html
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import streamlit as st

from explorer.app.parts.mount import script_component
from explorer.app.text import JOINER, number

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Where a spreadsheet begins to calculate, in a table that a visitor has copied into one."""


def as_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula, and that looks as it did.

    >>> as_cell("=1+1") == JOINER + "=1+1", as_cell(-2.5), as_cell("digits")
    (True, -2.5, 'digits')
    """
    return JOINER + value if isinstance(value, str) and value.startswith(FORMULA) else value


def show_rows(
    key: str, title: str, rows: Sequence[Mapping[str, Any]], specs: Mapping[str, str] | None = None
) -> None:
    """Show rows, at least one, as a table whose columns are the keys of the first.

    The first column names its row. `specs` maps columns of numbers to format specs, such as ".2f";
    an absent number leaves its cell empty. `title` is told to those who do not see the table, and
    `key` is the table's own on its page.
    """
    st.html(write_table(title, rows, specs or {}))
    script_component("table")(key=f"rows_order_{key}", data={}, height=1)


def write_table(title: str, rows: Sequence[Mapping[str, Any]], specs: Mapping[str, str]) -> str:
    """Return the HTML of a table of `show_rows`."""
    names = list(rows[0])
    kinds = {
        name: ' class="number"' if _is_counted([row[name] for row in rows]) else ""
        for name in names
    }
    head = "".join(
        f'<th scope="col"{kinds[name]}><button type="button">{html.escape(name)}</button></th>'
        for name in names
    )
    lines = []
    for row in rows:
        cells = [_write_cell(row[name], specs.get(name, ""), kinds[name]) for name in names]
        lines.append(f'<th scope="row"{cells[0]}</th>' + "".join(f"<td{c}</td>" for c in cells[1:]))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="explorer-rows"><table><caption>{html.escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _is_counted(values: Sequence[Any]) -> bool:
    """Return whether a column has numbers, and nothing else but absent ones."""
    known = [value for value in values if value is not None]
    return bool(known) and all(map(_is_number, known))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def _write_cell(value: Any, spec: str, kind: str) -> str:
    """Return a cell from the end of its tag's name to its last word."""
    if not _is_number(value):
        return f"{kind}>{html.escape('' if value is None else str(as_cell(value)))}"
    exact = float(value)
    if math.isnan(exact):
        return f"{kind}>"
    return f'{kind} data-value="{exact!r}">{number(value, spec)}'
