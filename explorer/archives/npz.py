"""The arrays of an .npz or .npy that anybody may have made: headers first, values on demand."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from explorer.archives.npy import Header, read_header, read_rows, read_whole
from explorer.archives.refused import REASONS, Refused
from explorer.archives.zips import (
    Place,
    check_member,
    check_ratio,
    open_member,
    open_place,
    open_zip,
)
from explorer.codes import Array
from explorer.errors import ExplorerError
from explorer.files import shown_name

LARGEST_ARRAYS = 512_000_000
"""Bytes of all arrays that `load_arrays` reads, unless a caller sets another limit."""
LONGEST_LIST = 100_000
"""Bytes of the table of contents of an .npz, some thousand arrays."""
SUFFIX = ".npy"


class Arrays:
    """The arrays of an open .npz archive, or of a .npy file of one, which is called `alone`.

    An array of more than `largest_packed` bytes must not be packed as tightly as bombs are.
    """

    def __init__(
        self,
        place: Place,
        name: str,
        archive: zipfile.ZipFile | None,
        largest_packed: int,
        alone: str = "",
    ) -> None:
        self.name = name
        self._place, self._archive, self._alone = place, archive, alone
        self._largest_packed = largest_packed
        self._members = {
            member.filename.removesuffix(SUFFIX): member
            for member in (archive.infolist() if archive else ())
            if member.filename.endswith(SUFFIX)
        }

    @property
    def keys(self) -> list[str]:
        """The names of the arrays."""
        return list(self._members) if self._archive else [self._alone]

    @property
    def stored_bytes(self) -> int:
        """What the table of contents says that all arrays of an archive take."""
        return sum(member.file_size for member in self._members.values())

    def describe(self, key: str) -> str:
        """Return what an array is called in a sentence."""
        return f"{shown_name(key)} in {self.name}" if self._archive else self.name

    def read_header(self, key: str) -> Header:
        """Return what an array's header says; ExplorerError where it cannot be believed."""
        with self._open(key) as (_, header):
            return header

    def read_rows(self, key: str, block_bytes: int) -> Iterator[tuple[int, Array]]:
        """Yield (row, rows from there on) of about `block_bytes`, along the first axis."""
        with self._open(key) as (stream, header):
            yield from read_rows(stream, header, block_bytes)

    def read(self, key: str) -> Array:
        """Return an array of at most a gigabyte at once."""
        with self._open(key) as (stream, header):
            return read_whole(stream, header)

    @contextmanager
    def _open(self, key: str) -> Iterator[tuple[IO[bytes], Header]]:
        """Open an array: a stream that stands at its values, and what its header says."""
        name = self.describe(key)
        if self._archive is None:
            with open_place(self._place, name) as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(0)
                yield stream, read_header(stream, size, name)
            return
        member = self._members[key]
        try:
            check_member(member)
            check_ratio(member, self._largest_packed)
            with open_member(self._archive, member) as stream:
                yield stream, read_header(stream, member.file_size, name)
        except Refused as refused:
            why = REASONS[refused.reason].format(detail=refused.detail)
            raise ExplorerError(f"{name} cannot be read: {why}.") from refused


@contextmanager
def open_npz(place: Place, name: str, largest_packed: int) -> Iterator[Arrays]:
    """Open an .npz; ExplorerError for what is none, is broken, or lists thousands of arrays."""
    with open_zip(place, name, LONGEST_LIST, "it is no file of arrays") as archive:
        yield Arrays(place, name, archive, largest_packed)


def load_arrays(
    path: str | os.PathLike[str], limit_bytes: int = LARGEST_ARRAYS, name: str | None = None
) -> dict[str, Array]:
    """Return the arrays of an .npz by name; `name` is what errors call the file.

    Everything that the file promises is looked at before anything is unpacked: an ExplorerError
    where its arrays would take more than `limit_bytes`, where it is damaged or encrypted, and where
    it is no .npz. Python objects are never unpacked; an array of them comes back empty.
    """
    place, name = Path(path), name or str(path)
    with open_place(place, name) as stream:
        if os.fstat(stream.fileno()).st_size > limit_bytes:
            raise _too_large(name, limit_bytes)
    with open_npz(place, name, limit_bytes) as arrays:
        if arrays.stored_bytes > limit_bytes:
            raise _too_large(name, limit_bytes)
        return {key: arrays.read(key) for key in arrays.keys}


def _too_large(name: str, limit_bytes: int) -> ExplorerError:
    return ExplorerError(
        f"{name} cannot be read: it holds more than the {limit_bytes / 1e6:,.0f} MB that are read."
    )
