"""Arrays from an .npz that anybody may have made, read in bounded memory."""

import math
import os
import struct
import zipfile
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
from numpy.lib import format as npy

from explorer.codes import Array
from explorer.errors import ExplorerError
from explorer.files import open_plain

LARGEST_ARRAYS = 512_000_000
"""Bytes of all arrays of a file together, unless a caller sets another limit."""
LARGEST_DIRECTORY = 100_000
"""Bytes of the archive's list of members: Python makes about thirty times as many of them."""
END, END_SIZE, LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
LONGER_END, LONGER_END_SIZE = b"PK\x06\x07", 20
KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1


def load_arrays(
    path: str | os.PathLike[str], limit_bytes: int = LARGEST_ARRAYS, name: str | None = None
) -> dict[str, Array]:
    """Return the arrays of an .npz by name; `name` is what errors call the file.

    Everything that the file promises is looked at before anything is unpacked: an ExplorerError
    where its arrays would take more than `limit_bytes`, where it is damaged or encrypted, and where
    it is no .npz. Python objects are never unpacked; an array of them comes back empty.
    """
    name = name or str(path)
    try:
        with open_plain(Path(path)) as stream:
            return _load(stream, limit_bytes)
    except OSError as error:
        why = error.strerror or "it is damaged"
        raise ExplorerError(f"{name} cannot be read: {why}.") from error
    except _Refused as error:
        raise ExplorerError(f"{name} cannot be read: {error}.") from error
    except Exception as error:  # zipfile, zlib and numpy raise what they like on damaged bytes.
        raise ExplorerError(f"{name} cannot be read: it is damaged, or no .npz file.") from error


class _Refused(Exception):
    """Why a file is not unpacked."""


def _load(stream: BinaryIO, limit_bytes: int) -> dict[str, Array]:
    if os.fstat(stream.fileno()).st_size > limit_bytes:
        raise _too_large(limit_bytes)
    _check_directory(stream)
    with zipfile.ZipFile(stream) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if any(info.flag_bits & ENCRYPTED for info in members):
            raise _Refused("it is encrypted")
        if any(info.compress_type not in KINDS for info in members):
            raise _Refused("it is packed in a way that NumPy does not use")
        if sum(info.file_size for info in members) > limit_bytes:
            raise _too_large(limit_bytes)
        arrays = {}
        for info in members:
            with archive.open(info) as member:
                loads = _check_header(member, info.file_size)
            array: Array = np.empty(0, object)
            if loads:
                with archive.open(info) as member:
                    array = npy.read_array(member, allow_pickle=False)
            arrays[info.filename.removesuffix(".npy")] = array
    return arrays


def _too_large(limit_bytes: int) -> _Refused:
    return _Refused(f"it holds more than the {limit_bytes / 1e6:,.0f} MB that are read")


def _check_directory(stream: BinaryIO) -> None:
    """Refuse a list of members without end, which zipfile would read whole."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - END_SIZE - LONGEST_COMMENT - LONGER_END_SIZE))
    tail = stream.read()
    place = tail.rfind(END)
    if place < 0:
        raise _Refused("it is no .npz file")
    (directory,) = struct.unpack_from("<I", tail, place + 12)
    # The longer form, for archives beyond 4 GB, has a size of its own.
    has_longer = tail[max(0, place - LONGER_END_SIZE) : place].startswith(LONGER_END)
    if directory > LARGEST_DIRECTORY or has_longer:
        raise _Refused("it has too many members")
    stream.seek(0)


def _check_header(member: IO[bytes], size: int) -> bool:
    """Tell whether an array may be unpacked: False for Python objects.

    _Refused for one that is not as large as its header promises.
    """
    version = npy.read_magic(member)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
    shape, _, dtype = read_header(member)
    if dtype.hasobject:
        return False
    count = math.prod(shape)
    if count * dtype.itemsize > size or count > size:
        raise _Refused("its arrays are not as large as they claim to be")
    return True
