"""A mapped array is known as such, and can be read again after it was let go."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.images import ImageDataset
from explorer.datasets.mapped import find_map, let_go

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


def tell_resident(array):
    """Return the kilobytes of a mapped file that are in memory."""
    (shown,) = re.findall(
        rf"{re.escape(str(array.filename))}\n(?:.*\n)*?Rss: +(\d+) kB",
        Path("/proc/self/smaps").read_text(encoding="utf-8"),
    )
    return int(shown)
