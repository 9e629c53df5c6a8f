"""Images that were trained on from Python and that no data set holds, kept so that a run can go on.

    own/trained/FINGERPRINT/  dataset.json, rows.npz, names.txt

They have no name and stand in no list: runs find them by what they are. The fingerprint is of
pixels, labels and splits; `shelf.py` tells where the pixels lie. A data folder keeps KEPT_BYTES of
them in all: those that were trained on longest ago go first, and larger ones are not kept, so that
such a run goes on from Python alone.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.kept import open_kept, read_description
from explorer.datasets.own.shelf import Root, homes, locked, pixel_file, put_up, writable_home
from explorer.errors import ExplorerError

KEPT_BYTES = 64_000_000
FINGERPRINT = re.compile("[0-9a-f]{32}")


def keep_trained(dataset: ImageDataset, data_root: Root = None) -> bool:
    """Keep what a run is trained on and return True; False where it is too large.

    Raises ExplorerError where nothing can be written.
    """
    if dataset.images.nbytes > KEPT_BYTES:
        return False
    if load_trained(dataset.fingerprint, data_root) is not None:
        return True
    home = writable_home(data_root)
    folder = home / "trained" / dataset.fingerprint
    with locked(home):
        _remove(folder)  # Of somebody else meanwhile, or damaged.
        _make_room(home, dataset.images.nbytes)
        put_up(home, folder, dataset)
    return True


def load_trained(fingerprint: str, data_root: Root = None) -> ImageDataset | None:
    """Return the kept images of this fingerprint, memory-mapped; None where they are not there."""
    if not FINGERPRINT.fullmatch(fingerprint):
        return None
    for home in homes(data_root):
        folder = home / "trained" / fingerprint
        with contextlib.suppress(ExplorerError):
            digest = str(read_description(folder)["pixels"])
            found = open_kept(folder, pixel_file(home, digest))
            with contextlib.suppress(OSError):  # It may be another's, or read-only.
                os.utime(folder)  # What was asked for last is the last to go.
            return found
    return None


def forget_trained(home: Path, digest: str) -> None:
    """Forget what was kept of these pixels; whoever calls holds the shelf and drops orphans."""
    for folder in (home / "trained").glob("*"):
        with contextlib.suppress(ExplorerError):
            if read_description(folder)["pixels"] == digest:
                _remove(folder)


def _make_room(home: Path, needed: int) -> None:
    """Let those go that were asked for longest ago, until so many bytes have room."""
    kept = {folder: folder.stat().st_mtime for folder in (home / "trained").glob("*")}
    for folder in sorted(kept, key=lambda folder: kept[folder], reverse=True):
        needed += _count_bytes(home, folder)
        if needed > KEPT_BYTES:
            _remove(folder)


def _count_bytes(home: Path, folder: Path) -> int:
    """Return how large the pixels are; of what cannot be read, more than is kept."""
    try:
        return pixel_file(home, str(read_description(folder)["pixels"])).stat().st_size
    except (ExplorerError, OSError):
        return KEPT_BYTES + 1


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
