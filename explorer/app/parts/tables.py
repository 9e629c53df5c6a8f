"""Tables whose numbers have a true minus sign and still sort by their value."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.app.text import JOINER, number

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Where a spreadsheet begins to calculate, in a table that a visitor has downloaded."""


def as_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula, and that looks as it did.

    >>> as_cell("=1+1") == JOINER + "=1+1", as_cell(-2.5), as_cell("digits")
    (True, -2.5, 'digits')
    """
    return JOINER + value if isinstance(value, str) and value.startswith(FORMULA) else value


def show_rows(rows: Sequence[Mapping[str, Any]], specs: Mapping[str, str], **options: Any) -> Any:
    """Show rows as a table and return what `st.dataframe` does with `options`.

    `specs` maps columns of numbers to format specs, such as ".2f"; an absent number leaves its
    cell empty. What a column format would write has a hyphen for a minus; a styled cell shows its
    own text.
    """
    import pandas as pd

    frame = pd.DataFrame([{key: as_cell(cell) for key, cell in row.items()} for row in rows])
    for name in specs.keys() & set(frame):
        frame[name] = pd.to_numeric(frame[name])
    shown = {name: partial(number, spec=spec) for name, spec in specs.items() if name in frame}
    styled = frame.style.format(shown, na_rep="")
    return st.dataframe(styled, hide_index=True, placeholder="", **options)
