"""Codes under a playhead: the latents' measures of each frame, few frames, no pictures."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.export.moments import (
    MOST_MOMENTS,
    choose_moments,
    describe_moments,
    encode_moment,
    measure_latents,
)
from explorer.runs.run import Snapshot
from tests.helpers import present


def frame_of(mean, logvar=None, labels=None, pictures=None):
    mean = np.asarray(mean, np.float32)
    return Snapshot(5, mean, logvar, labels, pictures, pictures, None)


def test_a_latent_at_the_prior_and_one_in_use_have_the_measures_of_their_normals():
    """q = N(0, 1) has KL 0; for q = N(±1, .25), ½(1 + .25 − 1 − ln .25)."""
    mean = np.array([[0.0, 1.0], [0.0, -1.0]])
    logvar = np.log(np.array([[1.0, 0.25], [1.0, 0.25]], np.float32))
    found = present(measure_latents(frame_of(mean, logvar)))
    assert found["var_mean"] == [0.0, 1.0]
    assert found["mean_var"] == pytest.approx([1.0, 0.25])
    assert found["kl"] == pytest.approx([0.0, 0.5 * (0.25 - np.log(0.25))], abs=1e-4)


def test_without_variances_there_is_no_plane():
    assert measure_latents(frame_of([[0.0, 1.0]])) is None


def test_a_diverged_frame_is_still_a_message_that_a_browser_reads():
    broken = np.full((3, 2), np.nan, np.float32)
    sent = encode_moment(frame_of(broken, broken), (0, 1))
    json.loads(json.dumps(sent, allow_nan=False))


def test_pictures_stay_at_home():
    pictures = np.zeros((2, 1, 4, 4), np.uint8)
    assert encode_moment(frame_of([[0.0, 1.0]], pictures=pictures), (0, 1))["made"] is None


def test_a_long_film_is_thinned_from_its_first_to_its_last_frame():
    steps = choose_moments(range(0, 3000, 2))
    assert len(steps) <= MOST_MOMENTS
    assert (steps[0], steps[-1]) == (0, 2998)


def test_axes_and_latents_are_named_and_rings_are_of_a_plane_with_a_normal_prior():
    info = SimpleNamespace(dataset=None, has_shares=True)
    run = SimpleNamespace(id="mine", info=info)
    frame = frame_of([[0.0, 1.0, 2.0]], labels=np.array([1]))
    found = describe_moments(run, frame, (2, 0), [0, 5], {"map": "codes"})
    assert (found["axes"], found["latents"]) == (["z₃", "z₁"], ["z₁", "z₂", "z₃"])
    assert found["rings"] and found["labels"] == [1]
    line = describe_moments(run, frame_of([[0.5]]), (0, -1), [0], {})
    assert not line["rings"] and line["axes"] == ["z₁"]
