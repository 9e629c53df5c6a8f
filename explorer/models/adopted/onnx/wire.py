"""The wire format of protocol buffers, read field by field: numbers and lengths, nothing else.

A message is a run of fields, each a varint key (number·8 + wire type) and a value: 0 varint,
1 eight bytes, 2 a length and so many bytes, 5 four bytes. Groups (3, 4) are long gone.
"""

import struct
from collections.abc import Iterator

from explorer.errors import ExplorerError

Field = tuple[int, int | memoryview]
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5


class BrokenMessage(ExplorerError):
    """The bytes end in the middle of a field, or are no message at all."""

    def __init__(self) -> None:
        super().__init__(
            "This file is damaged or no ONNX file: copy it again, or export it again with "
            "torch.onnx.export."
        )


def read_fields(data: memoryview) -> Iterator[Field]:
    """Yield (number, value) of each field: an int for varints, else the bytes, uncopied."""
    at, end = 0, len(data)
    while at < end:
        key, at = read_varint(data, at)
        number, kind = key >> 3, key & 7
        if not number:
            raise BrokenMessage
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = read_varint(data, at)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise BrokenMessage
        if size > end - at:
            raise BrokenMessage
        yield number, data[at : at + size]
        at += size


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the unsigned number of up to 64 bits at `at`, and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
        shift += 7
    raise BrokenMessage


def signed(value: int) -> int:
    """Return a varint as the int64 that it stands for."""
    return value - 2**64 if value >= 2**63 else value


def read_packed(data: memoryview, most: int) -> list[int]:
    """Return packed int64 numbers, at most `most` of them."""
    found, at = [], 0
    while at < len(data):
        value, at = read_varint(data, at)
        found.append(signed(value))
        if len(found) > most:
            raise BrokenMessage
    return found


def whole(value: int | memoryview) -> int:
    """Return a field's int64."""
    if not isinstance(value, int):
        raise BrokenMessage
    return signed(value)


def part(value: int | memoryview) -> memoryview:
    """Return a field's bytes."""
    if isinstance(value, int):
        raise BrokenMessage
    return value


def text(value: int | memoryview, most: int = 1000) -> str:
    """Return a field's text, which is no longer than `most` bytes."""
    data = part(value)
    if len(data) > most:
        raise BrokenMessage
    return bytes(data).decode("utf-8", "replace")


def single(value: int | memoryview) -> float:
    """Return a field's float32."""
    data = part(value)
    if len(data) != 4:
        raise BrokenMessage
    return float(struct.unpack("<f", data)[0])
