"""AnnData's .h5ad, read with h5py: codes in obsm, labels and factors in obs."""

import importlib
import io
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from explorer.analysis.codes_in.arrays import StoredArray, check_unpacked, rows_per_block
from explorer.analysis.codes_in.numbers import Array
from explorer.archives.zips import Place
from explorer.errors import ExplorerError

NEEDED = "Reading .h5ad needs h5py: pip install h5py"
MOST_COLUMNS = 500


def check_h5py() -> None:
    """Say what to install where h5py is missing."""
    if find_spec("h5py") is None:
        raise ExplorerError(f"{NEEDED} (or save the codes as .npz).")


def read_h5ad(place: Place, name: str) -> dict[str, StoredArray]:
    """Return what obsm and obs of an .h5ad hold, none of it read yet."""
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(_source(place), "r") as opened:
            found: dict[str, StoredArray] = {}
            for folder in ("obsm", "obs"):
                if folder in opened and isinstance(opened[folder], h5py.Group):
                    group = opened[folder]
                    for key in list(group)[:MOST_COLUMNS]:
                        stored = _read_item(h5py, place, name, group, folder, key)
                        if stored is not None:
                            found[key] = stored
    except ExplorerError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise ExplorerError(f"{name} is damaged: it cannot be read as .h5ad.") from error
    if not found:
        raise ExplorerError(f"{name} has nothing in obsm and obs, where AnnData keeps codes.")
    return found


def _read_item(
    h5py: Any, place: Place, name: str, group: Any, folder: str, key: str
) -> StoredArray | None:
    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        return None  # A link elsewhere is not followed.
    item = group[key]
    path = f"{folder}/{key}"
    if isinstance(item, h5py.Group):
        if {"codes", "categories"} <= set(item):
            return _categories(h5py, place, name, key, f"{path}/codes", f"{path}/categories")
        return None
    if key in ("_index", "__categories"):
        return None
    old = group.get("__categories")
    if old is not None and key in old:
        return _categories(h5py, place, name, key, path, f"{folder}/__categories/{key}")
    return _dataset(h5py, place, name, key, path, item)


def _dataset(
    h5py: Any, place: Place, name: str, key: str, path: str, item: Any
) -> StoredArray | None:
    if not item.shape or item.dtype.kind not in "fiubOSU":
        return None
    if item.external or item.is_virtual:
        raise ExplorerError(f"{key} of {name} lies in another file, which is not opened.")
    words = item.dtype.kind in "OSU"
    check_unpacked(f"{key} of {name}", item.nbytes, item.id.get_storage_size())
    step = rows_per_block(64 if words else item.dtype.itemsize * int(np.prod(item.shape[1:])))

    def blocks() -> Iterator[Array]:
        with h5py.File(_source(place), "r") as again:
            dataset = again[path]
            for start in range(0, dataset.shape[0], step):
                part = dataset[start : start + step]
                yield _as_words(part) if words else part

    return StoredArray(key, item.shape, np.dtype("U64") if words else item.dtype, blocks)


def _categories(
    h5py: Any, place: Place, name: str, key: str, codes: str, categories: str
) -> StoredArray:
    with h5py.File(_source(place), "r") as opened:
        rows = int(opened[codes].shape[0])
        names = _as_words(opened[categories][:10_000])

    def blocks() -> Iterator[Array]:
        with h5py.File(_source(place), "r") as again:
            dataset = again[codes]
            for start in range(0, rows, 65_536):
                numbers = dataset[start : start + 65_536].astype(np.int64)
                known = (numbers >= 0) & (numbers < len(names))
                yield np.where(known, names[np.where(known, numbers, 0)], "")

    return StoredArray(key, (rows,), np.dtype("U64"), blocks)


def _as_words(values: Any) -> Array:
    return np.asarray(
        [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values],
        dtype="U64",
    )


def _source(place: Place) -> Any:
    return io.BytesIO(place) if isinstance(place, bytes) else str(place)
