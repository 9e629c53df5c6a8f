"""Zip archives of strangers: looked at before anything is unpacked, and then piece by piece."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from explorer.archives.refused import Refused
from explorer.errors import ExplorerError
from explorer.files import open_plain

Place = Path | bytes
"""A file, or the bytes of one that are already here."""
LARGEST_DIRECTORY = 32 << 20
"""Bytes of an archive's table of contents, some hundred thousand files; Python makes up to thirty
times as many of them."""
LARGEST_FILE = 64 << 20
HIGHEST_RATIO = 300
"""Pictures, tables and arrays are not packed tighter; only small ones are excused."""
EXCUSED_BYTES = 1 << 20
LOCAL_HEADER = 30
UTF8_FLAG = 0x800
ENCRYPTED_FLAG = 0x1
LONGEST_END = 22 + 65_535
"""Bytes of the end record with its comment."""
WIDE_RECORD, WIDE_LOCATOR = 56, 20
ARCHIVES = {".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    LookupError,
    OSError,
)
"""What zipfile raises for members that are damaged or forged."""


@contextmanager
def open_zip(
    place: Place,
    name: str,
    largest_directory: int = LARGEST_DIRECTORY,
    advice: str = "unpack it and give the folder",
) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose table of contents is of sound size and without overlaps.

    `name` is what errors call it, `advice` what they recommend where it lists too much. Raises
    ExplorerError for one that is broken, or built so that members share bytes.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open_place(place, name))
        if measure_directory(file, name) > largest_directory:
            raise ExplorerError(f"{name} lists more files than can be read at once: {advice}.")
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
        except (*DAMAGE, NotImplementedError) as error:
            raise ExplorerError(
                f"{name} is broken: it cannot be opened as a zip archive."
            ) from error
        _check_overlaps(archive.infolist(), name)
        yield archive


def open_place(place: Place, name: str) -> BinaryIO:
    """Open a plain file, or bytes; ExplorerError where that cannot be."""
    if isinstance(place, bytes):
        return io.BytesIO(place)
    try:
        return open_plain(place)
    except OSError as error:
        raise ExplorerError(f"{name} cannot be read: {error.strerror or error}.") from error


def measure_directory(file: BinaryIO, name: str) -> int:
    """Return the bytes of an archive's table of contents, which zipfile would read whole."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - LONGEST_END - WIDE_RECORD - WIDE_LOCATOR)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise ExplorerError(f"{name} is broken: the end of the zip archive is missing.")
    locator, wide = at - WIDE_LOCATOR, at - WIDE_LOCATOR - WIDE_RECORD
    if locator < 0 or tail[locator : locator + 4] != b"PK\x06\x07":
        return int(struct.unpack_from("<I", tail, at + 12)[0])
    # Archives beyond 4 GB have a record of their own, at the place that the locator states.
    (stated,) = struct.unpack_from("<Q", tail, locator + 8)
    if wide < 0 or tail[wide : wide + 4] != b"PK\x06\x06" or stated != start + wide:
        raise ExplorerError(f"{name} is broken: the end of the zip archive is damaged.")
    return int(struct.unpack_from("<Q", tail, wide + 40)[0])


def _check_overlaps(members: list[zipfile.ZipInfo], name: str) -> None:
    """Raise where two members share bytes, as only bombs do (Fifield 2019)."""
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise ExplorerError(
                f"{name} is built so that its files share the same bytes, as bombs are: "
                "it is not opened."
            )
        end = member.header_offset + LOCAL_HEADER + member.compress_size
        end += len(
            member.orig_filename.encode("utf-8" if member.flag_bits & UTF8_FLAG else "cp437")
        )


def member_name(member: zipfile.ZipInfo) -> str:
    """Return what a member is called, with "/" between the parts of its path.

    Archives made on a Mac hold UTF-8 without saying so; archives of old Windows hold backslashes.
    """
    name = member.filename
    if not member.flag_bits & UTF8_FLAG:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def is_folder(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member is a folder; unlike `ZipInfo.is_dir` it takes an empty name."""
    return member_name(member).endswith("/")


def member_path(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the place of a member within its archive; Refused where it would lie outside."""
    name = member_name(member)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":"):
        raise Refused("path")
    return path


def check_member(member: zipfile.ZipInfo) -> None:
    """Refuse a member for what the table of contents says of it, before a byte is read."""
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise Refused("link")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Refused("special")
    if member.flag_bits & ENCRYPTED_FLAG:
        raise Refused("locked")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("packing")


def check_ratio(member: zipfile.ZipInfo, excused_bytes: int = EXCUSED_BYTES) -> None:
    """Refuse a member of more than `excused_bytes` that is packed as tightly as bombs are."""
    size, packed = member.file_size, member.compress_size
    if size > excused_bytes and size > HIGHEST_RATIO * packed:
        raise Refused("ratio", f"{size // max(1, packed):,}")


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the content of a small member; Refused where it is none, a bomb, or lies."""
    check_member(member)
    if member.file_size > LARGEST_FILE:
        raise Refused("bytes", f"{member.file_size / 1e6:,.0f}")
    check_ratio(member)
    with open_member(archive, member) as stream:
        # No more comes out than the table of contents states; less is a lie, too.
        content = _read_exactly(stream, member.file_size)
        _read_exactly(stream, 0)
    return content


@contextmanager
def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Open one member as a stream; Refused("liar") where it is not what the archive states."""
    try:
        with archive.open(member) as stream:
            yield stream
    except (NotImplementedError, RuntimeError) as error:
        raise Refused("packing") from error
    except DAMAGE as error:
        raise Refused("liar") from error


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    """Return the next `size` bytes, or for 0 make sure that none are left; EOFError otherwise."""
    content = stream.read(size or 1)
    if len(content) != size:
        raise EOFError
    return content
