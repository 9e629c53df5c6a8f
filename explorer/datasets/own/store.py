"""Your own data sets, kept once: descriptions by name, pixels by their digest, mapped when used.

    own/sets/NAME/        dataset.json, rows.npz, names.txt
    own/pixels/DIGEST.npy
    own/work/             what is being read at the moment

The folder `own` lies in the first data folder that can be written (see `explorer.paths`).
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from explorer.datasets.images import Bytes, ImageDataset
from explorer.datasets.own.kept import open_kept, read_description, write_description
from explorer.datasets.own.pixels import make_header
from explorer.datasets.own.workshop import PATIENCE_SECONDS, Workshop
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, replace_file
from explorer.paths import data_roots

Root = str | os.PathLike[str] | None

NAMES = re.compile(r"\w[\w.-]{0,59}")
RESERVED = {"add", "remove"}
WRITTEN_BYTES = 16 << 20


@dataclass(frozen=True)
class OwnSet:
    """What is known of one's own data set before it is opened."""

    name: str
    images: int
    shape: tuple[int, int, int]
    """(C, H, W) of one image."""
    class_names: tuple[str, ...]
    factors: tuple[str, ...]
    pixel_digest: str
    created: float
    """Unix seconds."""
    source: str
    """The file or folder that it came from; empty where it came from arrays."""
    folder: Path


class Pending:
    """Images that were read and lie in a workshop until they are kept or let go.

    Used in a `with` statement they are let go at its end, unless they were kept.
    """

    def __init__(self, workshop: Workshop, data_root: Root) -> None:
        self._workshop = workshop
        self._data_root = data_root
        self.dataset = open_kept(workshop.folder, workshop.folder / "pixels.npy")

    def keep(self, name: str) -> ImageDataset:
        """Keep them as the data set `name`, as `keep_images` does, and return it."""
        pixels = self._workshop.folder / "pixels.npy"
        kept = keep_images(self.dataset, name, data_root=self._data_root, pixels=pixels)
        self._workshop.close()
        return kept

    def discard(self) -> None:
        """Let them go, with their files."""
        self._workshop.close()

    def __enter__(self) -> "Pending":
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()


def list_own(data_root: Root = None) -> list[OwnSet]:
    """Return one's own data sets by name; of two of one name that of the nearest data folder."""
    found: dict[str, OwnSet] = {}
    for home in _homes(data_root):
        for path in sorted((home / "sets").glob("*/dataset.json")):
            with contextlib.suppress(ExplorerError, KeyError, TypeError):
                found.setdefault(path.parent.name, _describe(path.parent))
    return sorted(found.values(), key=lambda entry: entry.name.casefold())


def describe_own(name: str, data_root: Root = None) -> OwnSet:
    """Return what is known of one's own data set; ExplorerError where there is none."""
    return _describe(_need(name, data_root))


def find_own(name: str, data_root: Root = None) -> Path | None:
    """Return the folder of one's own data set `name`, None where there is none."""
    if NAMES.fullmatch(name):
        for home in _homes(data_root):
            if (home / "sets" / name).is_dir():
                return home / "sets" / name
    return None


def load_own(name: str, data_root: Root = None) -> ImageDataset:
    """Return one's own data set, memory-mapped; ExplorerError where it is not there or damaged."""
    folder = _need(name, data_root)
    digest = str(read_description(folder).get("pixels"))
    return open_kept(folder, _pixels(folder.parents[1], digest))


def keep_images(
    dataset: ImageDataset, name: str, *, data_root: Root = None, pixels: Path | None = None
) -> ImageDataset:
    """Keep a data set under `name` and return it as kept.

    `pixels`, where given, is a .npy file of its images in the same data folder; it is moved, not
    copied. Equal pixels are stored once, whatever they are called. Keeping the same again is no
    error; raises ExplorerError for a name that is taken, or none, and where nothing can be written.
    """
    check_name(name)
    home = writable_home(data_root)
    kept = replace(dataset, name=name, known_digest=dataset.pixel_digest)
    with _locked(home):
        folder = home / "sets" / name
        if taken := _taken(home, name):
            there = open_kept(taken, _pixels(home, read_description(taken)["pixels"]))
            same = there.class_names == kept.class_names
            if same and there.name == name and there.fingerprint == kept.fingerprint:
                return there
            raise ExplorerError(
                f"There is a data set '{taken.name}' already: choose another name, or remove it "
                f"first (latent-explorer data remove {taken.name})."
            )
        _drop_orphans(home)
        _store_pixels(_pixels(home, kept.pixel_digest), kept.images, pixels)
        with Workshop(home / "work") as workshop:
            write_description(workshop.folder / "set", kept, time.time())
            make_folder(folder.parent)
            try:
                os.rename(workshop.folder / "set", folder)
            except OSError as error:
                raise explain_os_error(error, folder) from error
        return open_kept(folder, _pixels(home, kept.pixel_digest))


