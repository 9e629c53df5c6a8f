"""Codes from a file: of one moment, over steps, and what is refused in one sentence."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from explorer.analysis.collapse.diagnose import diagnose_file
from explorer.analysis.collapse.own_codes import (
    JUDGED_VALUES,
    LARGEST_MOMENT,
    OwnCodes,
    read_codes,
    score_labels,
    thin_codes,
)
from explorer.analysis.collapse.timeline import Event, find_events
from explorer.errors import ExplorerError
from tests.helpers import present


def dying_codes():
    """Return three moments of two dimensions; the second one is asleep from step 100 on."""
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(3, 400, 2)) * np.array([[[0.95, 0.9]], [[0.95, 0.0]], [[0.95, 0.0]]])
    logvar = np.log([[[0.1, 0.2]], [[0.1, 1.0]], [[0.1, 1.0]]]) + np.zeros((3, 400, 2))
    return {"mean": mean, "logvar": logvar, "steps": np.array([0, 100, 200])}


def test_one_moment_has_no_timeline(tmp_path):
    arrays = dying_codes()
    np.savez(tmp_path / "codes.npz", mean=arrays["mean"][0], logvar=arrays["logvar"][0])
    codes = read_codes(tmp_path / "codes.npz")
    assert codes.mean.shape == (400, 2)
    assert codes.points() == []


def test_codes_over_steps_are_a_timeline_and_the_last_step_is_diagnosed(tmp_path):
    arrays = dying_codes()
    np.savez(tmp_path / "codes.npz", **arrays)
    codes = read_codes(tmp_path / "codes.npz")
    mean, logvar = arrays["mean"][0], arrays["logvar"][0]
    expected = (0.5 * (np.exp(logvar) - 1 - logvar + mean**2)).mean(0)
    assert codes.kl_per_dim[0] == pytest.approx(expected)
    assert find_events(codes.steps, codes.kl_per_dim) == [Event(1, 100, "died")]
    assert [point["step"] for point in codes.points()] == [0, 100, 200]
    found = diagnose_file(tmp_path / "codes.npz")
    assert [dimension.verdict for dimension in found.dimensions] == ["active", "collapsed"]


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"steps": None}, "without their steps"),
        ({"steps": np.arange(2)}, "With steps"),
        ({"mean": np.zeros((400, 2))}, "With steps"),
        ({"logvar": np.zeros((3, 400, 3))}, "With steps"),
        ({"steps": np.array([0, 0, 1])}, "that rise"),
        ({"steps": np.array([0, 0.5, 1])}, "whole numbers"),
        ({"steps": np.array([0, 1, np.nan])}, "whole numbers"),
        ({"steps": np.array([-1, 0, 1])}, "from 0"),
        ({"steps": np.array(["a", "b", "c"])}, "whole numbers"),
        ({"mean": np.full((3, 400, 2), np.nan)}, "NaN"),
        ({"mean": np.full((3, 400, 2), "x")}, "real numbers"),
        ({k: v[:0] for k, v in dying_codes().items()}, "empty"),
    ],
)
def test_what_is_no_timeline_is_refused(tmp_path, change, sentence):
    arrays = {**dying_codes(), **change}
    np.savez(tmp_path / "codes.npz", **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ExplorerError, match=sentence):
        read_codes(tmp_path / "codes.npz")


def save(path, labels=None, count=200, steps=0):
    """Write two clusters, ten apart, with labels of the same or of one's own making."""
    rng = np.random.default_rng(0)
    which = np.arange(count) % 2
    mean = rng.normal(size=(count, 2)) + 10.0 * which[:, None]
    arrays: dict[str, Any] = {"mean": mean, "logvar": np.full((count, 2), -3.0)}
    if steps:
        arrays = {key: np.stack([value] * steps) for key, value in arrays.items()}
        arrays["steps"] = np.arange(steps)
    if labels is not None:
        arrays["labels"] = labels(which) if callable(labels) else labels
    np.savez(path, **arrays)
    return read_codes(path)


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize(
    "labels, names",
    [
        (lambda which: which, ("0", "1")),
        (lambda which: 7 - 4 * which, ("3", "7")),
        (lambda which: which.astype(float), ("0", "1")),
        (lambda which: which.astype(bool), ("False", "True")),
        (lambda which: np.array(["cat", "dog"])[which], ("cat", "dog")),
        (lambda which: np.array([b"cat", b"dog"])[which], ("cat", "dog")),
    ],
)
def test_labels_are_classes_by_name_and_neighbours_tell_them(tmp_path, labels, names, steps):
    codes = save(tmp_path / "codes.npz", labels, steps=steps)
    assert codes.class_names == names and set(codes.labels.tolist()) == {0, 1}
    found = present(score_labels(codes))
    assert (found.accuracy, found.standard_error) == (1.0, 0.0)
    assert (found.images, found.neighbours, found.largest_class) == (200, 15, 0.5)


