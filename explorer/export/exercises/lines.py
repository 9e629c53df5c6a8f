"""The line that a student pastes: read back out of whatever it was pasted into.

    "latent-explorer 1","week-3","Ada Lovelace","gap=3.42","units=2","#9f01c2aa"

Every field is quoted and begins with a letter or the digest's mark, so that no table takes one for
a formula. A form or a chat may have put it into one cell, in other columns, or behind a name.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.export.exercises.digest import digest

MARK = "latent-explorer 1"
LONGEST_LINE = 20_000
_QUOTES = str.maketrans("“”„«»＂", '""""""')


@dataclass(frozen=True)
class Line:
    """What one line says: sheet, name and the numbers by question, None for what is no number."""

    sheet: str
    name: str
    numbers: Mapping[str, float | None]


def write_line(sheet: str, name: str, numbers: Mapping[str, str]) -> str:
    """Return the line for numbers as they were typed, as the page does (`exercises.js`)."""
    fields = [MARK, sheet, name, *(f"{key}={value}" for key, value in numbers.items())]
    return ",".join(f'"{field}"' for field in [*fields, _seal(fields)])


def read_line(text: str) -> Line | str:
    """Return what a line of any table says, or why it says nothing: "none" or "changed"."""
    fields = find_fields(text[:LONGEST_LINE])
    if fields is None:
        return "none"
    sealed = next((i for i, field in enumerate(fields) if field.startswith("#")), None)
    if sealed is None or sealed < 3 or fields[sealed] != _seal(fields[:sealed]):
        return "changed"
    given = (field.partition("=") for field in fields[3:sealed])
    return Line(fields[1], fields[2], {key: _number(value) for key, _, value in given})


def find_fields(text: str) -> list[str] | None:
    """Return the fields from the mark on, None where a line has no mark."""
    for form in (text, text.translate(_QUOTES)):
        for delimiter in ",;\t":
            row = _split(form, delimiter)
            for place, field in enumerate(row):
                if field == MARK:
                    return row[place:]
                if MARK in field and len(field) > len(MARK):
                    inner = field[field.index(MARK) :].translate(_QUOTES)
                    found = _split(f'"{inner}', ",")
                    if len(found) > 2 and found[0] == MARK:
                        return found
    return None


def _split(text: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([text.strip()], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []
    return [field.strip() for field in row]


def _seal(fields: Sequence[str]) -> str:
    return f"#{digest('|'.join(fields)):08x}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
