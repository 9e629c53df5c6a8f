"""Payloads kept on disk: a shipped model's map opens again without its networks, or PyTorch."""

import contextlib
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

from explorer.errors import ExplorerError
from explorer.export.container import MAGIC
from explorer.files import make_folder, replace_file
from explorer.paths import PACKAGE, cache_folder

MOST_KEPT = 64
"""Payloads in the folder, of half a megabyte to two each: a sweep's models are many."""


def keep_payload(parts: Iterable[object], build: Callable[[], bytes]) -> bytes:
    """Return what `build` returns, from the user's cache where it was built of the same `parts`.

    A file that is none of ours, or was cut off, is built anew. Where nothing can be written,
    nothing is kept.
    """
    path = _locate(parts)
    payload = _read(path)
    if payload is None:
        payload = build()
        with contextlib.suppress(ExplorerError):
            make_folder(path.parent)
            replace_file(path, partial(_write, payload))
            _remove_oldest(path.parent)
    return payload


def find_payload(parts: Iterable[object]) -> bytes | None:
    """Return what `keep_payload` has kept of the same `parts`, None where it has not."""
    return _read(_locate(parts))


def _locate(parts: Iterable[object]) -> Path:
    # Another version of the programme may build something else of the same.
    key = hashlib.sha256(repr((stamp_code(), *parts)).encode()).hexdigest()[:32]
    return cache_folder() / "payloads" / f"{key}.lxp.gz"


@cache
def stamp_code() -> str:
    """Return a key that changes with the package's Python files."""
    found = ((path, path.stat()) for path in sorted(PACKAGE.rglob("*.py")))
    stamps = [(str(path), status.st_mtime_ns, status.st_size) for path, status in found]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        payload = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None
    return payload if payload.startswith(MAGIC) else None


def _write(payload: bytes, stream: BinaryIO) -> None:
    stream.write(gzip.compress(payload, 5))


def _remove_oldest(folder: Path) -> None:
    """Remove all but the newest: those of former versions, weights and names go first."""
    found = {}
    for path in folder.glob("*.lxp.gz"):
        with contextlib.suppress(OSError):  # Another server removed it.
            found[path] = path.stat().st_mtime_ns
    for path in sorted(found, key=lambda path: -found[path])[MOST_KEPT:]:
        with contextlib.suppress(OSError):
            path.unlink()
