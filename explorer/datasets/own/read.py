"""Anyone's pictures as a data set: from a folder, a zip archive, arrays or Parquet files."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from explorer.archives import zips
from explorer.datasets.images import ImageDataset
from explorer.datasets.own.arrays import open_arrays
from explorer.datasets.own.assemble import Reading, explain_nothing, make_dataset
from explorer.datasets.own.files import open_folder, open_zip
from explorer.datasets.own.parquet import find_parquet, open_parquet
from explorer.datasets.own.pictures import SUFFIXES, quiet_pillow
from explorer.datasets.own.pixels import PixelFile
from explorer.datasets.own.rules import Seen, Wish
from explorer.datasets.own.source import Source
from explorer.datasets.own.splits import complete_splits
from explorer.datasets.report import ReadingStopped
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError

Progress = Callable[[int, int], None]
"""Called now and then with the number of pictures looked at and that of all there are."""
Stop = Callable[[], bool]
"""Asked now and then; once it answers True, the reading ends with a ReadingStopped."""

STRANGE = {
    ".csv": "give the folder that holds the table and its pictures",
    ".tsv": "give the folder that holds the table and its pictures",
    **dict.fromkeys(
        (".pkl", ".pickle", ".pt", ".pth", ".h5", ".hdf5", ".mat", ".tfrecord"),
        "save its arrays with numpy.savez and give the .npz file",
    ),
    **dict.fromkeys(zips.ARCHIVES, "unpack it and give the folder, or pack it as an ordinary .zip"),
    **dict.fromkeys((".zip", ".npz", ".npy", ".parquet"), "it is broken, or not what it is called"),
    **dict.fromkeys(SUFFIXES, "it is one picture; give a folder or a .zip of pictures"),
}
"""What to do with files that are not read, by their suffix."""


def read_images(
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    fit: str = "crop",
    channels: int | None = None,
    background: int = 0,
    name: str | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> ImageDataset:
    """Return the pictures at `path` as a data set: memory-mapped bytes, labels, factors, splits.

    `path` is a folder or .zip of pictures (PNG, JPEG, WebP, GIF, BMP, TIFF; in folders by class, by
    train, val and test, or flat, with metadata.csv or labels.csv), a .npz or .npy of arrays, or
    Parquet as Hugging Face writes it. `size` in pixels, or (height, width): by default the
    pictures' own where they agree and are at most 128, else 64. `fit`: crop, pad or resize.
    `channels`: 1, 3, or by default 3 where any picture has colour. `background`: the grey, 0 to
    255, behind transparent pixels and in margins.

    The pixels go to a file that is gone with the data set; memory holds little more than one
    picture at a time. `names` tells what each row was called, `report` what came in, what was left
    out and why. Raises ExplorerError in one sentence where nothing can be read, and ReadingStopped
    once `stop()` is true.
    """
    wish = Wish(size, fit, channels, background)
    folder = Path(tempfile.gettempdir())
    with tempfile.TemporaryFile(dir=folder) as file:
        return read_into(file, folder, Path(path), wish, name, progress, stop)


def read_into(
    file: IO[bytes],
    folder: Path,
    path: Path,
    wish: Wish,
    name: str | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> ImageDataset:
    """Do as `read_images`, with the pixels going to an open file in `folder`, as .npy."""

    def check() -> None:
        if stop is not None and stop():
            raise ReadingStopped("The reading was stopped.")

    try:
        with quiet_pillow(), _open_source(path, check) as source:
            if not len(source):
                raise explain_nothing(path.name, source.left_out)
            splits, order = _plan(source)
            seen = Seen(wish)
            reading = None
            while reading is None:
                reading = _read_once(file, folder, source, order, seen, progress, check)
            title = name or re.sub(r"[^\w.-]+", "-", path.resolve().stem).strip("-.") or "own"
            return make_dataset(title, path.name, source, reading, seen, splits)
    except OSError as error:
        raise ExplorerError(f"{path} cannot be read: {error.strerror or error}.") from error


def _plan(source: Source) -> tuple[Ints | None, Ints]:
    """Return the splits of the source's rows and the order to read them in.

    Files are read split by split, so that each split is one stretch of the map and needs no copy.
    Arrays keep their order: their users know the images by it.
    """
    order = np.arange(len(source), dtype=np.int64)
    if source.sequential or len(source) < 3:
        return None, order
    splits, _ = complete_splits(source.splits, source.strata())
    return splits, np.argsort(splits, kind="stable")


def _read_once(
    file: IO[bytes],
    folder: Path,
    source: Source,
    order: Ints,
    seen: Seen,
    progress: Progress | None,
    check: Callable[[], None],
) -> Reading | None:
    """Read all pictures by the rules that those before them speak for; None if one changes these.

    Pictures of one size, all grey, of few bits: what holds for the first is taken to hold for all,
    and is nearly always right. Where it is not, everything is read again by what is known then.
    """
    reading = Reading()
    done = 0
    for block in source.blocks(order, seen.target):
        check()
        if block.refused is not None:
            refused = block.refused
            reading.left_out.add(source.names[block.first], refused.reason, refused.detail)
            done += 1
        else:
            assert block.pixels is not None
            seen.add(block)
            rules = seen.rules()
            if reading.rules is None:
                reading.rules = rules
                reading.pixels = PixelFile(file, folder, (rules.channels, *rules.size))
                reading.pixels.check_room(len(source))
            elif rules != reading.rules:
                return None
            reading.append(block, seen.wish)
            done += len(block.pixels)
        if progress is not None:
            progress(done, len(source))
    return reading


@contextmanager
def _open_source(path: Path, check: Callable[[], None]) -> Iterator[Source]:
    """Open what lies at `path` by what it is, not by what it is called."""
    if path.is_dir():
        tables = find_parquet(path)
        with open_parquet(tables) if tables else open_folder(path, check) as source:
            yield source
        return
    if not path.is_file():
        raise ExplorerError(f"There is no file and no folder at {path}.")
    with open(path, "rb") as file:
        beginning = file.read(6)
    if beginning == b"\x93NUMPY":
        opened = open_arrays(path, None)
    elif beginning.startswith(b"PAR1"):
        opened = open_parquet([path])
    elif beginning.startswith(b"PK"):
        opened = _open_zip(path)
    else:
        advice = STRANGE.get(
            path.suffix.lower(), "give a folder, a .zip, a .npz or a .parquet file"
        )
        raise ExplorerError(f"{path.name} is not read as it is: {advice}.")
    with opened as source:
        yield source


@contextmanager
def _open_zip(path: Path) -> Iterator[Source]:
    """Open a zip archive: of arrays if it is called .npz or holds nothing else, or of pictures."""
    with zips.open_zip(path, path.name) as archive:
        files = [member.filename for member in archive.infolist() if not zips.is_folder(member)]
        arrays = bool(files) and all(file.endswith(".npy") for file in files)
        arrays = arrays or path.suffix.lower() == ".npz"
        with open_arrays(path, archive) if arrays else open_zip(archive) as source:
            yield source
