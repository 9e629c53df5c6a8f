"""The shelf of pixels in a data folder: each file named by its digest, stored once, locked.

    own/sets/NAME/            a data set of one's own (`store.py`)
    own/trained/FINGERPRINT/  images that were trained on from Python (`trained.py`)
    own/pixels/DIGEST.npy     the pixels of either
    own/work/                 what is being read at the moment

The folder `own` lies in the first data folder that can be written (see `explorer.paths`).
"""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.kept import read_description, write_description
from explorer.datasets.own.pixels import make_header
from explorer.datasets.own.workshop import PATIENCE_SECONDS, Workshop
from explorer.datasets.rows import Bytes
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, replace_file
from explorer.paths import data_roots

Root = str | os.PathLike[str] | None

WRITTEN_BYTES = 16 << 20


def writable_home(data_root: Root = None) -> Path:
    """Return the folder `own` of the first data folder that can be written."""
    for home in homes(data_root):
        with contextlib.suppress(ExplorerError):
            make_folder(home / "work")
            if os.access(home / "work", os.W_OK):
                return home
    raise ExplorerError(f"No data folder can be written: {', '.join(map(str, homes(data_root)))}.")


def homes(data_root: Root) -> list[Path]:
    """Return the folders `own` of all data folders, the nearest first."""
    return [Path(root).absolute() / "own" for root in data_roots(data_root)]


def pixel_file(home: Path, digest: str) -> Path:
    """Return where the pixels of this digest lie, or would."""
    return home / "pixels" / f"{digest}.npy"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the shelf alone; ExplorerError where somebody else does for too long."""
    try:
        with FileLock(home / ".lock", timeout=PATIENCE_SECONDS):
            yield
    except Timeout as error:
        raise ExplorerError(f"Somebody else is changing {home}: try again.") from error


def put_up(home: Path, folder: Path, dataset: ImageDataset, pixels: Path | None = None) -> None:
    """Put a data set's pixels, or the file `pixels` of them, and its `folder` there, in one step.

    Whoever calls holds the shelf. Raises ExplorerError where nothing can be written.
    """
    drop_orphans(home)
    _store_pixels(pixel_file(home, dataset.pixel_digest), dataset.images, pixels)
    with Workshop(home / "work") as workshop:
        write_description(workshop.folder / "set", dataset, time.time())
        make_folder(folder.parent)
        try:
            os.rename(workshop.folder / "set", folder)
        except OSError as error:
            raise explain_os_error(error, folder) from error


def _store_pixels(target: Path, images: Bytes, pixels: Path | None = None) -> None:
    """Write images (N, C, H, W), or move the file `pixels` of them, unless they are there."""
    if target.is_file():
        return
    make_folder(target.parent)
    if pixels is not None:
        try:
            os.replace(pixels, target)
            return
        except OSError:
            pass  # Another file system, or Windows, where it is mapped: copied below.

    def write(stream: BinaryIO) -> None:
        stream.write(make_header(images.shape))
        step = max(1, WRITTEN_BYTES // images[:1].size)
        for start in range(0, len(images), step):
            stream.write(images[start : start + step].tobytes())

    replace_file(target, write)


def drop_orphans(home: Path) -> None:
    """Remove pixels that nothing describes; those that are in use (Windows) stay for now."""
    used = set()
    for path in (home / "sets").glob("*"):
        try:
            used.add(f"{read_description(path)['pixels']}.npy")
        except ExplorerError:
            return  # A set that cannot be read may have any of them.
    for path in (home / "trained").glob("*"):
        with contextlib.suppress(ExplorerError):
            used.add(f"{read_description(path)['pixels']}.npy")
    for file in (home / "pixels").glob("*.npy"):
        if file.name not in used:
            with contextlib.suppress(OSError):
                file.unlink()
    # Nobody writes here but behind the lock: these are of somebody who was killed.
    for file in (home / "pixels").glob(".*.part"):
        file.unlink(missing_ok=True)
