"""Images as one .npy file that is written row by row and then mapped into memory."""

import hashlib
import shutil
from pathlib import Path
from typing import IO

import numpy as np

from explorer.datasets.images import digest_parts
from explorer.datasets.rows import Bytes, Ints
from explorer.errors import ExplorerError
from explorer.files import describe_bytes, explain_os_error

HEADER_BYTES = 128
READ_BYTES = 1 << 20


class PixelFile:
    """Images of one shape (C, H, W) on their way into a file, with a digest of each.

    They are written through the file, not through a map: what has been written is the system's to
    keep or to put aside, and the memory of the process stays small.
    """

    def __init__(self, file: IO[bytes], folder: Path, shape: tuple[int, int, int]) -> None:
        """Begin anew in a file that is open for reading and writing and lies in `folder`."""
        self._file = file
        self._folder = folder
        self.shape = shape
        self._digests = bytearray()
        self.count = 0
        file.seek(0)
        file.truncate()
        file.write(bytes(HEADER_BYTES))

    def check_room(self, count: int) -> None:
        """Raise ExplorerError where the disk has no room for so many images."""
        channels, height, width = self.shape
        needed, free = count * channels * height * width, shutil.disk_usage(self._folder).free
        if needed > free:
            raise ExplorerError(
                f"{count:,} images of {height} × {width} pixels need {describe_bytes(needed)}; "
                f"{self._folder} has {describe_bytes(free)} left: choose a smaller size."
            )

    def append(self, images: Bytes) -> None:
        """Write images (n, C, H, W) after those that are there."""
        try:
            for image in images:
                content = image.tobytes()
                self._digests += hashlib.blake2b(content, digest_size=16).digest()
                self._file.write(content)
        except OSError as error:
            raise explain_os_error(error, self._folder / "pixels.npy") from error
        self.count += len(images)

    def finish(self) -> Bytes:
        """Write the header, now that the number of images is known, and return them mapped."""
        shape = (self.count, *self.shape)
        try:
            self._file.seek(0)
            self._file.write(make_header(shape))
            self._file.flush()
        except OSError as error:
            raise explain_os_error(error, self._folder / "pixels.npy") from error
        return np.memmap(self._file, np.uint8, "r", HEADER_BYTES, shape)

    def digest(self) -> str:
        """Return the digest of all images, read from the file: a map would fill the memory."""
        self._file.seek(HEADER_BYTES)
        parts = iter(lambda: self._file.read(READ_BYTES), b"")
        return digest_parts((self.count, *self.shape), parts)

    def repeats(self) -> Ints:
        """Return for each image the first row that holds the same pixels: itself, mostly."""
        digests = np.frombuffer(self._digests, "V16")
        _, first, which = np.unique(digests, return_index=True, return_inverse=True)
        return first[which].astype(np.int64)


def make_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of a .npy file of bytes: always 128 long, whatever the shape."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    room = HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + text.ljust(room - 1).encode() + b"\n"
