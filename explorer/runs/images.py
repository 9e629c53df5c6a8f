"""The images that a run was made from: known by their pixels, never by their name alone.

A name says little: any images may call themselves "mnist", and a data set of one's own may be
renamed. So whoever trains a run, or shows it, finds its images by their digest; by their name only
ours are looked for, and then compared.
"""

import numpy as np

from explorer.datasets import DATASETS, ImageDataset, is_available, load_dataset, opens_at_once
from explorer.datasets.own.shelf import Root
from explorer.datasets.own.store import load_held
from explorer.datasets.own.trained import keep_trained
from explorer.errors import ExplorerError
from explorer.runs.info import DatasetInfo


def describe_dataset(dataset: ImageDataset) -> DatasetInfo:
    """Return what a run says of its images."""
    return DatasetInfo(
        dataset.name,
        dataset.shape,
        tuple(dataset.class_names),
        dataset.fingerprint,
        dataset.pixel_digest,
    )


def is_named(known: DatasetInfo | None) -> bool:
    """Tell whether a run says enough of its images to find them again."""
    return known is not None and bool(known.pixels or known.fingerprint)


def is_made_from(known: DatasetInfo, dataset: ImageDataset) -> bool:
    """Tell whether a data set has the pixels that a run was made from."""
    if tuple(dataset.shape) != tuple(known.shape):
        return False
    if known.pixels:
        return known.pixels == dataset.pixel_digest
    return bool(known.fingerprint) and known.fingerprint == dataset.fingerprint


def find_images_of(
    known: DatasetInfo | None, data_root: Root = None, *, at_once: bool = False
) -> ImageDataset | None:
    """Return the images that a run says it was made from, None where they are not at hand.

    Older runs have no digest of the pixels, but a fingerprint. `at_once` leaves out what would have
    to be drawn first.
    """
    if known is None or not is_named(known):
        return None
    held = load_held(known.pixels, known.fingerprint, data_root) if known.pixels else None
    if held is not None and held.fingerprint == known.fingerprint:
        return held
    if not _may_be_ours(known, data_root) or (at_once and is_to_be_drawn(known)):
        return held
    # The same pixels may have been kept with other labels or splits: ours go before those.
    dataset = load_dataset(known.name, data_root=data_root)
    return dataset if is_made_from(known, dataset) else held


def may_be_at_hand(known: DatasetInfo | None, data_root: Root = None) -> bool:
    """Tell by a look at files whether a run's images seem to be at hand; ours are not compared."""
    if known is None:
        return False
    if _may_be_ours(known, data_root):
        return True
    return bool(known.pixels) and load_held(known.pixels, known.fingerprint, data_root) is not None


def is_to_be_drawn(known: DatasetInfo) -> bool:
    """Tell whether images of ours, that may be the run's, would have to be drawn first."""
    return _may_be_ours(known) and not opens_at_once(known.name)


def need_images_of(known: DatasetInfo, data_root: Root = None) -> ImageDataset:
    """Return the images to go on with; ExplorerError where they are not at hand, or others now."""
    dataset = find_images_of(known, data_root)
    if dataset is None:
        raise explain_missing(known)
    check_same_images(known, dataset)
    return dataset


def explain_missing(known: DatasetInfo) -> ExplorerError:
    """Return what to do where a run's images are not at hand."""
    _, height, width = known.shape
    return ExplorerError(
        f"The images of this run ('{known.name}', {height} × {width} pixels) are not at hand: add "
        "them again (latent-explorer data add), or go on from Python with train(images=…)."
    )


def check_same_images(known: DatasetInfo | None, dataset: ImageDataset) -> None:
    """Raise ExplorerError unless a data set has the pixels, labels and splits of a run's."""
    if known is None or not is_named(known):
        return
    whole = not known.fingerprint or known.fingerprint == dataset.fingerprint
    if not whole or not is_made_from(known, dataset):
        raise ExplorerError(
            "The run was started on other images, or with other labels or splits: go on with "
            "those, or choose another folder."
        )


def keep_images_for(dataset: ImageDataset, data_root: Root = None) -> bool:
    """Keep images that were given as they are, so that their run can go on; tell whether it can.

    What a data set holds already is not kept twice. Raises ExplorerError where nothing can be
    written.
    """
    found = find_images_of(describe_dataset(dataset), data_root, at_once=True)
    if found is not None and _same_rows(found, dataset):
        return True
    return keep_trained(dataset, data_root)


def _may_be_ours(known: DatasetInfo, data_root: Root = None) -> bool:
    return (
        known.name in DATASETS
        and DATASETS[known.name].shape == tuple(known.shape)
        and is_available(known.name, data_root)
    )


def _same_rows(one: ImageDataset, other: ImageDataset) -> bool:
    """Tell whether two data sets of equal pixels have equal labels and splits."""
    if (one.labels is None) != (other.labels is None) or one.splits.keys() != other.splits.keys():
        return False
    if one.labels is not None and other.labels is not None:
        if not np.array_equal(one.labels, other.labels):
            return False
    return all(np.array_equal(one.splits[key], other.splits[key]) for key in one.splits)
