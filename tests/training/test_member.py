"""What a training is judged by, and which of its images the film shows."""

import numpy as np
import pytest

from explorer.datasets import ImageDataset
from explorer.training.member import STRIP_IMAGES, HeldOut, choose_strip


def test_the_strip_shows_each_class_though_they_come_one_after_the_other():
    labels = np.repeat([0, 1, 2], 100)
    rows = choose_strip(labels, 300)
    assert labels[rows].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert len(set(rows.tolist())) == STRIP_IMAGES


def test_a_class_with_few_images_leaves_its_room_to_others():
    labels = np.array([0] * 20 + [1])
    assert labels[choose_strip(labels, 21)].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_of_more_classes_than_there_is_room_for_the_first_the_last_and_some_between_are_shown():
    labels = np.repeat(np.arange(29), 5)
    assert labels[choose_strip(labels, 145)].tolist() == [0, 4, 8, 12, 16, 20, 24, 28]


def test_without_labels_the_strip_is_evenly_spread():
    assert choose_strip(None, 15).tolist() == [0, 2, 4, 6, 8, 10, 12, 14]


@pytest.mark.parametrize("labels", [None, np.array([1, 0, 1])])
def test_of_few_images_all_are_shown(labels):
    assert sorted(choose_strip(labels, 3).tolist()) == [0, 1, 2]


def test_the_films_images_are_of_the_probe():
    images = np.arange(40, dtype=np.uint8)[:, None, None, None]
    labels = np.arange(40) // 20
    data = ImageDataset("own", images, labels, splits={"validation": np.arange(40)})
    held = HeldOut(data)
    assert held.probe[held.strip].ravel().tolist() == [0, 20, 1, 21, 2, 22, 3, 23]
