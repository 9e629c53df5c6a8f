"""The report's table of columns beside the codes, and which dimension follows which."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.codes import latent_name
from explorer.text import number, say

SIGNIFICANT = 0.01
SIGNS = {"rho": "ρ", "eta2": "η²"}


def draw_followed(columns: Sequence[Mapping[str, Any]], language: str) -> str:
    """Return the table of the columns that a dimension follows, "" where none is."""
    rows = [(column, _name_passing(column)) for column in columns]
    lines = [
        f"<tr><td>{html.escape(column['name'])}</td><td>{told}</td><td>{column['items']:,}</td></tr>"
        for column, told in rows
        if told
    ]
    if not lines:
        return ""
    heads = (say(language, f"columns.{name}") for name in ("column", "dimensions", "items"))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def describe_followed(columns: Sequence[Mapping[str, Any]], language: str) -> tuple[str, str]:
    """Return how many columns a dimension follows, and by what that was judged."""
    found = sum(bool(_name_passing(column)) for column in columns)
    told = say(
        language, "columns.found" if found else "columns.none", count=len(columns), found=found
    )
    permuted = max(column["permuted"] for column in columns)
    return told, say(language, "columns.caption", permuted=permuted)


def _name_passing(column: Mapping[str, Any]) -> str:
    sign = SIGNS[column["measure"]]
    return ", ".join(
        f"{latent_name(match['dimension'])} ({sign} = {number(match['value'], '.2f')})"
        for match in column["best"]
        if match["p"] < SIGNIFICANT
    )
