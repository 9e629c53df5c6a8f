"""Parquet and CSV: tables whose columns are dimensions (mu_0, mu_1, …) or hold lists."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.codes_in.arrays import StoredArray, check_unpacked, rows_per_block
from explorer.analysis.codes_in.naming import SPREADS, role_of
from explorer.analysis.codes_in.numbers import Array
from explorer.archives.zips import Place
from explorer.errors import ExplorerError

MOST_COLUMNS = 20_000
NUMBERED = re.compile(r"^(.*?)[\s_.\-\[(]*(\d+)[\])]*$")
"""mu_0, mu0, mu.0, mu[0], latent 12."""
NUMBERED_WITHIN = re.compile(r"^(\D*)(\d+)[\s_.\-\])]*(\D+)$")
"""z0_mean, dim[3].logvar: counted where what follows the number names a moment."""
INDEX = re.compile(r"^(Unnamed: \d+|__index_level_\d+__)?$")
"""What pandas calls the column of its row names."""
CSV_BLOCK = 1 << 20
SNIFFED = 64 * 1024


@dataclass(frozen=True)
class _Table:
    """A table that is read in record batches: its columns by name, with their types."""

    rows: int
    types: dict[str, Any]
    batches: Callable[[list[str]], Iterator[Any]]


def read_parquet(place: Place, name: str) -> dict[str, StoredArray]:
    """Return a Parquet file's columns as arrays: numbered ones together, lists as matrices."""
    import pyarrow
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(_source(place))
        schema, meta = opened.schema_arrow, opened.metadata
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise ExplorerError(f"{name} is damaged: it cannot be read as Parquet.") from error
    if len(schema.names) > MOST_COLUMNS:
        raise ExplorerError(f"{name} has {len(schema.names):,} columns; that is no table of codes.")
    check_unpacked(name, 8 * meta.num_rows * len(schema.names), _size(place))
    unpacked = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    check_unpacked(name, unpacked, _size(place))

    def batches(columns: list[str]) -> Iterator[Any]:
        step = rows_per_block(8 * max(len(columns), 1) * _width(schema, columns))
        try:
            again = parquet.ParquetFile(_source(place))
            yield from again.iter_batches(min(step, 65_536), columns=columns)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise ExplorerError(f"{name} is damaged: it cannot be read as Parquet.") from error

    types = dict(zip(schema.names, schema.types, strict=True))
    return _arrays(name, _Table(meta.num_rows, types, batches))


def read_csv(place: Place, name: str) -> dict[str, StoredArray]:
    """Return a text table's columns as arrays; comma, semicolon, tab or space; header or none.

    A header of 0, 1, 2 … is that of pandas and no row. With semicolons a comma may be the
    decimal sign. UTF-8, with or without its mark.
    """
    import pyarrow
    from pyarrow import csv

    head = _head(place)
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < SNIFFED else "ignore")
    except UnicodeDecodeError as error:
        raise ExplorerError(f"{name} is no text in UTF-8; save it as CSV (UTF-8).") from error
    if "\0" in text or not text.strip():
        raise ExplorerError(f"{name} is no table of codes: it holds no text.")
    first = text.splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    if delimiter not in first and " " in first:
        delimiter = " "
    decimal = "," if delimiter == ";" and re.search(r"\d,\d", text) else "."
    cells = [cell.strip().strip('"') for cell in first.split(delimiter)]
    counted = [str(place) for place in range(len(cells))]
    headed = not all(_is_number(cell, decimal) for cell in cells)
    headed = headed or (len(cells) > 1 and cells == counted)
    if len(cells) > MOST_COLUMNS:
        raise ExplorerError(f"{name} has {len(cells):,} columns; that is no table of codes.")
    read = csv.ReadOptions(
        block_size=CSV_BLOCK, column_names=None if headed else counted, use_threads=False
    )
    parse = csv.ParseOptions(delimiter=delimiter)

    def open_with(types: dict[str, Any], columns: list[str] | None) -> Any:
        convert = csv.ConvertOptions(
            column_types=types,
            include_columns=columns,
            decimal_point=decimal,
            null_values=["", "NA", "NaN", "nan", "null", "None", "N/A", "NAN"],
            strings_can_be_null=True,
        )
        return csv.open_csv(_source(place), read, parse, convert)

    try:
        opened = open_with({}, None)
        types = {
            column: pyarrow.float64() if _numeric(kind) else pyarrow.string()
            for column, kind in zip(opened.schema.names, opened.schema.types, strict=True)
        }
        rows = sum(batch.num_rows for batch in open_with({}, [opened.schema.names[0]]))
    except (pyarrow.ArrowException, OSError, ValueError, IndexError) as error:
        raise ExplorerError(f"{name} is no table: {_short(error)}") from error

    def batches(columns: list[str]) -> Iterator[Any]:
        try:
            yield from open_with({c: types[c] for c in columns}, columns)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise ExplorerError(f"{name} is no table: {_short(error)}") from error

    return _arrays(name, _Table(rows, types, batches))


