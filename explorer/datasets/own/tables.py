"""Tables beside pictures: which row belongs to which picture, and what its columns mean."""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from explorer.archives.refused import Refused
from explorer.datasets.own.source import Array
from explorer.datasets.own.splits import split_word
from explorer.datasets.report import LeftOuts
from explorer.files import shown_name

SUFFIXES = {".csv", ".tsv"}
LARGEST_TABLE = 32 << 20
LABEL_COLUMNS = (
    "label", "class", "category", "target", "labels", "class_name", "label_name", "species",
    "digit", "y",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "subset", "partition")
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
MOST_CLASSES = 1000
MOST_WORDS = 100
"""A column with more different words colours nothing: captions, or names of other files."""
SAMPLED_ROWS = 500

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Table:
    """A table as it was read: its columns, all of one length, and the folder that it lies in."""

    path: str
    columns: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Meaning:
    """What columns say of each picture: a label, a split, factors."""

    labels: Sequence[str | None] | None = None
    labels_from: str = ""
    splits: Sequence[str | None] | None = None
    factors: Mapping[str, Array] = field(default_factory=dict)


def read_table(data: bytes, path: str) -> Table:
    """Return a table of comma, semicolon or tab separated values; Refused where it is none.

    UTF-8 with or without a mark at its beginning, UTF-16, or Windows' Western code page. Where
    semicolons separate, a comma within a number is a decimal point.
    """
    if len(data) > LARGEST_TABLE:
        raise Refused("table")
    text = _decode(data)
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise Refused("table") from error
    rows = [row for row in rows if any(row)]
    if len(rows) < 2:
        raise Refused("table")
    names = [name.strip() or f"column {at + 1}" for at, name in enumerate(rows[0])]
    columns = {
        name: [row[at].strip() if at < len(row) else "" for row in rows[1:]]
        for at, name in enumerate(names)
    }
    if separator == ";":
        number = re.compile(r"[+-]?\d+,\d+")
        columns = {
            name: [c.replace(",", ".") if number.fullmatch(c) else c for c in cells]
            for name, cells in columns.items()
        }
    return Table(path, columns)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def join_tables(
    tables: Iterable[Table], paths: Sequence[str], left_out: LeftOuts
) -> tuple[dict[str, list[str | None]], list[str]]:
    """Return the columns of all tables in the order of the pictures, and notes on what was odd.

    Rows are matched by the path from the table's folder, by the file's name, or by the name
    without its suffix, in the column that names most pictures; it is not returned itself.
    """
    joined: dict[str, list[str | None]] = {}
    notes = []
    for table in tables:
        finder = _Finder(paths, PurePosixPath(table.path).parent)
        column = _file_column(table, finder)
        if column is None:
            left_out.add(table.path, "table")
            continue
        places = [finder.find(cell) for cell in table.columns[column]]
        for name, cells in table.columns.items():
            if name != column:
                values = joined.setdefault(name, [None] * len(paths))
                for place, cell in zip(places, cells, strict=True):
                    if place is not None and values[place] is None:
                        values[place] = cell
        lost = [cell for cell, at in zip(table.columns[column], places, strict=True) if at is None]
        if lost:
            some = ", ".join(shown_name(cell) for cell in lost[:3])
            notes.append(f"{len(lost):,} rows of {table.path} name no picture here: {some}.")
    return joined, notes


class _Finder:
    """From what a table calls a picture to its row; the two may write ä differently."""

    def __init__(self, paths: Sequence[str], folder: PurePosixPath) -> None:
        self._folder = "" if str(folder) == "." else f"{_compose(str(folder))}/"
        under = [at for at, path in enumerate(paths) if _compose(path).startswith(self._folder)]
        rows = under or range(len(paths))
        self._exact = {_compose(paths[at]): at for at in rows}
        self._named: dict[str, int | None] = {}
        for at in rows:
            name = PurePosixPath(_compose(paths[at]))
            for key in {name.name, name.stem}:
                # A name that two pictures have points to neither.
                self._named[key] = None if key in self._named else at

    def find(self, cell: str) -> int | None:
        path = _compose(cell).replace("\\", "/").removeprefix("./").lstrip("/")
        for key in (self._folder + path, path):
            if key in self._exact:
                return self._exact[key]
        return self._named.get(path.rpartition("/")[2])


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _file_column(table: Table, finder: _Finder) -> str | None:
    """Return the column that names the most different pictures, None where none names enough."""
    best, most = None, 0
    for name, cells in table.columns.items():
        some = cells[:: max(1, len(cells) // SAMPLED_ROWS)]
        found = len({finder.find(cell) for cell in some} - {None})
        if found > most and 2 * found >= min(len(some), len(finder._exact)):
            best, most = name, found
    return best


def read_meaning(
    columns: Mapping[str, Cells], left_out: LeftOuts, described: Sequence[str] = ()
) -> Meaning:
    """Return which column is the label, which the split, and the others as factors.

    The label is the first that has classes (words or whole numbers) of those `described` as labels
    and of LABEL_COLUMNS, or the only column there is. Columns of numbers become float64 with NaN
    where a cell is empty, or int64; columns of few different words stay words.
    """
    rest = {name: [_clean(cell) for cell in cells] for name, cells in columns.items()}
    splits = None
    for name in list(rest):
        if name.lower() in SPLIT_COLUMNS and _all_splits(rest[name]):
            splits = [split_word(cell) if cell else None for cell in rest.pop(name)]
            break
    lower = {name.lower(): name for name in reversed(rest)}
    candidates = [name for name in described if name in rest]
    candidates += [lower[name] for name in LABEL_COLUMNS if name in lower]
    if not candidates and len(rest) == 1:
        candidates = list(rest)
    label = next((name for name in candidates if _has_classes(rest[name])), None)
    labels = None if label is None else [_whole(cell) for cell in rest.pop(label)]
    factors = {}
    for name, cells in rest.items():
        values = _as_factor(cells)
        if values is None:
            left_out.add(name, "words", f"{len(set(cells)):,}")
        else:
            factors[shown_name(name)] = values
    return Meaning(labels, label or "", splits, factors)


def _clean(cell: str | None) -> str | None:
    return None if cell is None or cell.lower() in MISSING else cell


def _all_splits(cells: Cells) -> bool:
    return all(split_word(cell) for cell in cells if cell) and any(cells)


def _has_classes(cells: Cells) -> bool:
    """Tell whether a column's values can be classes: few, and no fractions."""
    values = {cell for cell in cells if cell}
    numbers = [_number(value) for value in values]
    fractions = all(n is not None for n in numbers) and any(n != round(n or 0) for n in numbers)
    return 0 < len(values) <= MOST_CLASSES and not fractions


def _whole(cell: str | None) -> str | None:
    """Return "3" for the "3.0" that tables with gaps write for a whole number."""
    return re.sub(r"(?<=\d)\.0+$", "", cell) if cell else None


def _number(cell: str | None) -> float | None:
    try:
        number = float(cell or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _as_factor(cells: Cells) -> Array | None:
    """Return a column as numbers, or as words where it has few of them; None where it has many."""
    numbers: list[Any] = [_number(cell) for cell in cells]
    if all(number is not None for number, cell in zip(numbers, cells, strict=True) if cell):
        values = np.array([np.nan if n is None else n for n in numbers], np.float64)
        whole = np.isfinite(values).all() and (np.abs(values) < 2**53).all()
        return values.astype(np.int64) if whole and (values == values.round()).all() else values
    if len(set(cells)) > MOST_WORDS:
        return None
    return np.array([shown_name(cell or "") for cell in cells])
