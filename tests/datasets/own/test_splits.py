"""Splits: recognised by their names, kept where given, completed and drawn where not."""

import numpy as np
import pytest

from explorer.datasets.own.splits import complete_splits, split_word
from explorer.errors import ExplorerError

PARTS = {"train": 0, "validation": 1, "test": 2}


def sizes(splits):
    return np.bincount(splits, minlength=3).tolist()


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", "train"), ("Training", "train"), ("training_set", "train"), ("TRAIN", "train"),
        ("val", "validation"), ("valid", "validation"), ("dev", "validation"),
        ("images-val", "validation"), ("test images", "test"), ("testing", "test"),
        ("testdata", "test"), ("trainset", "train"),
        ("tests", None), ("trained", None), ("data", None), ("", None), ("bus", None),
    ],
)  # fmt: skip
def test_words_for_splits(word, split):
    assert split_word(word) == split


def test_what_is_given_is_kept():
    given = ["test", "train", "validation", "train"]
    splits, how = complete_splits(given, np.zeros(4, int))
    assert splits.tolist() == [PARTS[name] for name in given] and how == "given"


def test_what_is_missing_is_drawn_from_the_training_images():
    given = ["test"] * 30 + ["train"] * 100
    splits, how = complete_splits(given, np.arange(130) % 2)
    assert (splits[:30] == 2).all() and sizes(splits) == [90, 10, 30] and how == "completed"
    unnamed = ["test"] * 30 + [None] * 100
    assert np.array_equal(complete_splits(unnamed, np.arange(130) % 2)[0], splits)


def test_nothing_given_is_drawn_in_proportion_and_always_the_same():
    strata = np.repeat([0, 1], [80, 20])
    splits, how = complete_splits(None, strata)
    assert sizes(splits) == [80, 10, 10] and how == "drawn"
    for part in (1, 2):
        assert np.bincount(strata[splits == part]).tolist() == [8, 2]
    assert np.array_equal(splits, complete_splits([None] * 100, strata)[0])


@pytest.mark.parametrize("given", [["test"] * 10, ["train"] + ["test"] * 9, ["validation"] * 10])
def test_with_nothing_to_train_on_all_is_drawn_anew(given):
    splits, how = complete_splits(given, np.zeros(10, int))
    assert sizes(splits) == [8, 1, 1] and how == "drawn"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_images_are_too_few(count):
    with pytest.raises(ExplorerError, match=f"At least three images.* not {count}"):
        complete_splits(None, np.zeros(count, int))
    assert sizes(complete_splits(None, np.zeros(3, int))[0]) == [1, 1, 1]
