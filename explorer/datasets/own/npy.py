"""Arrays in numpy's files, by the stems and splits that their names are made of."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.archives import npz
from explorer.archives.npy import Header
from explorer.datasets.own.source import Array
from explorer.datasets.own.splits import split_word
from explorer.datasets.report import LeftOuts
from explorer.errors import ExplorerError

CHUNK_BYTES = 1 << 20
LARGEST_PACKED = 4 << 30
"""Bytes of an array beyond which it must not be packed as tightly as bombs are."""


@dataclass(frozen=True)
class Entry:
    """One array of a file: its key, and what its header says.

    A key such as x_train is the stem x of the split train.
    """

    key: str
    stem: str
    split: str | None
    header: Header

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.header.shape

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The type of its values."""
        return self.header.dtype

    @property
    def is_number(self) -> bool:
        """Whether its values are real numbers."""
        return self.dtype.kind in "biuf"


class Arrays:
    """The arrays of a .npz archive, or the one of a .npy file: headers first, values on demand."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path = path
        self.kind = "npy" if archive is None else "npz"
        self._file = npz.Arrays(path, path.name, archive, LARGEST_PACKED, alone="images")
        self.describe, self.read = self._file.describe, self._file.read

    def list_entries(self, needed: Sequence[str], left_out: LeftOuts) -> list[Entry]:
        """Return all arrays whose headers can be believed.

        Python objects and broken headers are left out; of a stem in `needed` they are an
        ExplorerError.
        """
        entries = []
        for key in self._file.keys:
            stem, split = split_key(key)
            try:
                header = self._file.read_header(key)
            except ExplorerError:
                if stem in needed:
                    raise
                left_out.add(key, "broken")
                continue
            if not header.is_object:
                entries.append(Entry(key, stem, split, header))
            elif stem in needed:
                raise ExplorerError(
                    f"{self.describe(key)} holds Python objects, which are never opened: "
                    "store an array of numbers."
                )
            else:
                left_out.add(key, "objects")
        return entries

    def read_rows(self, key: str) -> Iterator[tuple[int, Array]]:
        """Yield (row, array) of about a megabyte each, one after the other along the first axis."""
        return self._file.read_rows(key, CHUNK_BYTES)


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
