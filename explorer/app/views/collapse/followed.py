"""Which dimension of a visitor's codes follows which column of the file."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.analysis.representation.columns import ColumnMatch
from explorer.app.parts.tables import show_rows
from explorer.app.text import number, paragraph, text
from explorer.codes import latent_name

SIGNS = {"rho": "ρ", "eta2": "η²"}


def show_followed(columns: Sequence[ColumnMatch], dimensions: Sequence[int]) -> None:
    """Show the columns that a dimension follows, nothing for a file without columns.

    `dimensions` are the dimensions' places in the file.
    """
    if not columns:
        return
    st.markdown(f"**{text('columns.title')}**")
    rows = [describe_match(column, dimensions) for column in columns if column.passing]
    if rows:
        show_rows("followed", text("columns.title"), rows, {text("columns.items"): ",d"})
    counts = {"count": len(columns), "found": len(rows)}
    permuted = max(column.permuted for column in columns)
    told = text("columns.found" if rows else "columns.none", **counts)
    st.caption(paragraph(told, text("columns.caption", permuted=permuted)))


def describe_match(column: ColumnMatch, dimensions: Sequence[int]) -> dict[str, Any]:
    """Return a row: the column's name, its dimensions with ρ or η², and how many items it has."""
    sign = SIGNS[column.measure]
    told = [
        f"{latent_name(dimensions[match.index])} ({sign} = {number(match.value, '.2f')})"
        for match in column.passing
    ]
    return {
        text("columns.column"): column.name,
        text("columns.dimensions"): ", ".join(told),
        text("columns.items"): column.items,
    }
