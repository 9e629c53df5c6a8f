"""Images, labels, known factors and splits: what there is, and how to load it.

Nothing here imports torch until a torchvision collection is loaded.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from explorer.datasets import colour_shapes
from explorer.datasets.digits import load_digits
from explorer.datasets.external import Progress, ensure_root, find_root, load_collection
from explorer.datasets.images import ImageDataset, Split
from explorer.datasets.mnist200 import load_mnist200
from explorer.datasets.own.store import describe_own, find_own, load_own
from explorer.datasets.shapes import load_shapes
from explorer.datasets.strokes import load_strokes, name_file
from explorer.errors import ExplorerError
from explorer.paths import cache_folder

__all__ = [
    "DATASETS",
    "Entry",
    "ImageDataset",
    "Progress",
    "Split",
    "image_shape",
    "is_available",
    "load_dataset",
    "opens_at_once",
]


@dataclass(frozen=True)
class Entry:
    """What is known about a data set before it is loaded."""

    load: Callable[[Path], ImageDataset]
    """Called with the folder of its files: the cache when offline, else the data root."""
    description: str
    offline: bool
    """Whether it needs no network, ever; otherwise it is found or downloaded."""
    shape: tuple[int, int, int]
    """(C, H, W) of one image."""
    kept_as: str = ""
    """The file in the folder that keeps what takes long to draw; none where a page may wait."""
    handwriting: bool = False
    """What is drawn for its models by hand is centred by its mass, as these images are."""
    credit: str = ""
    """Whose images they are, where a licence asks that whoever passes them on says so."""


MNIST_CREDIT = (
    "MNIST: Y. LeCun and C. Cortes, derived from NIST’s databases, CC BY-SA 3.0 "
    "(creativecommons.org/licenses/by-sa/3.0)"
)

DATASETS = {
    "digits": Entry(
        load=lambda folder: load_digits(),
        description="1,797 real handwritten digits of 8 × 8 pixels, from scikit-learn",
        offline=True,
        shape=(1, 8, 8),
        handwriting=True,
    ),
    "strokes": Entry(
        load=load_strokes,
        description="20,000 digits of 28 × 28 pixels that look handwritten, drawn with known "
        "slant, thickness, size, rotation and curvature",
        offline=True,
        shape=(1, 28, 28),
        kept_as=name_file(),
        handwriting=True,
    ),
    "shapes": Entry(
        load=lambda folder: load_shapes(),
        description="15,552 squares, ellipses and hearts of 32 × 32 pixels with known scale, "
        "rotation and place",
        offline=True,
        shape=(1, 32, 32),
    ),
    "colour-shapes": Entry(
        load=colour_shapes.load_colour_shapes,
        description="10,000 squares, ellipses and hearts in colour, of 64 × 64 pixels, with known "
        "hue, size, rotation and place",
        offline=True,
        shape=(3, 64, 64),
    ),
    "mnist-200": Entry(
        load=lambda folder: load_mnist200(),
        description="200 real handwritten digits of 28 × 28 pixels, twenty of each, from the test "
        "images of MNIST",
        offline=True,
        shape=(1, 28, 28),
        handwriting=True,
        credit=MNIST_CREDIT,
    ),
    "mnist": Entry(
        load=partial(load_collection, "mnist"),
        description="70,000 real handwritten digits of 28 × 28 pixels",
        offline=False,
        shape=(1, 28, 28),
        handwriting=True,
        credit=MNIST_CREDIT,
    ),
    "fashion-mnist": Entry(
        load=partial(load_collection, "fashion-mnist"),
        description="70,000 photographs of clothes of 28 × 28 pixels",
        offline=False,
        shape=(1, 28, 28),
    ),
    "kmnist": Entry(
        load=partial(load_collection, "kmnist"),
        description="70,000 handwritten Japanese characters of 28 × 28 pixels",
        offline=False,
        shape=(1, 28, 28),
        handwriting=True,
    ),
}

_loading = threading.Lock()


def load_dataset(
    name: str,
    *,
    data_root: str | os.PathLike[str] | None = None,
    download: bool = False,
    progress: Progress | None = None,
) -> ImageDataset:
    """Return a data set by its name in DATASETS, or one of the visitor's own, kept in memory.

    A collection that needs the network is searched in `data_root`, LATENT_EXPLORER_DATA and the
    cache, and downloaded only with `download=True`, telling `progress` (name, bytes done, bytes in
    total) in the caller's thread. Raises ExplorerError for an unknown name or an absent collection.
    """
    if name not in DATASETS and find_own(name, data_root) is not None:
        return load_own(name, data_root)
    entry = _find_entry(name)
    # One at a time: two pages that open together must not draw or download the same images twice.
    with _loading:
        if entry.offline:
            return _load(name, cache_folder() / "datasets")
        return _load(name, ensure_root(name, data_root, download, progress))


def is_available(name: str, data_root: str | os.PathLike[str] | None = None) -> bool:
    """Return whether a data set can be loaded without the network, by a look at its files.

    Raises ExplorerError for an unknown name.
    """
    if name not in DATASETS and find_own(name, data_root) is not None:
        return True
    return _find_entry(name).offline or find_root(name, data_root) is not None


def opens_at_once(name: str) -> bool:
    """Tell whether one of our data sets, if it is at hand, needs no long drawing."""
    kept_as = DATASETS[name].kept_as
    return not kept_as or (cache_folder() / "datasets" / kept_as).is_file()


def image_shape(name: str, data_root: str | os.PathLike[str] | None = None) -> tuple[int, int, int]:
    """Return the shape (C, H, W) of a data set's images without loading them.

    Raises ExplorerError for an unknown name.
    """
    if name not in DATASETS and find_own(name, data_root) is not None:
        return describe_own(name, data_root).shape
    return _find_entry(name).shape


@lru_cache(maxsize=8)
def _load(name: str, folder: Path) -> ImageDataset:
    return DATASETS[name].load(folder)


def _find_entry(name: str) -> Entry:
    if name not in DATASETS:
        raise ExplorerError(f"There is no data set '{name}': choose {', '.join(DATASETS)}.")
    return DATASETS[name]
