"""Arrays of a file that are read in blocks of rows: bounded memory, whatever the file claims."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.codes_in.numbers import Array, real_numbers, say_shape
from explorer.errors import ExplorerError

BLOCK_BYTES = 8_000_000
KEPT_VALUES, FEWEST_ITEMS = 4_000_000, 2000
"""Of larger arrays so many values are kept, of at least so many items."""
MOST_VALUES, WIDEST = 20_000_000, 2_000_000
"""Values that are kept at most, and values of one item."""
LARGE_BYTES, LARGEST_RATIO = 256 * 2**20, 100
"""An array this large that was packed this small is no data, but made to fill memory."""
Progress = Callable[[float], object]
"""Called with the share that is read."""
LARGEST_WORDS = 200_000_000
"""Bytes of an array of words that are read."""


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: `blocks` yields its rows in order, some at a time.

    `objects` says that it holds Python objects, which are never unpacked; `bfloat16` that its two
    bytes are taken as such.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    blocks: Callable[[], Iterator[Array]] = field(repr=False, compare=False)
    objects: bool = False
    bfloat16: bool = False

    def __str__(self) -> str:
        kind = "objects" if self.objects else "bfloat16" if self.bfloat16 else str(self.dtype)
        return f"{self.name} {say_shape(self.shape)} {kind}"

    @property
    def is_numeric(self) -> bool:
        """Whether it holds real numbers."""
        return not self.objects and (self.dtype.kind in "fiu" or self.bfloat16)


@dataclass(frozen=True)
class Taken:
    """Rows of an array (M, …), and which values are NaN or infinite in the whole file.

    `bad` holds (first row, packed flags of a block's values (n, width)) where there are any.
    """

    values: NDArray[np.floating]
    count: int
    width: int
    bad: tuple[tuple[int, NDArray[np.uint8]], ...] = ()

    def bad_values(self) -> int:
        """Return how many values of the whole file are NaN or infinite."""
        return int(sum(self._flags(packed).sum() for _, packed in self.bad))

    def bad_items(self, columns: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the items of the whole file that are bad in one of these columns (width,)."""
        found = [
            start + np.flatnonzero(self._flags(packed)[:, columns].any(1))
            for start, packed in self.bad
        ]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _flags(self, packed: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return np.unpackbits(packed, axis=1, count=self.width).astype(bool)


def choose_items(count: int, width: int) -> NDArray[np.int64]:
    """Return the items to keep of `count` with `width` values each: all, or evenly spread."""
    if width > WIDEST:
        raise ExplorerError(f"One item has {width:,} values; codes of at most {WIDEST:,} are read.")
    most = max(KEPT_VALUES // max(width, 1), min(FEWEST_ITEMS, MOST_VALUES // max(width, 1)))
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def take(array: StoredArray, items: NDArray[np.int64], progress: Progress | None = None) -> Taken:
    """Return these items (in rising order) of a numeric array, in float32 or float64."""
    count = array.shape[0]
    width = int(np.prod(array.shape[1:], dtype=np.int64))
    kept: list[Array] = []
    bad = []
    start = 0
    for block in array.blocks():
        numbers = real_numbers(block, array.name)
        flags = ~np.isfinite(numbers.reshape(len(block), width))
        if flags.any():
            bad.append((start, np.packbits(flags, axis=1)))
        low, high = np.searchsorted(items, [start, start + len(block)])
        if high > low:
            kept.append(numbers[items[low:high] - start])
        start += len(block)
        if progress is not None:
            progress(start / max(count, 1))
    if start != count:
        raise ExplorerError(f"{array.name} ends after {start:,} of its {count:,} items.")
    values = np.concatenate(kept) if kept else np.zeros((0, *array.shape[1:]))
    return Taken(values, count, width, tuple(bad))


def take_plain(array: StoredArray, items: NDArray[np.int64]) -> Array:
    """Return these items of an array of any kind but objects, as they are."""
    if array.dtype.itemsize * max(array.shape[0], 1) > LARGEST_WORDS and array.dtype.kind in "US":
        raise ExplorerError(f"{array.name} has words too long to be labels.")
    kept, start = [], 0
    for block in array.blocks():
        low, high = np.searchsorted(items, [start, start + len(block)])
        kept.append(block[items[low:high] - start])
        start += len(block)
    return np.concatenate(kept) if kept else np.zeros((0, *array.shape[1:]), array.dtype)


def rows_per_block(row_bytes: int) -> int:
    """Return how many rows make a block."""
    return max(1, BLOCK_BYTES // max(row_bytes, 1))


def check_unpacked(name: str, unpacked: int, packed: int) -> None:
    """Refuse what was packed so small that it is made to fill memory."""
    if unpacked > LARGE_BYTES and unpacked > LARGEST_RATIO * max(packed, 1):
        raise ExplorerError(
            f"{name} unpacks from {packed / 2**20:,.1f} to {unpacked / 2**20:,.0f} MB; codes are "
            "never packed so small, and it is not read."
        )
