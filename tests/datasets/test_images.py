"""What a data set knows beside its pixels: names, ids, and a digest of the pixels alone."""

import dataclasses
import hashlib

import numpy as np
import pytest

from explorer.datasets import ImageDataset
from explorer.datasets import images as module
from explorer.datasets.images import choose_examples, digest_pixels
from explorer.errors import ExplorerError
from tests.helpers import present


def some_images(count=10):
    return np.random.default_rng(0).integers(0, 256, (count, 3, 4, 5), dtype=np.uint8)


def test_the_digest_is_the_sha256_of_shape_and_bytes():
    images = some_images()
    known = hashlib.sha256(b"(10, 3, 4, 5)" + images.tobytes()).hexdigest()
    assert digest_pixels(images) == known == ImageDataset("own", images).pixel_digest


def test_the_digest_follows_pixels_shape_and_order_but_nothing_else():
    images = some_images()
    labelled = ImageDataset(
        "other", images, np.arange(10) % 2, ("a", "b"), splits={"test": np.array([3])}
    )
    assert labelled.pixel_digest == digest_pixels(images)
    others = [images[::-1], images.reshape(10, 3, 5, 4), images[:9], images ^ 1]
    assert len({digest_pixels(images), *map(digest_pixels, others)}) == 5


def test_the_digest_is_the_same_however_the_images_lie_in_memory(monkeypatch, tmp_path):
    images = some_images()
    known = digest_pixels(images)
    monkeypatch.setattr(module, "DIGEST_BYTES", 130)
    assert digest_pixels(np.asfortranarray(images)) == known
    np.save(tmp_path / "pixels.npy", images)
    assert digest_pixels(np.load(tmp_path / "pixels.npy", mmap_mode="r")) == known


def test_a_digest_that_is_known_is_not_computed_again():
    data = ImageDataset("own", some_images(), known_digest="known")
    assert data.pixel_digest == "known"
    assert "known" not in repr(data)


def test_ids_are_row_numbers_and_names_are_one_per_image():
    data = ImageDataset("own", some_images(), names=tuple(f"{i}.png" for i in range(10)))
    assert data.ids.tolist() == list(range(10))
    assert [present(data.names)[row] for row in data.split("all").ids[:2]] == ["0.png", "1.png"]
    with pytest.raises(ExplorerError, match="one per image: 10 for 9"):
        dataclasses.replace(data, images=some_images(9))


def test_examples_are_of_each_class_though_they_come_one_after_the_other():
    labels = np.repeat([0, 1, 2], 100)
    rows = choose_examples(labels, 300, 8)
    assert labels[rows].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert len(set(rows.tolist())) == 8


def test_a_class_with_few_images_leaves_its_room_to_others():
    labels = np.array([0] * 20 + [1])
    assert labels[choose_examples(labels, 21, 8)].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_of_more_classes_than_there_is_room_for_the_first_the_last_and_some_between_are_shown():
    labels = np.repeat(np.arange(29), 5)
    assert labels[choose_examples(labels, 145, 8)].tolist() == [0, 4, 8, 12, 16, 20, 24, 28]


def test_without_labels_examples_are_evenly_spread():
    assert choose_examples(None, 15, 8).tolist() == [0, 2, 4, 6, 8, 10, 12, 14]


@pytest.mark.parametrize("labels", [None, np.array([1, 0, 1])])
def test_of_few_images_all_are_shown(labels):
    assert sorted(choose_examples(labels, 3, 8).tolist()) == [0, 1, 2]
