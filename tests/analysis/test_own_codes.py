"""Codes from a file: of one moment, over steps, and what is refused in one sentence."""

import numpy as np
import pytest

from explorer.analysis.collapse import diagnose_file
from explorer.analysis.own_codes import read_codes
from explorer.analysis.timeline import Event, find_events
from explorer.errors import ExplorerError


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
