"""Which images a run's map can show: its own where they are at hand, else what stands in."""

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.datasets import DATASETS, ImageDataset
from explorer.datasets.mnist200 import is_of_mnist, load_mnist200, mnist_ids
from explorer.export.payload import (
    MAX_IMAGE_BYTES,
    Pictures,
    count_room,
    is_handwriting,
    pick_pictures,
)
from explorer.paths import cache_folder

SAMPLES = 200


def find_pictures(
    run: Any, dataset: ImageDataset | None, room_bytes: int = MAX_IMAGE_BYTES
) -> Pictures | None:
    """Return input pictures for `run` without training, downloading or long drawing.

    `dataset` are the images that it was made from, where they are at hand (`Library.images_of`);
    `room_bytes` bounds how many of them are picked.
    They are keyed by the ids of the run's codes. A model of MNIST has the 200 test images that are
    always there, and the others after them where they are at hand, so that a picture's place is
    the same everywhere. A model of other handwriting gets sample drawings, whose ids are negative
    so that none is taken for the picture of a code. None where there is nothing fitting.
    """
    info = run.info.dataset
    if info is None:
        return None
    credit = DATASETS[info.name].credit if info.name in DATASETS else ""
    codes = run.codes()
    is_mnist = is_of_mnist(info.pixels, info.fingerprint)
    if dataset is not None and codes is not None:
        rows = np.asarray(codes.ids)
        if len(rows) and rows.min() >= 0 and rows.max() < len(dataset):
            if is_mnist and run.info.best_split == "test":
                rows = np.concatenate([mnist_ids(), np.setdiff1d(rows, mnist_ids())])
            first = rows[: count_room(dataset.shape, room_bytes)]
            labels = None if dataset.labels is None else dataset.labels[first]
            source = run.info.best_split or "test"
            picked = pick_pictures(dataset.images[first], labels, first, source, credit, room_bytes)
            return replace(picked, factors=dataset.factors)
    if is_mnist:
        excerpt = load_mnist200()
        return pick_pictures(excerpt.images, excerpt.labels, mnist_ids(), "test", credit)
    if is_handwriting(info) and tuple(info.shape) == (1, 28, 28):
        return sample_drawings()
    return None


def sample_drawings() -> Pictures:
    """Return a few digits of our own hand, in the order 0 to 9 again and again."""
    from explorer.datasets.strokes import load_strokes

    drawings = load_strokes(cache_folder() / "datasets", count=SAMPLES, seed=1)
    assert drawings.labels is not None
    places = np.argsort(drawings.labels, kind="stable").reshape(10, -1).T.ravel()
    ids = -1 - np.arange(len(places))
    return pick_pictures(drawings.images[places], drawings.labels[places], ids, "sample")
