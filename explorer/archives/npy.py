"""One array as NumPy stores it: its header is believed only where the size agrees."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from explorer.codes import Array
from explorer.errors import ExplorerError
from explorer.files import describe_bytes

LONGEST_HEADER = 10_000
LARGEST_WHOLE = 1 << 30
"""Bytes of an array that has to be read at once: one in Fortran's order, or labels."""


@dataclass(frozen=True)
class Header:
    """What an array's header says: shape, type and order; `name` is what errors call the array."""

    name: str
    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    fortran: bool

    @property
    def bytes(self) -> int:
        """The size of the array's values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_object(self) -> bool:
        """Whether it holds Python objects, which are never unpacked."""
        return bool(self.dtype.hasobject)


def read_header(stream: IO[bytes], size: int, name: str) -> Header:
    """Read the header of an array in a file of `size` bytes; the stream then stands at the values.

    ExplorerError for what is no header, and for one that promises more or less than there is.
    """
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
        raise ExplorerError(f"{name} is damaged: its NumPy header cannot be read.") from error
    header = Header(name, tuple(int(length) for length in shape), dtype, fortran)
    there = size - stream.tell()
    is_empty = dtype.itemsize == 0 and 0 not in header.shape
    if not header.is_object and (header.bytes != there or is_empty):
        raise ExplorerError(
            f"{name} promises {describe_bytes(header.bytes)} and holds {describe_bytes(there)}: "
            "it is broken, or made to do harm."
        )
    return header


def read_rows(stream: IO[bytes], header: Header, block_bytes: int) -> Iterator[tuple[int, Array]]:
    """Yield (row, rows from there on) of about `block_bytes` each, from a stream at the values.

    An array in Fortran's order comes at once, and so does one without values.
    """
    whole = not header.shape or not header.bytes
    if whole or (header.fortran and len(header.shape) > 1):
        yield 0, read_whole(stream, header)
        return
    row_bytes = math.prod(header.shape[1:]) * header.dtype.itemsize
    step = max(1, block_bytes // row_bytes)
    for row in range(0, header.shape[0], step):
        count = min(step, header.shape[0] - row)
        content = _take(stream, count * row_bytes, header)
        yield row, np.frombuffer(content, header.dtype).reshape(count, *header.shape[1:])


def read_whole(stream: IO[bytes], header: Header) -> Array:
    """Return an array of at most a gigabyte; objects come back empty."""
    if header.is_object:
        return np.empty(0, object)
    if header.bytes > LARGEST_WHOLE:
        raise ExplorerError(
            f"{header.name} is too large to be read at once: save it with np.ascontiguousarray."
        )
    content = _take(stream, header.bytes, header)
    try:
        flat = np.frombuffer(content, header.dtype) if content else np.empty(0, header.dtype)
        return flat.reshape(header.shape, order="F" if header.fortran else "C")
    except ValueError as error:  # Axes beyond what NumPy counts, around one of length 0.
        raise ExplorerError(f"{header.name} is damaged: its shape is {header.shape}.") from error


def _take(stream: IO[bytes], size: int, header: Header) -> bytes:
    content = stream.read(size) if size else b""
    if len(content) != size:
        raise ExplorerError(f"{header.name} ends too early: it is broken.")
    return content
