"""Files that readers never see half-written."""

import contextlib
import errno
import json
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import ExplorerError


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
    try:
        path.mkdir(parents=True, exist_ok=True)
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
    return ExplorerError(f"{path} could not be written: {error.strerror or error}.")