def test_labels_without_meaning_are_told_by_chance_alone(tmp_path):
    codes = save(
        tmp_path / "codes.npz", lambda which: np.random.default_rng(1).integers(0, 2, 2000), 2000
    )
    found = present(score_labels(codes))
    assert abs(found.accuracy - 0.5) < 4 * found.standard_error + 0.02


def test_without_labels_or_with_one_class_there_is_no_score(tmp_path):
    assert save(tmp_path / "none.npz").labels is None
    assert score_labels(save(tmp_path / "none.npz")) is None
    assert score_labels(save(tmp_path / "one.npz", lambda which: which * 0)) is None
    assert present(score_labels(save(tmp_path / "few.npz", lambda which: which, 4))).neighbours == 3


@pytest.mark.parametrize(
    "labels, sentence",
    [
        (np.zeros(199, int), "one per image"),
        (np.zeros((200, 1), int), "one per image"),
        (np.linspace(0, 1, 200), "whole numbers or words"),
        (np.full(200, np.nan), "whole numbers or words"),
        (np.array([{}] * 200, object), "whole numbers or words"),
        (np.arange(200), "200 different values"),
    ],
)
def test_what_is_no_labels_is_refused(tmp_path, labels, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        save(tmp_path / "codes.npz", labels)


def test_of_very_many_codes_some_are_judged_evenly_spread(tmp_path):
    assert thin_codes(save(tmp_path / "few.npz"))[0].shape == (200, 2)
    count = JUDGED_VALUES // 100 + 5000
    ramp = np.linspace(0, 1, count)[:, None] + np.zeros(100)
    codes = OwnCodes(ramp, -ramp, np.zeros(0, np.int64), np.zeros((0, 100)))
    mean, logvar = thin_codes(codes)
    assert mean.shape == (JUDGED_VALUES // 100, 100) and (mean == -logvar).all()
    assert mean[0, 0] == 0 and mean[-1, 0] == 1 and abs(mean.mean() - 0.5) < 1e-3


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"steps": np.array([5, 3, 2], np.uint8)}, "that rise"),
        ({"steps": np.array([0, 1, 1e300])}, "whole numbers"),
        ({"mean": np.array([{}] * 3, object)}, "real numbers"),
        ({"labels": np.full(400, 0x110000, np.uint32).view("<U1")}, "cannot be read"),
        ({"mean": np.zeros((3, 400, 2), complex)}, "real numbers"),
        ({"mean": np.array(1.0), "steps": None}, "one shape"),
    ],
)
def test_odd_arrays_are_one_sentence(tmp_path, change, sentence):
    arrays = {**dying_codes(), **change}
    np.savez(tmp_path / "codes.npz", **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ExplorerError, match=sentence):
        read_codes(tmp_path / "codes.npz")


def test_half_a_character_in_a_label_is_replaced(tmp_path):
    codes = save(tmp_path / "codes.npz", lambda which: np.array(["cat", "\ud83d"])[which])
    assert codes.class_names == ("cat", "?")


def test_more_codes_than_can_be_judged_are_refused_in_little_memory(tmp_path):
    """As small numbers they would take eight times the room once they are judged."""
    count = LARGEST_MOMENT + 1
    np.savez_compressed(
        tmp_path / "codes.npz",
        mean=np.zeros((count, 1), np.int8),
        logvar=np.zeros((count, 1), np.int8),
    )
    tracemalloc.start()
    with pytest.raises(ExplorerError, match="16,000,001 values of mean"):
        read_codes(tmp_path / "codes.npz")
    with pytest.raises(ExplorerError, match="more than the 30 MB"):
        read_codes(tmp_path / "codes.npz", limit_bytes=30_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * count
