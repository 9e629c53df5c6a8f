"""Zip archives of strangers: looked at before anything is unpacked, and then piece by piece."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from explorer.datasets.report import Refused
from explorer.errors import ExplorerError

LARGEST_DIRECTORY = 32 << 20
"""Bytes of an archive's table of contents, some hundred thousand files; Python makes up to thirty
times as many of them."""
LARGEST_FILE = 64 << 20
HIGHEST_RATIO = 300
"""Pictures and tables are not packed tighter; only small ones are excused."""
EXCUSED_BYTES = 1 << 20
LOCAL_HEADER = 30
UTF8_FLAG = 0x800
WIDE_RECORDS = 56 + 20
ARCHIVES = {".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose table of contents is of sound size and without overlaps.

    Raises ExplorerError for one that is broken, or built so that members share bytes.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb"))
            _check_directory(path, file)
            archive = stack.enter_context(zipfile.ZipFile(file))
        except OSError as error:
            raise ExplorerError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
            raise ExplorerError(
                f"{path.name} is broken: it cannot be opened as a zip archive."
            ) from error
        _check_overlaps(path, archive.infolist())
        yield archive


def _check_directory(path: Path, file: BinaryIO) -> None:
    """Raise for a table of contents that would fill the memory when it is read."""
    size = file.seek(0, 2)
    # The end record: 22 bytes and a comment of at most 65,535; before it those of large archives.
    file.seek(max(0, size - 65_557 - WIDE_RECORDS))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise ExplorerError(f"{path.name} is broken: the end of the zip archive is missing.")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    wide = at - WIDE_RECORDS
    if wide >= 0 and tail[wide : wide + 4] == b"PK\x06\x06":
        (length,) = struct.unpack_from("<Q", tail, wide + 40)
    if length > LARGEST_DIRECTORY:
        raise ExplorerError(
            f"{path.name} lists more files than can be read at once: unpack it and give the folder."
        )


def _check_overlaps(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raise where two members share bytes, as only bombs do (Fifield 2019)."""
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise ExplorerError(
                f"{path.name} is built so that its files share the same bytes, as bombs are: "
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
    if member.flag_bits & 0x1:
        raise Refused("locked")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("packing")


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the content of a small member; Refused where it is none, a bomb, or lies."""
    check_member(member)
    size, packed = member.file_size, member.compress_size
    if size > LARGEST_FILE:
        raise Refused("bytes", f"{size / 1e6:,.0f}")
    if size > EXCUSED_BYTES and size > HIGHEST_RATIO * packed:
        raise Refused("ratio", f"{size // max(1, packed):,}")
    with open_member(archive, member) as stream:
        # No more comes out than the table of contents states; less is a lie, too.
        content = read_exactly(stream, size)
        read_exactly(stream, 0)
    return content


@contextmanager
def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Open one member as a stream; Refused("liar") where it is not what the archive states."""
    try:
        with archive.open(member) as stream:
            yield stream
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error) as error:
        raise Refused("liar") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Refused("packing") from error


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    """Return the next `size` bytes, or for 0 make sure that none are left; EOFError otherwise."""
    content = stream.read(size or 1)
    if len(content) != size:
        raise EOFError
    return content
