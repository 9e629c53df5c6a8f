"""Files that readers never see half-written, and reading such as anybody may have put there."""

import contextlib
import errno
import json
import os
import secrets
import stat
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from explorer.errors import ExplorerError, shorten

LARGEST_JSON = 16_000_000
"""Bytes of the largest JSON file that is read; a run of 100,000 latents needs about a half."""
LONGEST_PATH, DEEPEST_PATH = 1000, 100
"""Characters and levels of a folder to be made: systems refuse somewhat longer ones, some of them
only once half of the levels are there, and what goes into the folder needs room too."""
LONGEST_NAME = 200
"""Characters of a file's name that are shown."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading.

    Anything else is an OSError: a folder, a device, a pipe, of which a reader would wait for ever.
    """
    stream = open(path, "rb", opener=_open_at_once)
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "It is no plain file", str(path))
    return stream


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_limited(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a plain file; one of more than `limit_bytes` is an ExplorerError."""
    with open_plain(path) as stream:
        content = stream.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise ExplorerError(f"{path} has more than {limit_bytes:,} bytes; it is not read.")
    return content


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; an ExplorerError for one that is none, NaN included."""
    try:
        return parse_json(read_limited(path, LARGEST_JSON))
    except (OSError, ValueError) as error:
        raise ExplorerError(f"{path} cannot be read as JSON.") from error


def parse_json(content: bytes) -> Any:
    """Return what JSON in UTF-8 holds.

    ValueError for anything else: NaN, which JSON has not, and nesting or digits without end too.
    """
    try:
        return _DECODER.decode(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("It is nested too deeply.") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON.")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside `path` and move it into place in one step."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "wb") as stream:
            write(stream)
        _move(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise explain_os_error(error, path) from error
        raise


def _move(temporary: Path, path: Path) -> None:
    """Replace `path`; Windows refuses while a reader has it open, which passes in a moment."""
    for _ in range(50 if os.name == "nt" else 0):
        try:
            return os.replace(temporary, path)
        except PermissionError:
            time.sleep(0.02)
    os.replace(temporary, path)


def replace_json(path: Path, value: Any) -> None:
    """Write `value` as JSON in one step."""
    text = json.dumps(value, indent=1, allow_nan=False)
    replace_file(path, lambda stream: stream.write(text.encode()))


def make_folder(path: Path) -> None:
    """Create a folder and its parents; say plainly why where that fails."""
    if len(str(path)) > LONGEST_PATH or len(path.parts) > DEEPEST_PATH:
        raise ExplorerError(
            f"{shorten(str(path), 80)} cannot be created: a path has at most {LONGEST_PATH:,} "
            f"characters and {DEEPEST_PATH} levels."
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except ValueError as error:  # A character that no path may hold.
        raise ExplorerError(f"{path!r} cannot be created: it is no path.") from error
    except OSError as error:
        raise explain_os_error(error, path) from error


def explain_os_error(error: OSError, path: Path) -> ExplorerError:
    """Return a one-sentence error for a failed write to `path`."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return ExplorerError(f"The disk is full: {path} could not be written.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ExplorerError(f"The folder {path.parent} cannot be written to.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return ExplorerError(f"{path} cannot be created: part of the path is a file.")
    shown = shorten(str(path), 200)
    return ExplorerError(f"{shown} could not be written: {error.strerror or error}.")


def describe_bytes(count: float) -> str:
    """Return a number of bytes in words, such as "1.08 TB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def shown_name(name: str) -> str:
    """Return a file's name fit to be shown and written: no control characters, not too long."""
    # One form of ä, whichever of the two the file system had.
    whole = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    clean = "".join(letter if letter.isprintable() else "�" for letter in whole)
    return clean if len(clean) <= LONGEST_NAME else f"{clean[:120]}…{clean[-60:]}"