def remove_own(name: str, data_root: Root = None) -> None:
    """Remove one's own data set, and its pixels where no other set has the same."""
    folder = _need(name, data_root)
    home = folder.parents[1]
    with _locked(home):
        try:
            with Workshop(home / "work") as workshop:
                # Gone in one step, whatever happens to the rest.
                os.rename(folder, workshop.folder / "set")
        except OSError as error:
            raise explain_os_error(error, folder) from error
        _drop_orphans(home)


def check_name(name: str) -> None:
    """Raise ExplorerError for what cannot be a data set's name, or is one of ours."""
    from explorer.datasets import DATASETS

    if not NAMES.fullmatch(name):
        raise ExplorerError(
            f"{name!r} is no name for a data set: take up to 60 letters, digits, - and _."
        )
    if name.casefold() in DATASETS:
        raise ExplorerError(f"'{name}' is a data set of Latent Explorer: choose another name.")
    if name.casefold() in RESERVED:
        raise ExplorerError(f"'{name}' is a word of the command line: choose another name.")


def writable_home(data_root: Root = None) -> Path:
    """Return the folder `own` of the first data folder that can be written."""
    for home in _homes(data_root):
        with contextlib.suppress(ExplorerError):
            make_folder(home / "work")
            if os.access(home / "work", os.W_OK):
                return home
    raise ExplorerError(f"No data folder can be written: {', '.join(map(str, _homes(data_root)))}.")


def _homes(data_root: Root) -> list[Path]:
    return [Path(root).absolute() / "own" for root in data_roots(data_root)]


def _pixels(home: Path, digest: str) -> Path:
    return home / "pixels" / f"{digest}.npy"


def _need(name: str, data_root: Root) -> Path:
    folder = find_own(name, data_root)
    if folder is None:
        names = ", ".join(entry.name for entry in list_own(data_root)) or "none yet"
        raise ExplorerError(f"You have no data set '{name}' of your own; there are: {names}.")
    return folder


def _describe(folder: Path) -> OwnSet:
    values = read_description(folder)
    channels, height, width = values["shape"]
    return OwnSet(
        name=folder.name,
        images=values["images"],
        shape=(channels, height, width),
        class_names=tuple(values["class_names"]),
        factors=tuple(values["factors"]),
        pixel_digest=values["pixels"],
        created=values["created"],
        source=(values["report"] or {}).get("source", ""),
        folder=folder,
    )


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        with FileLock(home / ".lock", timeout=PATIENCE_SECONDS):
            yield
    except Timeout as error:
        raise ExplorerError(f"Somebody else is changing {home}: try again.") from error


def _taken(home: Path, name: str) -> Path | None:
    """Return the set that has this name already; file systems may not tell a from A."""
    there = (home / "sets").iterdir() if (home / "sets").is_dir() else ()
    return next((path for path in there if path.name.casefold() == name.casefold()), None)


def _store_pixels(target: Path, images: Bytes, pixels: Path | None) -> None:
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


def _drop_orphans(home: Path) -> None:
    """Remove pixels that no set has any more; those that are in use (Windows) stay for now."""
    used = set()
    for path in (home / "sets").glob("*"):
        try:
            used.add(f"{read_description(path)['pixels']}.npy")
        except ExplorerError:
            return  # A set that cannot be read may have any of them.
    for file in (home / "pixels").glob("*.npy"):
        if file.name not in used:
            with contextlib.suppress(OSError):
                file.unlink()
    # Nobody writes here but behind the lock: these are of somebody who was killed.
    for file in (home / "pixels").glob(".*.part"):
        file.unlink(missing_ok=True)
