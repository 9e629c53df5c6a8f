"""Arrays in numpy's files, read row by row: a header is believed only where the size agrees."""

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from explorer.datasets.own import guard
from explorer.datasets.own.source import Array
from explorer.datasets.own.splits import split_word
from explorer.datasets.report import LeftOuts, Refused, shown_name
from explorer.errors import ExplorerError

LONGEST_HEADER = 10_000
LARGEST_WHOLE = 1 << 30
"""Bytes of an array that has to be read at once: one in Fortran's order, or labels."""
LARGEST_PACKED = 4 << 30
"""Bytes of an array beyond which it must not be packed as tightly as bombs are."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One array of a file: its key, and the header's shape, type and order.

    A key such as x_train is the stem x of the split train.
    """

    key: str
    stem: str
    split: str | None
    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    fortran: bool

    @property
    def bytes(self) -> int:
        """The size of the array's values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_number(self) -> bool:
        """Whether its values are real numbers."""
        return self.dtype.kind in "biuf"


class Arrays:
    """The arrays of a .npz archive, or the one of a .npy file: headers first, values on demand."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path = path
        self.kind = "npy" if archive is None else "npz"
        self._archive = archive
        self._members = {
            member.filename.removesuffix(".npy"): member
            for member in (archive.infolist() if archive else ())
            if member.filename.endswith(".npy")
        }

    def describe(self, key: str) -> str:
        """Return what an array is called in a sentence."""
        if self._archive is None:
            return self.path.name
        return f"{shown_name(key)} in {self.path.name}"

    def list_entries(self, needed: Sequence[str], left_out: LeftOuts) -> list[Entry]:
        """Return all arrays whose headers can be believed.

        Python objects and broken headers are left out; of a stem in `needed` they are an
        ExplorerError.
        """
        entries = []
        for key in self._members if self._archive else ["images"]:
            stem, _ = split_key(key)
            try:
                with self._open(key) as (_, entry):
                    if not entry.dtype.hasobject:
                        entries.append(entry)
                    elif stem in needed:
                        raise ExplorerError(
                            f"{self.describe(key)} holds Python objects, which are never opened: "
                            "store an array of numbers."
                        )
                    else:
                        left_out.add(key, "objects")
            except ExplorerError:
                if stem in needed:
                    raise
                left_out.add(key, "broken")
        return entries

    def read_rows(self, key: str) -> Iterator[tuple[int, Array]]:
        """Yield (row, array) of about a megabyte each, one after the other along the first axis."""
        with self._open(key) as (stream, entry):
            if entry.fortran and len(entry.shape) > 1:
                yield 0, self._read_whole(stream, entry)
                return
            row_bytes = math.prod(entry.shape[1:]) * entry.dtype.itemsize
            step = max(1, CHUNK_BYTES // row_bytes)
            for row in range(0, entry.shape[0], step):
                some = min(step, entry.shape[0] - row)
                content = self._take(stream, some * row_bytes, key)
                yield row, np.frombuffer(content, entry.dtype).reshape(some, *entry.shape[1:])

    def read(self, key: str) -> Array:
        """Return an array of at most a gigabyte at once."""
        with self._open(key) as (stream, entry):
            return self._read_whole(stream, entry)

    def _read_whole(self, stream: IO[bytes], entry: Entry) -> Array:
        if entry.bytes > LARGEST_WHOLE:
            raise ExplorerError(
                f"{self.describe(entry.key)} is too large to be read at once: store it in C order."
            )
        flat = np.frombuffer(self._take(stream, entry.bytes, entry.key), entry.dtype)
        return flat.reshape(entry.shape, order="F" if entry.fortran else "C")

    def _take(self, stream: IO[bytes], size: int, key: str) -> bytes:
        content = stream.read(size) if size else b""
        if len(content) != size:
            raise ExplorerError(f"{self.describe(key)} ends too early: it is broken.")
        return content

    @contextmanager
    def _open(self, key: str) -> Iterator[tuple[IO[bytes], Entry]]:
        """Open an array: a stream that stands at its values, and what its header says."""
        if self._archive is None:
            with open(self.path, "rb") as stream:
                yield stream, self._read_header(stream, key, self.path.stat().st_size)
            return
        member = self._members[key]
        size, packed = member.file_size, member.compress_size
        try:
            guard.check_member(member)
            if size > max(LARGEST_PACKED, guard.HIGHEST_RATIO * packed):
                raise Refused("ratio", f"{size // max(1, packed):,}")
            with guard.open_member(self._archive, member) as stream:
                yield stream, self._read_header(stream, key, size)
        except Refused as refused:
            raise ExplorerError(
                f"{self.describe(key)} cannot be read: {refused.text}."
            ) from refused

    def _read_header(self, stream: IO[bytes], key: str, size: int) -> Entry:
        name = self.describe(key)
        readers: dict[tuple[int, int], Any] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        try:
            version = np.lib.format.read_magic(stream)
            shape, fortran, dtype = readers[version](stream, max_header_size=LONGEST_HEADER)
            if any(length < 0 for length in shape):
                raise ValueError(shape)
        except Exception as error:  # A header is read as Python; strange ones raise anything.
            raise ExplorerError(f"{name} is no array: its header cannot be read.") from error
        entry = Entry(key, *split_key(key), shape, dtype, fortran)
        there = size - stream.tell()
        if not dtype.hasobject and entry.bytes != there:
            raise ExplorerError(
                f"{name} promises {describe_bytes(entry.bytes)} and holds {describe_bytes(there)}: "
                "it is broken, or made to do harm."
            )
        return entry


def split_key(key: str) -> tuple[str, str | None]:
    """Return the stem and the split that an array's name is made of.

    >>> split_key("x_train"), split_key("test_images"), split_key("Images")
    (('x', 'train'), ('images', 'test'), ('images', None))
    """
    words = key.lower().split("_")
    if len(words) > 1:
        for at, rest in ((-1, words[:-1]), (0, words[1:])):
            if split := split_word(words[at]):
                return "_".join(rest), split
    return key.lower(), None


def describe_bytes(count: float) -> str:
    """Return a number of bytes in words, such as "1.08 TB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"
