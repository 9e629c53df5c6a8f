"""A mapped array is known as such, and can be read again after it was let go."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.images import ImageDataset
from explorer.datasets.mapped import find_map, let_go
from explorer.datasets.rows import Rows

MANY = 2000
"""Images of 1,024 bytes."""


@pytest.fixture
def mapped(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.arange(MANY * 1024, dtype=np.uint32).astype(np.uint8).reshape(MANY, 1, 32, 32))
    return np.load(path, mmap_mode="r")


def test_views_of_a_mapped_file_are_known(mapped):
    for view in (
        mapped,
        mapped[3:],
        np.asarray(mapped).reshape(-1),
        ImageDataset("m", mapped).images,
    ):
        assert find_map(view) is mapped.base
    for copy in (mapped + 1, np.zeros(3), mapped[[1, 2]].copy(), None):
        assert find_map(copy) is None


def test_what_was_let_go_reads_as_before(mapped):
    before = mapped.copy()
    for array in (mapped, before):
        let_go(array)
        assert np.array_equal(array, mapped)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what is in memory.")
@pytest.mark.parametrize("name", ["pixel_digest", "fingerprint"])
def test_a_digest_leaves_nothing_of_the_file_in_memory(mapped, name):
    mapped.sum()
    assert tell_resident(mapped) >= mapped.nbytes // 1024
    assert getattr(ImageDataset("mapped", mapped), name)
    assert tell_resident(mapped) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what is in memory.")
def test_whoever_looks_through_all_images_holds_a_piece_of_them_at_a_time(tmp_path):
    # Of a large file: the system reads up to a megabyte or two ahead.
    np.save(tmp_path / "large.npy", np.ones((8 * MANY, 1, 32, 32), np.uint8))
    large = np.load(tmp_path / "large.npy", mmap_mode="r")
    rows, whole = Rows(large, np.arange(0, len(large), 2)), large.nbytes // 1024
    large.sum()
    held = [tell_resident(large) for _ in rows.pieces(len(large) // 40)]
    assert len(held) == 20 and 0 < max(held) < whole // 2
    assert tell_resident(large) == 0
    assert [len(piece) for piece in rows.pieces(len(large))] == [len(rows)]
    assert tell_resident(large) >= whole // 2, "what is read at once stays"


def tell_resident(array):
    """Return the kilobytes of a mapped file that are in memory."""
    (shown,) = re.findall(
        rf"{re.escape(str(array.filename))}\n(?:.*\n)*?Rss: +(\d+) kB",
        Path("/proc/self/smaps").read_text(encoding="utf-8"),
    )
    return int(shown)
