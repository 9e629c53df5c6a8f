"""One bytes object that a browser reads without a library: a JSON header and aligned arrays.

    bytes 0..3    the magic word "LXP1"
    bytes 4..7    length of the header in bytes, little-endian
    bytes 8..     the header (UTF-8 JSON), padded with spaces to a multiple of 16
    then          the arrays, each starting at a multiple of 16, little-endian

In the header an array is {"array": offset from the end of the header, "shape": [...],
"type": "f32" | "f16" | "u8" | "i32"}.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"LXP1"
ALIGNMENT = 16
TYPES = {"float32": "f32", "float16": "f16", "uint8": "u8", "int32": "i32"}


def pack(header: Any) -> bytes:
    """Return `header` (JSON-compatible but for numpy arrays anywhere inside it) as one object."""
    blobs: list[bytes] = []
    size = 0

    def place(value: Any) -> Any:
        nonlocal size
        if isinstance(value, np.ndarray):
            kind = TYPES.get(value.dtype.name)
            if kind is None:
                raise TypeError(f"Arrays of {value.dtype} cannot be packed.")
            blob = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
            reference = {"array": size, "shape": list(value.shape), "type": kind}
            padding = -len(blob) % ALIGNMENT
            blobs.append(blob + bytes(padding))
            size += len(blob) + padding
            return reference
        if isinstance(value, dict):
            return {key: place(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [place(item) for item in value]
        return value

    text = json.dumps(place(header), separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return MAGIC + len(text).to_bytes(4, "little") + text + b"".join(blobs)


def read_header(payload: bytes) -> Any:
    """Return the header as it is stored, with references in the places of its arrays."""
    return json.loads(payload[8 : _find_arrays(payload)])


def _find_arrays(payload: bytes) -> int:
    if payload[:4] != MAGIC:
        raise ValueError("This is not a latent-map payload.")
    return 8 + int.from_bytes(payload[4:8], "little")


def unpack(payload: bytes) -> Any:
    """Return the header with its arrays; the inverse of `pack`."""
    start = _find_arrays(payload)
    names = {short: name for name, short in TYPES.items()}

    def find(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"array", "shape", "type"}:
                dtype = np.dtype(names[value["type"]]).newbyteorder("<")
                count = int(np.prod(value["shape"]))
                array = np.frombuffer(payload, dtype, count, start + value["array"])
                return array.reshape(value["shape"])
            return {key: find(item) for key, item in value.items()}
        if isinstance(value, list):
            return [find(item) for item in value]
        return value

    return find(read_header(payload))


def shorten(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` in half precision where that loses nothing, else in single precision."""
    single = np.asarray(array, np.float32)
    with np.errstate(over="ignore"):
        half = single.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), single) else single
