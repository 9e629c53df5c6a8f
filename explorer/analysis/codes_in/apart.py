"""Parquet read in a process of its own: a forged file can end pyarrow's process, but not ours."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.codes_in.archive import Place
from explorer.analysis.codes_in.arrays import StoredArray, rows_per_block
from explorer.analysis.codes_in.numbers import Array
from explorer.analysis.codes_in.tables import read_parquet
from explorer.errors import ExplorerError
from explorer.jobs.reader import WorkerDied, run_worker, serve

MODULE = "explorer.analysis.codes_in.apart"
SECONDS = 300.0
MEMORY_BYTES = 2 << 30
MAPPED_BYTES = 6 << 30
"""Arrow's allocator asks for more than it uses."""


def read_parquet_apart(place: Place, name: str) -> dict[str, StoredArray]:
    """Return what `read_parquet` does; pyarrow runs in another process, for each array anew."""
    with tempfile.TemporaryDirectory(prefix="explorer-table-") as folder:
        found = _run(place, name, Path(folder), None)
    return {
        key: StoredArray(title, tuple(shape), np.dtype(kind), _blocks(place, name, key))
        for key, title, shape, kind in found
    }


def _blocks(place: Place, name: str, key: str) -> Callable[[], Iterator[Array]]:
    def blocks() -> Iterator[Array]:
        with tempfile.TemporaryDirectory(prefix="explorer-table-") as folder:
            shape, kind = _run(place, name, Path(folder), key)
            dtype = np.dtype(kind)
            width = int(np.prod(shape[1:], dtype=np.int64))
            step = rows_per_block(dtype.itemsize * width)
            with open(Path(folder) / "values", "rb") as stream:
                for start in range(0, shape[0], step):
                    rows = min(step, shape[0] - start)
                    packed = stream.read(rows * width * dtype.itemsize)
                    yield np.frombuffer(packed, dtype).reshape(rows, *shape[1:])

    return blocks


def _run(place: Place, name: str, folder: Path, key: str | None) -> Any:
    path = folder / "table" if isinstance(place, bytes) else Path(place).absolute()
    if isinstance(place, bytes):
        path.write_bytes(place)
    job = {
        "path": str(path), "folder": str(folder), "name": name, "key": key, "seconds": SECONDS,
        "memory_bytes": MEMORY_BYTES, "data_bytes": MAPPED_BYTES, "what": name,
        "advice": "save the codes as .npz, with np.savez",
    }  # fmt: skip
    try:
        return run_worker(MODULE, job)
    except WorkerDied as error:
        raise ExplorerError(f"{name} is damaged: it cannot be read as Parquet.") from error


def read_job(job: dict[str, Any], tell: Callable[..., None], stop: Callable[[], bool]) -> Any:
    """List the arrays of a job's table, or write the one named `key` into the job's folder."""
    arrays = read_parquet(Path(job["path"]), job["name"])
    if job["key"] is None:
        return [(key, a.name, a.shape, a.dtype.str) for key, a in arrays.items()]
    array, rows = arrays[job["key"]], 0
    with open(Path(job["folder"]) / "values", "wb") as stream:
        for block in array.blocks():
            stream.write(np.ascontiguousarray(block, array.dtype).tobytes())
            rows += len(block)
    return (rows, *array.shape[1:]), array.dtype.str


if __name__ == "__main__":
    serve(read_job)