def _arrays(name: str, table: _Table) -> dict[str, StoredArray]:
    groups: dict[str, list[tuple[int, str]]] = {}
    found: dict[str, StoredArray] = {}
    for column, kind in table.types.items():
        if INDEX.match(column):
            continue
        numbered = _split_number(column)
        if numbered is not None and _numeric(kind):
            title, number = numbered
            groups.setdefault(title, []).append((number, column))
        elif _is_list(kind):
            found[column] = _list_array(name, table, column)
        else:
            found[column] = _plain_array(table, column, kind)
    for title, members in groups.items():
        columns = [column for _, column in sorted(members)]
        if len(columns) == 1 and title:
            found[columns[0]] = _plain_array(table, columns[0], table.types[columns[0]])
        else:
            found[title or "columns"] = _matrix(table, title or "columns", columns)
    return found


def _split_number(column: str) -> tuple[str, int] | None:
    """Return the array and the dimension that a column is of, None where it says neither.

    >>> _split_number("mu_12"), _split_number("z3_logvar"), _split_number("top_50_genes")
    (('mu', 12), ('z_logvar', 3), None)
    """
    column = column.removeprefix("#").strip()  # As np.savetxt begins its header.
    last = NUMBERED.match(column)
    if last:
        return last[1], int(last[2])
    within = NUMBERED_WITHIN.match(column)
    if within and role_of(within[3]) in ("mean", *SPREADS):
        return f"{within[1].strip(' _.-[(')}_{within[3]}", int(within[2])
    return None


def _matrix(table: _Table, title: str, columns: list[str]) -> StoredArray:
    def blocks() -> Iterator[Array]:
        for batch in table.batches(columns):
            yield np.column_stack([_floats(batch.column(place)) for place in range(len(columns))])

    return StoredArray(title, (table.rows, len(columns)), np.dtype(np.float64), blocks)


def _plain_array(table: _Table, column: str, kind: Any) -> StoredArray:
    numeric = _numeric(kind)

    def blocks() -> Iterator[Array]:
        for batch in table.batches([column]):
            values = batch.column(0)
            yield _floats(values) if numeric else _words(values)

    dtype = np.dtype(np.float64) if numeric else np.dtype("U64")
    return StoredArray(column, (table.rows,), dtype, blocks)


def _list_array(name: str, table: _Table, column: str) -> StoredArray:
    """A column of lists of one length is a matrix; its length is that of the first."""
    first = next((batch for batch in table.batches([column]) if batch.num_rows), None)
    width = 0 if first is None or first.column(0)[0].as_py() is None else len(first.column(0)[0])

    def blocks() -> Iterator[Array]:
        for batch in table.batches([column]):
            lists = batch.column(0)
            lengths = (
                np.asarray(lists.value_lengths().fill_null(0))
                if hasattr(lists, "value_lengths")
                else np.full(len(lists), width)
            )
            if (lengths != width).any():
                raise ExplorerError(f"The lists of {column} in {name} are of different lengths.")
            yield _floats(lists.flatten()).reshape(len(lists), width)

    return StoredArray(column, (table.rows, width), np.dtype(np.float64), blocks)


def _floats(values: Any) -> Array:
    """Return a column as float64; what is missing is NaN."""
    return np.asarray(values.cast("float64").to_numpy(zero_copy_only=False), dtype=np.float64)


def _words(values: Any) -> Array:
    return np.asarray([("" if v is None else str(v)[:64]) for v in values.to_pylist()], dtype="U64")


def _numeric(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(listed and _numeric(kind.value_type))


def _width(schema: Any, columns: list[str]) -> int:
    sizes = [getattr(schema.field(column).type, "list_size", 1) for column in columns]
    return max([size for size in sizes if isinstance(size, int) and size > 0], default=1)


def _is_number(cell: str, decimal: str) -> bool:
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _head(place: Place) -> bytes:
    if isinstance(place, bytes):
        return place[:SNIFFED]
    with open(place, "rb") as stream:
        return stream.read(SNIFFED)


def _source(place: Place) -> Any:
    return io.BytesIO(place) if isinstance(place, bytes) else str(place)


def _size(place: Place) -> int:
    return len(place) if isinstance(place, bytes) else Path(place).stat().st_size


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
