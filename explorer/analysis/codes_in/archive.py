"""NumPy's .npz and .npy: headers and sizes are checked before any content is read."""

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from explorer.analysis.codes_in.arrays import (
    StoredArray,
    check_unpacked,
    rows_per_block,
)
from explorer.analysis.codes_in.numbers import Array
from explorer.errors import ExplorerError

Place = Path | bytes
MOST_MEMBERS = 1000
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (
    OSError, ValueError, EOFError, TypeError, KeyError, IndexError, OverflowError, RuntimeError,
    SyntaxError, MemoryError, UnicodeDecodeError, NotImplementedError, struct.error, zlib.error,
    zipfile.BadZipFile, zipfile.LargeZipFile, tokenize.TokenError,
)  # fmt: skip
"""What NumPy and zipfile raise for damaged and forged files."""


@contextmanager
def explained(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a damaged file raises into one sentence."""
    try:
        yield
    except ExplorerError:
        raise
    except BROKEN as error:
        raise ExplorerError(f"{name} is damaged: it cannot be read as {kind}.") from error


def open_place(place: Place) -> BinaryIO:
    """Open a path, or bytes that are already here."""
    return io.BytesIO(place) if isinstance(place, bytes) else open(place, "rb")


def read_npz(place: Place, name: str) -> dict[str, StoredArray]:
    """Return the arrays of an .npz by their names, none of them read yet."""
    with explained(name, "an .npz file"), open_place(place) as stream:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise ExplorerError(
                    f"{name} holds {len(members):,} arrays; that is no file of codes."
                )
            found = {}
            for member in members:
                if member.filename.endswith(".npy"):
                    stored = _read_member(place, name, archive, member)
                    found[stored.name] = stored
    if not found:
        raise ExplorerError(f"{name} is a zip archive without NumPy arrays.")
    return found


def _read_member(
    place: Place, name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> StoredArray:
    if member.flag_bits & 1:
        raise ExplorerError(f"{name} is encrypted; save it without a password.")
    if member.compress_type not in PACKED:
        raise ExplorerError(f"{name} is packed in a way that NumPy does not write.")
    title = member.filename[: -len(".npy")]
    check_unpacked(f"{title} of {name}", member.file_size, member.compress_size)
    with archive.open(member) as stream:
        header = _Header.read(stream, f"{title} of {name}")
    header.check(member.file_size, f"{title} of {name}")

    def blocks() -> Iterator[Array]:
        with explained(name, "an .npz file"), open_place(place) as outer:
            with zipfile.ZipFile(outer) as again, again.open(member) as inner:
                yield from header.blocks(inner)  # type: ignore[arg-type]

    return header.stored(title, blocks)


def read_npy(place: Place, name: str) -> dict[str, StoredArray]:
    """Return the one array of an .npy file, under the name of the file."""
    with explained(name, "an .npy file"), open_place(place) as stream:
        header = _Header.read(stream, name)
        size = len(place) if isinstance(place, bytes) else place.stat().st_size
        header.check(size, name)

    def blocks() -> Iterator[Array]:
        with explained(name, "an .npy file"), open_place(place) as again:
            yield from header.blocks(again)

    title = Path(name).stem
    return {title: header.stored(title, blocks)}


class _Header:
    """The header of an array: shape, order and type, and where its values begin."""

    def __init__(
        self, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any], length: int
    ) -> None:
        self.shape, self.fortran, self.dtype, self.length = shape, fortran, dtype, length

    @classmethod
    def read(cls, stream: Any, name: str) -> "_Header":
        """Read a header; ExplorerError for one that is none."""
        try:
            version = np.lib.format.read_magic(stream)
            reader = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = reader(stream, max_header_size=100_000)
            length = stream.tell()
        except BROKEN as error:
            raise ExplorerError(f"{name} is damaged: it has no NumPy header.") from error
        if any(size < 0 for size in shape):
            raise ExplorerError(f"{name} is damaged: its shape is {shape}.")
        return cls(tuple(int(size) for size in shape), fortran, dtype, length)

    def check(self, size: int, name: str) -> None:
        """Refuse a header that promises other bytes than there are."""
        if self.dtype.hasobject:
            return
        claimed = self.dtype.itemsize
        for side in self.shape:
            claimed *= side
        if claimed + self.length != size:
            raise ExplorerError(
                f"{name} promises {_say_bytes(claimed)} in its header and has "
                f"{_say_bytes(max(size - self.length, 0))}: it is damaged or forged, and not read."
            )

    def stored(self, title: str, blocks: Any) -> StoredArray:
        """Return the array that this is the header of."""
        bfloat16 = self.dtype.kind == "V" and self.dtype.itemsize == 2 and not self.dtype.names
        return StoredArray(title, self.shape, self.dtype, blocks, self.dtype.hasobject, bfloat16)

    def blocks(self, stream: BinaryIO) -> Iterator[Array]:
        """Yield the rows in order, from a stream at the beginning of the file."""
        if self.dtype.hasobject or not self.shape:
            raise ExplorerError("Single numbers and Python objects are not read.")
        _read_exactly(stream, self.length)
        if self.fortran and len(self.shape) > 1:
            yield from self._columns(stream)
            return
        row = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        if row == 0:
            yield np.zeros(self.shape, self.dtype)
            return
        step = rows_per_block(row)
        for start in range(0, self.shape[0], step):
            count = min(step, self.shape[0] - start)
            content = _read_exactly(stream, count * row)
            yield np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])

    def _columns(self, stream: BinaryIO) -> Iterator[Array]:
        """Arrays in Fortran's order come column by column: they are read whole, if they fit."""
        size = self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))
        if size > 2**30:
            raise ExplorerError(
                "An array in Fortran's order is read whole and this one has "
                f"{_say_bytes(size)}: save it with np.ascontiguousarray."
            )
        content = _read_exactly(stream, size)
        whole = np.frombuffer(content, self.dtype).reshape(self.shape, order="F")
        yield np.ascontiguousarray(whole)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    parts, left = [], count
    while left:
        part = stream.read(min(left, 1 << 24))
        if not part:
            raise EOFError("the file ends early")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _say_bytes(count: int) -> str:
    for unit, size in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,} bytes"
