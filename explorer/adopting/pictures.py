"""The images that a model is adopted with: read, fitted to its networks, and kept so that pages
find them.
"""

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.datasets import DATASETS, ImageDataset, is_available, load_dataset
from explorer.datasets.own.read import read_images
from explorer.datasets.own.shelf import Root
from explorer.datasets.own.store import keep_images, list_own
from explorer.errors import ExplorerError
from explorer.models.adopted.reading import Image, fit_images
from explorer.runs.arrays import as_array

ASKED = 2000
"""Images at most, spread evenly over the training split, on which a pair is read."""
LONGEST_NAME = 40


def gather_images(
    images: Any, labels: Any = None, name: str = "images", data_root: Root = None
) -> ImageDataset:
    """Return what is given as a data set.

    `images` is a data set, the name of one, a path that `read_images` takes, or an array or tensor:
    bytes or numbers in [0, 1], [−1, 1] or [0, 255], (N, H, W), (N, C, H, W) or (N, H, W, C).
    `labels` (N,) go with arrays alone. Arrays have no splits.
    """
    if isinstance(images, ImageDataset):
        return images
    if isinstance(images, str | os.PathLike):
        return _find_images(images, data_root)
    array = np.asarray(as_array(images))
    if array.ndim not in (3, 4) or not array.size:
        raise ExplorerError(
            f"Images are an array (N, H, W) or (N, C, H, W); this has the shape {array.shape}."
        )
    usual = array.ndim == 3 or array.shape[1] in (1, 3)
    unit = array.dtype == np.uint8 or (
        array.dtype.kind == "f" and float(array.min()) >= 0 and 0.1 < float(array.max()) <= 1
    )
    if not (usual and unit):
        return _read_array(array, labels, name)
    found = ImageDataset.from_arrays(array, None if labels is None else as_array(labels), name)
    return replace(found, splits={})


def _find_images(images: str | os.PathLike[str], data_root: Root) -> ImageDataset:
    name = os.fspath(images)
    known = isinstance(images, str) and (
        name in DATASETS or name in {own.name for own in list_own(data_root)}
    )
    if known:
        if not is_available(name, data_root):
            raise ExplorerError(
                f"The images {name} are not here: latent-explorer data {name} --download."
            )
        return load_dataset(name, data_root=data_root)
    if not os.path.exists(name):
        raise ExplorerError(
            f"There are no images {name[:80]!r}: give a data set's name, or a folder, .zip, .npz "
            "or .parquet of pictures."
        )
    return read_images(name)


def _read_array(array: np.ndarray, labels: Any, name: str) -> ImageDataset:
    """Read arrays of another range or layout by the rules for files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.npz"
        given = {"images": array} | ({} if labels is None else {"labels": as_array(labels)})
        np.savez(path, allow_pickle=False, **given)
        side = max(array.shape[1:3]) if array.shape[-1] in (1, 3) else max(array.shape[2:])
        return replace(read_images(path, size=side, name=name), splits={})


def choose_asked(dataset: ImageDataset) -> np.ndarray:
    """Return the images on which a pair is read: those that it may have been trained on."""
    split = dataset.split("train" if len(dataset.splits.get("train", ())) else "all")
    rows = np.linspace(0, len(split) - 1, min(len(split), ASKED)).astype(int)
    return np.asarray(split.images[np.unique(rows)])


def fit_dataset(dataset: ImageDataset, shape: Image, fit: str) -> ImageDataset:
    """Return the data set in the size that networks take, under a name that says so."""
    if dataset.shape == shape:
        return dataset
    images = fit_images(np.asarray(dataset.images), shape[1:], fit)
    name = f"{dataset.name[:LONGEST_NAME]}-{fit}-{shape[1]}"
    return replace(dataset, images=images, name=name, known_digest=None)


def keep_dataset(dataset: ImageDataset, data_root: Root = None) -> ImageDataset:
    """Keep the images so that pages find them; what is there already under a name is used."""
    if dataset.name in DATASETS and is_available(dataset.name, data_root):
        ours = load_dataset(dataset.name, data_root=data_root)
        if ours.shape == dataset.shape and ours.pixel_digest == dataset.pixel_digest:
            return dataset
    own = list_own(data_root)
    for one in own:
        if one.pixel_digest == dataset.pixel_digest:
            if one.name == dataset.name:
                return dataset
            # Models of the same images are to be compared, whatever each calls them.
            kept = load_dataset(one.name, data_root=data_root)
            if kept.fingerprint == dataset.fingerprint:
                return kept
    stem = re.sub(r"[^\w.-]+", "-", dataset.name).strip("-.")[:LONGEST_NAME] or "images"
    taken = {name.casefold() for name in (*DATASETS, *(one.name for one in own))}
    name = stem if stem.casefold() not in taken else f"{stem}-{dataset.pixel_digest[:6]}"
    return keep_images(dataset, name, data_root=data_root)
