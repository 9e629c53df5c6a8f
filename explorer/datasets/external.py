"""MNIST and its relatives, through torchvision: found where they lie, downloaded on request."""

import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.datasets.images import ImageDataset
from explorer.errors import ExplorerError
from explorer.paths import data_roots

Progress = Callable[[str, int, int], None]
"""Called now and then with (data set, bytes done, bytes in total) of the compressed archives."""

FILES = tuple(
    f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)
VALIDATION = 5_000


@dataclass(frozen=True)
class Collection:
    """One of torchvision's data sets in MNIST's format."""

    torchvision_class: str
    class_names: tuple[str, ...]
    archive_bytes: int
    """Size of the four archives; torchvision pins their checksums but does not tell their size."""


COLLECTIONS = {
    "mnist": Collection("MNIST", tuple("0123456789"), 11_594_722),
    "fashion-mnist": Collection(
        "FashionMNIST",
        (
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        30_878_645,
    ),
    "kmnist": Collection(
        "KMNIST", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"), 21_240_888
    ),
}


def find_root(name: str, data_root: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the first data root that holds the files of a collection, or None."""
    for root in data_roots(data_root):
        if all(os.path.isfile(_raw_folder(name, root) / file) for file in FILES):
            return root
    return None


def ensure_root(
    name: str,
    data_root: str | os.PathLike[str] | None = None,
    download: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Return the root that holds a collection, downloading it only where that was asked for.

    Raises ExplorerError when it is absent and not to be downloaded, or cannot be.
    """
    if root := find_root(name, data_root):
        return root
    if not download:
        raise ExplorerError(_say_absent(name, data_root))
    return _download(name, data_root, progress)


def _say_absent(name: str, data_root: str | os.PathLike[str] | None) -> str:
    """Say what was looked for and where, and where files that lie nearly right belong."""
    first = data_roots(data_root)[0]
    wanted = _raw_folder(name, first)
    misplaced = _find_misplaced(name, first)
    if misplaced is not None:
        return (
            f"'{name}' is not where it is looked for: {misplaced} belongs at {wanted / FILES[0]}, "
            "and the other three files beside it."
        )
    return (
        f"'{name}' is not on this computer: there is no {wanted / FILES[0]}. Allow its download "
        f"({COLLECTIONS[name].archive_bytes / 1e6:.0f} MB), point LATENT_EXPLORER_DATA or "
        "--data-root at the folder above, or take 'digits', 'mnist-200', 'strokes' or 'shapes', "
        "which need no network."
    )


def _find_misplaced(name: str, root: Path) -> Path | None:
    """Return the training images where people put them by hand: loose, packed, named with a dot."""
    raw = _raw_folder(name, root)
    names = [FILES[0], FILES[0].replace("-idx", ".idx")]
    names += [f"{file}.gz" for file in names]
    for folder in (raw, raw.parent, root, root / "raw"):
        for file in names:
            path = folder / file
            if path != raw / FILES[0] and os.path.isfile(path):
                return path
    return None


def load_collection(name: str, root: Path) -> ImageDataset:
    """Return a collection of 70,000 images of 28 × 28 pixels from its root.

    Ids 0..59,999 are the training rows in their published order, the last 5,000 of them the
    validation split (the published order is already shuffled, and consecutive rows need no copy);
    ids 60,000..69,999 are the test rows. Raises ExplorerError when the files cannot be read.
    """
    reader = _torchvision_class(name)
    try:
        parts = [reader(root=str(root), train=train, download=False) for train in (True, False)]
    except Exception as error:
        raise ExplorerError(
            f"The files of '{name}' in {_raw_folder(name, root)} cannot be read "
            f"({_one_line(error)}): delete them and download them again."
        ) from error
    train, test = (part.data.numpy() for part in parts)
    first = max(1, len(train) - VALIDATION)
    return ImageDataset(
        name=name,
        images=np.concatenate([train, test])[:, None],
        labels=np.concatenate([part.targets.numpy() for part in parts]),
        class_names=COLLECTIONS[name].class_names,
        splits={
            "train": np.arange(first),
            "validation": np.arange(first, len(train)),
            "test": np.arange(len(train), len(train) + len(test)),
        },
    )


def _download(
    name: str, data_root: str | os.PathLike[str] | None, progress: Progress | None
) -> Path:
    root, workshop = _open_workshop(data_root)
    try:
        collection = _torchvision_class(name)
        with ThreadPoolExecutor(1) as thread:
            # torchvision reports no progress: its files are watched from the caller's thread.
            fetching: Future[Any] = thread.submit(collection, root=str(workshop), download=True)
            while not wait([fetching], timeout=0.2).done:
                _report(name, workshop, progress)
        fetching.result()
        folder = _raw_folder(name, root)
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            os.replace(_raw_folder(name, workshop) / file, folder / file)
    except (RuntimeError, OSError) as error:
        raise ExplorerError(
            f"'{name}' could not be downloaded ({_one_line(error)}); 'digits', 'strokes' and "
            "'shapes' need no network."
        ) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    if progress:
        total = COLLECTIONS[name].archive_bytes
        progress(name, total, total)
    return root


def _open_workshop(data_root: str | os.PathLike[str] | None) -> tuple[Path, Path]:
    """Return the first writable data root and a new folder inside it.

    On the same file system, so that a finished file is moved into place in one step.
    """
    roots = data_roots(data_root)
    for root in roots:
        try:
            root.mkdir(parents=True, exist_ok=True)
            return root, Path(tempfile.mkdtemp(prefix=".downloading-", dir=root))
        except OSError:
            continue
    raise ExplorerError(f"No data folder can be written: {', '.join(map(str, roots))}.")


def _report(name: str, workshop: Path, progress: Progress | None) -> None:
    if progress:
        total = COLLECTIONS[name].archive_bytes
        done = sum(archive.stat().st_size for archive in workshop.rglob("*.gz"))
        progress(name, min(done, total), total)


def _raw_folder(name: str, root: Path) -> Path:
    return root / COLLECTIONS[name].torchvision_class / "raw"


def _torchvision_class(name: str) -> Any:
    from explorer.datasets.torchvision_mend import import_datasets

    return getattr(import_datasets(), COLLECTIONS[name].torchvision_class)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
