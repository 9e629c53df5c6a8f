"""Pictures in Parquet files as Hugging Face writes them: one file, or a folder of several."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from explorer.archives import zips
from explorer.archives.refused import Refused
from explorer.datasets.own import pictures, tables
from explorer.datasets.own.source import Block, Source, Target
from explorer.datasets.own.splits import split_word
from explorer.datasets.report import LeftOuts
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError
from explorer.files import shown_name

IMAGE_COLUMNS = ("image", "img", "images", "picture", "photo", "pixel_values", "bytes")
BATCH_ROWS = 32
STREAM_BYTES = 1 << 20
LARGEST_CHUNK = 4 << 30
"""Bytes, unpacked, of one column in one group of rows."""
LONGEST_FOOTER = 64 << 20


def find_parquet(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, or else of the folders in it, by their names."""
    for pattern in ("*.parquet", "*/*.parquet"):
        found = [path for path in folder.glob(pattern) if not path.name.startswith(".")]
        if found:
            return sorted(found)
    return []


@contextmanager
def open_parquet(paths: Sequence[Path]) -> Iterator[Source]:
    """Yield the pictures of Parquet files; the split is what a file's name begins with.

    A column of pictures holds encoded files, as binary or as records of bytes and a path. Class
    names come from Hugging Face's description in the file. Raises ExplorerError where a file
    cannot be read or has no such column. A file made to do harm may make pyarrow abort the whole
    process: strangers' files belong into the reading worker.
    """
    with ExitStack() as stack:
        files = [_open(path, stack) for path in paths]
        yield _make_source(paths, files)


def _open(path: Path, stack: ExitStack) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ExplorerError("Parquet files need pyarrow: pip install pyarrow.") from error
    try:
        file = pyarrow.parquet.ParquetFile(
            path,
            pre_buffer=False,
            buffer_size=STREAM_BYTES,
            thrift_string_size_limit=LONGEST_FOOTER,
            thrift_container_size_limit=LONGEST_FOOTER,
        )
        return stack.enter_context(file)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise ExplorerError(f"{path.name} cannot be read as a Parquet file.") from error


def _make_source(paths: Sequence[Path], files: Sequence[Any]) -> Source:
    left_out = LeftOuts()
    schema = files[0].schema_arrow
    image = _image_column(paths[0], schema)
    for path, file in zip(paths, files, strict=True):
        if image not in file.schema_arrow.names:
            raise ExplorerError(f"{path.name} has no column {image}, which {paths[0].name} has.")
        with _explained(path):
            _check_size(path, file.metadata)
    columns, names = _read_columns(paths, files, image, left_out)
    class_names = _class_names(schema)
    for column, known in class_names.items():
        if column in columns:
            columns[column] = [_name_class(cell, known) for cell in columns[column]]
    meaning = tables.read_meaning(columns, left_out, tuple(class_names))
    counts = [file.metadata.num_rows for file in files]
    by_name = [
        split_word(re.split(r"[-_.]", path.stem)[0]) or split_word(path.parent.name)
        for path in paths
    ]

    def blocks(rows: Ints, target: Target) -> Iterator[Block]:
        row = 0
        for path, file in zip(paths, files, strict=True):
            for cell in _read_cells(path, file, image):
                yield _decode(row, cell, target())
                row += 1

    return Source(
        kind="parquet",
        names=names,
        blocks=blocks,
        sequential=True,
        labels=meaning.labels,
        class_names=tuple(class_names.get(meaning.labels_from, ())),
        labels_from=meaning.labels_from and f"column {meaning.labels_from}",
        splits=meaning.splits
        or [split for split, count in zip(by_name, counts, strict=True) for _ in range(count)],
        factors=meaning.factors,
        left_out=left_out,
    )


