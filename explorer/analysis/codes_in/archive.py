"""NumPy's .npz and .npy as arrays of codes, none of them read yet."""

from collections.abc import Callable, Iterator
from pathlib import Path

from explorer.analysis.codes_in.arrays import BLOCK_BYTES, LARGE_BYTES, StoredArray
from explorer.analysis.codes_in.numbers import Array
from explorer.archives.npy import Header
from explorer.archives.npz import Arrays, open_npz
from explorer.archives.zips import Place
from explorer.errors import ExplorerError


def read_npz(place: Place, name: str) -> dict[str, StoredArray]:
    """Return the arrays of an .npz by their names."""
    with open_npz(place, name, LARGE_BYTES) as arrays:
        headers = {key: arrays.read_header(key) for key in arrays.keys}
    if not headers:
        raise ExplorerError(
            f"{name} is a zip archive without NumPy arrays, such as torch.save writes; codes are "
            "saved with np.savez."
        )

    def blocks(key: str) -> Callable[[], Iterator[Array]]:
        def read() -> Iterator[Array]:
            with open_npz(place, name, LARGE_BYTES) as arrays:
                yield from _rows(arrays, key)

        return read

    return {key: _store(key, header, blocks(key)) for key, header in headers.items()}


def read_npy(place: Place, name: str) -> dict[str, StoredArray]:
    """Return the one array of an .npy file, under the name of the file."""
    title = Path(name).stem
    array = Arrays(place, name, None, LARGE_BYTES, alone=title)
    return {title: _store(title, array.read_header(title), lambda: _rows(array, title))}


def _store(key: str, header: Header, blocks: Callable[[], Iterator[Array]]) -> StoredArray:
    dtype = header.dtype
    bfloat16 = dtype.kind == "V" and dtype.itemsize == 2 and not dtype.names
    return StoredArray(key, header.shape, dtype, blocks, header.is_object, bfloat16)


def _rows(arrays: Arrays, key: str) -> Iterator[Array]:
    for _, rows in arrays.read_rows(key, BLOCK_BYTES):
        if not rows.shape or rows.dtype.hasobject:
            raise ExplorerError("Single numbers and Python objects are not read.")
        yield rows
