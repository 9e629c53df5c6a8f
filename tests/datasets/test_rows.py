"""Rows of images: what is asked of them is what a copy would give, and no more is read."""

import numpy as np
import pytest

from explorer.datasets import ImageDataset
from explorer.datasets.rows import PIECE, Rows

IMAGES = np.random.default_rng(0).integers(0, 256, (PIECE + 100, 1, 3, 2), np.uint8)
IDS = np.sort(np.random.default_rng(1).permutation(len(IMAGES))[: PIECE + 7]).astype(np.int64)


class Watched(np.ndarray):
    """An array that refuses to hand out more than a piece of it at once."""

    def __getitem__(self, chosen):
        found = super().__getitem__(chosen)
        assert len(found) <= PIECE, "so many images are a copy of the data set"
        return found


@pytest.mark.parametrize("ids", [None, IDS], ids=["all", "some"])
def test_rows_are_what_a_copy_would_be(ids):
    rows, copy = Rows(IMAGES, ids), IMAGES if ids is None else IMAGES[ids]
    assert len(rows) == len(copy) and rows.shape == copy.shape
    assert np.array_equal(rows[5:9], copy[5:9])
    assert np.array_equal(rows[np.array([3, 0, 3])], copy[[3, 0, 3]])
    assert np.array_equal(rows.mean(), copy.mean(0, dtype=np.float64))
    assert np.array_equal(np.concatenate(list(rows.pieces(1000))), copy)


def test_the_mean_reads_piece_by_piece():
    assert Rows(IMAGES.view(Watched), IDS).mean().shape == (1, 3, 2)


def test_a_split_has_its_rows_where_they_lie():
    dataset = ImageDataset.from_arrays(IMAGES[:200, 0])
    for name in ("train", "validation", "test", "all"):
        rows = dataset.split(name).rows
        assert np.array_equal(rows[:], dataset.images[dataset.splits[name]])
        assert np.shares_memory(rows.images, dataset.images)
