"""Drawn data sets on disk: made once, kept in the cache, made again when the file is torn."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


def recall_arrays(path: Path, make: Callable[[], Arrays]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays kept at `path` (.npz), making and keeping them where they are not.

    A file that cannot be read is replaced; a folder that cannot be written only costs the time.
    """
    try:
        # Opened here: numpy leaves a torn file open.
        with open(path, "rb") as file:
            return dict(np.load(file, allow_pickle=False))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = dict(make())
    with contextlib.suppress(OSError):
        _keep(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
    return arrays


def recall_mapped(
    path: Path, shape: tuple[int, ...], make: Callable[[], npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """Return the bytes kept at `path` (.npy) as a map of the file, made and kept as above.

    Where they cannot be kept they are in memory.
    """
    with contextlib.suppress(OSError, ValueError, EOFError):
        return _map(path, shape)
    made = make()
    with contextlib.suppress(OSError, ValueError, EOFError):
        _keep(path, lambda file: np.save(file, made, allow_pickle=False))
        return _map(path, shape)
    return made


def _map(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    found = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(found, np.memmap) or (found.dtype, found.shape) != (np.uint8, shape):
        raise ValueError(f"{path} keeps something else.")
    return found


def _keep(path: Path, write: Callable[[BinaryIO], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.stem, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
