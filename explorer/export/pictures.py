"""Which images a run's map can show: its own where they are at hand, else drawings of ours."""

from typing import Any

import numpy as np

from explorer.datasets import ImageDataset
from explorer.export.payload import HANDWRITING, Pictures, pick_pictures
from explorer.paths import cache_folder

SAMPLES = 200


def find_pictures(run: Any, dataset: ImageDataset | None) -> Pictures | None:
    """Return input pictures for `run` without training, downloading or long drawing.

    `dataset` are the images that it was made from, where they are at hand (`Library.images_of`).
    Pictures of the run's own codes come first, keyed by the same ids; where they are not at hand,
    a model of handwriting gets sample drawings, whose ids are negative so that none is taken for
    the picture of a code. None where there is nothing fitting.
    """
    info = run.info.dataset
    if info is None:
        return None
    codes = run.codes()
    if dataset is not None and codes is not None:
        rows = np.asarray(codes.ids)
        if len(rows) and rows.min() >= 0 and rows.max() < len(dataset):
            first = rows[: _room(dataset)]
            labels = None if dataset.labels is None else dataset.labels[first]
            source = run.info.best_split or "test"
            return pick_pictures(dataset.images[first], labels, first, source)
    if info.name in HANDWRITING and tuple(info.shape) == (1, 28, 28):
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


def _room(dataset: ImageDataset) -> int:
    from explorer.export.payload import MAX_IMAGE_BYTES

    return max(1, MAX_IMAGE_BYTES // int(np.prod(dataset.shape)))
