"""Drawn data sets on disk: made once, kept in the cache, made again when the file is torn."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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
    try:
        _keep(path, arrays)
    except OSError:
        pass
    return arrays


def _keep(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.stem, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
