"""What was trained on from Python is kept for its run: nameless, limited, gone when asked."""

import os

import numpy as np
import pytest

from explorer.datasets import ImageDataset
from explorer.datasets.own import trained
from explorer.datasets.own.store import keep_images, list_own, load_held, remove_own
from explorer.datasets.own.trained import keep_trained, load_trained
from tests.helpers import present


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A data folder of one's own, and no other."""
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path))
    return tmp_path / "data"


def some_data(seed=0, count=10, labels=None):
    images = np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 5), dtype=np.uint8)
    return ImageDataset.from_arrays(images, labels)


def pixel_files(root):
    return {path.stem for path in (root / "own" / "pixels").glob("*.npy")}


def test_it_comes_back_whole_and_stands_in_no_list():
    data = some_data(labels=np.arange(10) % 2)
    assert keep_trained(data) and keep_trained(data)
    found = present(load_trained(data.fingerprint))
    assert np.array_equal(found.images, data.images) and found.class_names == ("0", "1")
    assert found.fingerprint == data.fingerprint
    assert list_own() == [] and load_trained(some_data(1).fingerprint) is None
    assert load_trained("../sets/x") is None


def test_equal_pixels_lie_there_once_whatever_their_labels(root):
    plain, labelled = some_data(), some_data(labels=np.arange(10) % 2)
    for data in (plain, labelled):
        keep_trained(data)
    assert pixel_files(root) == {plain.pixel_digest}
    for data in (plain, labelled):
        found = present(load_held(data.pixel_digest, data.fingerprint))
        assert found.fingerprint == data.fingerprint


def test_the_longest_unused_goes_first_and_what_is_too_large_is_not_kept(root, monkeypatch):
    first, second, third = (some_data(seed) for seed in range(3))
    monkeypatch.setattr(trained, "KEPT_BYTES", 700)  # 200 each, and a header of 128.
    for age, data in ((30, first), (20, second)):
        keep_trained(data)
        folder = root / "own" / "trained" / data.fingerprint
        os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    load_trained(first.fingerprint)  # Somebody goes on with it.
    keep_trained(third)
    assert load_trained(second.fingerprint) is None
    assert pixel_files(root) == {first.pixel_digest, third.pixel_digest}
    assert not keep_trained(some_data(count=36))
    assert pixel_files(root) == {first.pixel_digest, third.pixel_digest}


def test_who_removes_a_data_set_removes_what_a_training_kept_of_it(root):
    data = some_data()
    keep_images(data, "pets")
    keep_trained(some_data(labels=np.arange(10)))
    keep_trained(some_data(1))
    remove_own("pets")
    assert pixel_files(root) == {some_data(1).pixel_digest}
    assert load_held(data.pixel_digest, data.fingerprint) is None


def test_a_data_set_that_is_added_leaves_what_a_training_kept(root):
    keep_trained(some_data())
    keep_images(some_data(1), "pets")
    assert present(load_trained(some_data().fingerprint)).shape == (1, 4, 5)


def test_of_two_data_sets_of_the_same_pixels_the_labels_decide():
    one, other = some_data(labels=np.arange(10) % 2), some_data(labels=np.arange(10) // 5)
    keep_images(one, "parity")
    keep_images(other, "halves")
    for name, data in (("parity", one), ("halves", other)):
        assert present(load_held(data.pixel_digest, data.fingerprint)).name == name
