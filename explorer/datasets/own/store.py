"""Your own data sets, kept once: descriptions by name, pixels by their digest, mapped when used.

    own/sets/NAME/        dataset.json, rows.npz, names.txt

`shelf.py` tells where their pixels lie.
"""

import contextlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.kept import open_kept, read_description
from explorer.datasets.own.shelf import (
    Root,
    drop_orphans,
    homes,
    locked,
    pixel_file,
    put_up,
    writable_home,
)
from explorer.datasets.own.trained import forget_trained, load_trained
from explorer.datasets.own.workshop import Workshop
from explorer.errors import ExplorerError
from explorer.files import explain_os_error

NAMES = re.compile(r"\w[\w.-]{0,59}")
RESERVED = {"add", "remove"}


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
    for home in homes(data_root):
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
        for home in homes(data_root):
            if (home / "sets" / name).is_dir():
                return home / "sets" / name
    return None


def load_own(name: str, data_root: Root = None) -> ImageDataset:
    """Return one's own data set, memory-mapped; ExplorerError where it is not there or damaged."""
    folder = _need(name, data_root)
    digest = str(read_description(folder).get("pixels"))
    return open_kept(folder, pixel_file(folder.parents[1], digest))


def load_held(pixels: str, fingerprint: str = "", data_root: Root = None) -> ImageDataset | None:
    """Return the kept images of this pixel digest, whatever they are called; None without any.

    Of several with the same pixels it is that with the fingerprint's labels and splits. A set that
    is damaged is none.
    """
    trained = load_trained(fingerprint, data_root)
    if trained is not None and trained.pixel_digest == pixels:
        return trained
    found = []
    for own in list_own(data_root):
        if own.pixel_digest == pixels:
            with contextlib.suppress(ExplorerError):
                found.append(load_own(own.name, data_root))
    if len(found) > 1:  # Else the pixels need not be read.
        found.sort(key=lambda dataset: dataset.fingerprint != fingerprint)
    return found[0] if found else None


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
    with locked(home):
        folder = home / "sets" / name
        if taken := _taken(home, name):
            there = open_kept(taken, pixel_file(home, read_description(taken)["pixels"]))
            same = there.class_names == kept.class_names
            if same and there.name == name and there.fingerprint == kept.fingerprint:
                return there
            raise ExplorerError(
                f"There is a data set '{taken.name}' already: choose another name, or remove it "
                f"first (latent-explorer data remove {taken.name})."
            )
        put_up(home, folder, kept, pixels)
        return open_kept(folder, pixel_file(home, kept.pixel_digest))


def remove_own(name: str, data_root: Root = None) -> None:
    """Remove one's own data set, and its pixels where no other set has the same.

    What a training kept of the same pixels goes with it.
    """
    folder = _need(name, data_root)
    home = folder.parents[1]
    digest = None
    with contextlib.suppress(ExplorerError):
        digest = read_description(folder)["pixels"]
    with locked(home):
        try:
            with Workshop(home / "work") as workshop:
                # Gone in one step, whatever happens to the rest.
                os.rename(folder, workshop.folder / "set")
        except OSError as error:
            raise explain_os_error(error, folder) from error
        if digest is not None and digest not in {own.pixel_digest for own in list_own(data_root)}:
            forget_trained(home, digest)
        drop_orphans(home)


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


def _taken(home: Path, name: str) -> Path | None:
    """Return the set that has this name already; file systems may not tell a from A."""
    there = (home / "sets").iterdir() if (home / "sets").is_dir() else ()
    return next((path for path in there if path.name.casefold() == name.casefold()), None)