def _image_column(path: Path, schema: Any) -> str:
    """Return the column of pictures: by its name, Hugging Face's word, or the only binary one."""
    from pyarrow import types

    described = [name for name, kind in _features(schema).items() if kind.get("_type") == "Image"]
    binary = [
        field.name
        for field in schema
        if types.is_binary(field.type)
        or types.is_large_binary(field.type)
        or (types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
    ]
    for name in (*IMAGE_COLUMNS, *described):
        if name in binary:
            return name
    if len(binary) == 1:
        return binary[0]
    raise ExplorerError(
        f"{path.name} has no column of pictures called image; its columns: "
        f"{', '.join(schema.names[:12])}."
    )


def _features(schema: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return what Hugging Face's datasets wrote of each column, nothing where others wrote it."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {str(k): v for k, v in features.items() if isinstance(v, dict)}
    except (TypeError, KeyError, ValueError, AttributeError):
        return {}


def _class_names(schema: Any) -> dict[str, list[str]]:
    found = {}
    for column, kind in _features(schema).items():
        names = kind.get("names")
        if kind.get("_type") == "ClassLabel" and isinstance(names, list):
            found[column] = [shown_name(str(name)) for name in names]
    return found


def _name_class(cell: str | None, names: list[str]) -> str | None:
    """Return the name of a class from its number; −1 stands for pictures that have no label."""
    if cell is None or not cell.isdecimal() or int(cell) >= len(names):
        return None
    return names[int(cell)]


def _check_size(path: Path, metadata: Any) -> None:
    """Raise where a group of rows would not fit in memory, or is packed as bombs are."""
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group)
        for at in range(rows.num_columns):
            column = rows.column(at)
            size, packed = column.total_uncompressed_size, column.total_compressed_size
            bomb = size > zips.LARGEST_FILE and size > zips.HIGHEST_RATIO * packed
            if bomb or size > LARGEST_CHUNK:
                raise ExplorerError(
                    f"{path.name} packs {size / 1e9:,.1f} GB into one group of rows: write it "
                    "again in smaller ones."
                )


def _read_columns(
    paths: Sequence[Path], files: Sequence[Any], image: str, left_out: LeftOuts
) -> tuple[dict[str, list[str | None]], list[str]]:
    """Return the cells of all plain columns as text, and a name for each picture."""
    from pyarrow import types

    plain = []
    for column in files[0].schema_arrow:
        if column.name == image:
            continue
        if types.is_nested(column.type) or types.is_binary(column.type):
            left_out.add(column.name, "nested")
        else:
            plain.append(column.name)
    columns: dict[str, list[str | None]] = {name: [] for name in plain}
    names: list[str] = []
    for path, file in zip(paths, files, strict=True):
        there = [name for name in plain if name in file.schema_arrow.names]
        count = file.metadata.num_rows
        with _explained(path):
            read = file.read(columns=there, use_threads=False)
            for name in plain:
                cells = read.column(name).to_pylist() if name in there else [None] * count
                columns[name] += [_as_text(cell) for cell in cells]
        names += [f"{path.stem}[{row}]" for row in range(count)]
    return columns, names


def _as_text(cell: Any) -> str | None:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    return str(int(cell) if isinstance(cell, bool) else cell)


def _read_cells(path: Path, file: Any, image: str) -> Iterator[Any]:
    """Yield the picture of each row, as bytes or as a record with bytes."""
    batches = file.iter_batches(BATCH_ROWS, columns=[image], use_threads=False)
    while True:
        with _explained(path):
            batch = next(batches, None)
            cells = [] if batch is None else batch.column(0).to_pylist()
        if batch is None:
            return
        yield from cells


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises for a broken file into one sentence."""
    import pyarrow

    try:
        yield
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise ExplorerError(f"{path.name} is broken: its columns cannot be read.") from error


def _decode(row: int, cell: Any, target: tuple[int, int] | None) -> Block:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    try:
        if not isinstance(data, bytes):
            raise Refused("elsewhere")
        if len(data) > zips.LARGEST_FILE:
            raise Refused("bytes", f"{len(data) / 1e6:,.0f}")
        picture = pictures.decode_picture(data, target)
    except Refused as refused:
        return Block(row, refused=refused)
    return Block(row, picture.pixels[None], picture.size, picture.turned, picture.animated)
