"""Parquet and .h5ad read in a process of its own: a forged file can end that process, but not ours.

The process imports NumPy and the library that the format needs, and nothing else that takes time;
one lists what a file holds, one more reads each array, and one reads all columns together.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.codes_in.arrays import StoredArray, rows_per_block
from explorer.analysis.codes_in.cells import check_h5py, read_h5ad
from explorer.analysis.codes_in.numbers import Array
from explorer.analysis.codes_in.tables import read_parquet
from explorer.archives.zips import Place
from explorer.errors import ExplorerError
from explorer.jobs.process import WorkerDied, run_worker, serve

MODULE = "explorer.analysis.codes_in.apart"
SECONDS = 300.0
MEMORY_BYTES = 2 << 30
MAPPED_BYTES = 6 << 30
"""Arrow's allocator asks for more than it uses."""
MOST_COLUMNS = 512
"""Columns that are read, and kept, together."""
LARGEST_COLUMNS = 256 << 20
"""Bytes of such columns."""
READERS = {"Parquet": read_parquet, ".h5ad": read_h5ad}


def read_parquet_apart(place: Place, name: str) -> dict[str, StoredArray]:
    """Return what `read_parquet` does; pyarrow runs in another process."""
    return _list_arrays(_File(place, name, "Parquet", {}))


def read_h5ad_apart(place: Place, name: str) -> dict[str, StoredArray]:
    """Return what `read_h5ad` does; h5py runs in another process."""
    check_h5py()
    return _list_arrays(_File(place, name, ".h5ad", {}))


@dataclass(frozen=True)
class _File:
    """A file of one kind, and its columns once they have been read."""

    place: Place
    name: str
    kind: str
    columns: dict[str, Any]

    def ask(self, folder: Path, keys: list[str] | None) -> Any:
        """Have a process list the arrays, or write those of `keys` into `folder`."""
        is_bytes = isinstance(self.place, bytes)
        path = folder / "table" if is_bytes else Path(str(self.place)).absolute()
        if isinstance(self.place, bytes):
            path.write_bytes(self.place)
        job = {
            "path": str(path), "folder": str(folder), "name": self.name, "kind": self.kind,
            "keys": keys, "seconds": SECONDS, "memory_bytes": MEMORY_BYTES,
            "data_bytes": MAPPED_BYTES, "what": self.name,
            "advice": "save the codes as .npz, with np.savez",
        }  # fmt: skip
        try:
            return run_worker(MODULE, job)
        except WorkerDied as error:
            raise ExplorerError(
                f"{self.name} is damaged: it cannot be read as {self.kind}."
            ) from error


def _list_arrays(file: _File) -> dict[str, StoredArray]:
    with tempfile.TemporaryDirectory(prefix="explorer-table-") as folder:
        found = file.ask(Path(folder), None)
    columns = [key for key, _, shape, _ in found if len(shape) == 1][:MOST_COLUMNS]
    rows = sum(shape[0] for _, _, shape, _ in found if len(shape) == 1)
    together = columns if 8 * rows <= LARGEST_COLUMNS else []
    return {
        key: StoredArray(title, tuple(shape), np.dtype(kind), _blocks(file, key, together))
        for key, title, shape, kind in found
    }


def _blocks(file: _File, key: str, together: list[str]) -> Callable[[], Iterator[Array]]:
    """Return what yields an array's rows; of a column, once all of them have been read."""

    def blocks() -> Iterator[Array]:
        if key not in together:
            with tempfile.TemporaryDirectory(prefix="explorer-table-") as folder:
                (told,) = file.ask(Path(folder), [key])
                yield from _name_words(_read_blocks(Path(folder) / "0", *told), *told[1:])
            return
        if key not in file.columns:
            file.columns.update(_read_columns(file, together))
        column = file.columns[key]
        if column is None:
            raise ExplorerError(f"{key} of {file.name} cannot be read.")
        values, told = column
        yield from _name_words(np.array_split(values, 1 + len(values) // 65_536), *told[1:])

    return blocks


def _read_columns(file: _File, keys: list[str]) -> dict[str, Any]:
    """Return columns by name, of words their numbers, each with what was told of it."""
    with tempfile.TemporaryDirectory(prefix="explorer-table-") as folder:
        written = file.ask(Path(folder), keys)
        found: dict[str, Any] = {}
        for place, (key, told) in enumerate(zip(keys, written, strict=True)):
            parts = [] if told is None else [*_read_blocks(Path(folder) / str(place), *told)]
            found[key] = (np.concatenate(parts), told) if parts else None
        return found


def _read_blocks(
    path: Path, shape: list[int], kind: str, words: list[str] | None
) -> Iterator[Array]:
    dtype = np.dtype(kind) if words is None else np.dtype(np.int32)
    width = int(np.prod(shape[1:], dtype=np.int64))
    step = rows_per_block(dtype.itemsize * width)
    with open(path, "rb") as stream:
        for start in range(0, max(shape[0], 1), step):
            rows = min(step, shape[0] - start)
            packed = stream.read(rows * width * dtype.itemsize)
            yield np.frombuffer(packed, dtype).reshape(rows, *shape[1:])


def _name_words(blocks: Iterable[Array], kind: str, words: list[str] | None) -> Iterator[Array]:
    names = None if words is None else np.asarray(words, kind)
    for block in blocks:
        yield block if names is None else names[block]


def read_job(job: dict[str, Any], tell: Callable[..., None], stop: Callable[[], bool]) -> Any:
    """List the arrays of a job's file, or write those named `keys` into the job's folder.

    Of several, what cannot be read is None: it does not keep the others from being read.
    """
    arrays = READERS[job["kind"]](Path(job["path"]), job["name"])
    if job["keys"] is None:
        return [(key, a.name, a.shape, a.dtype.str) for key, a in arrays.items()]
    written = []
    for place, key in enumerate(job["keys"]):
        try:
            written.append(_write(Path(job["folder"]) / str(place), arrays[key]))
        except ExplorerError:
            if len(job["keys"]) == 1:
                raise
            written.append(None)
    return written


def _write(path: Path, array: StoredArray) -> Any:
    """Write an array's bytes, of words a number each; return its shape, kind and words."""
    words: dict[str, int] | None = {} if array.dtype.kind == "U" else None
    rows = 0
    with open(path, "wb") as stream:
        for block in array.blocks():
            values = np.ascontiguousarray(block, array.dtype)
            if words is not None:
                flat = (words.setdefault(word, len(words)) for word in values.ravel().tolist())
                values = np.fromiter(flat, np.int32, values.size)
            stream.write(values.tobytes())
            rows += len(block)
    return (rows, *array.shape[1:]), array.dtype.str, None if words is None else [*words]


if __name__ == "__main__":
    serve(read_job)
