"""A sweep for the browser: all models on the axes of one, never more bytes than are allowed."""

import numpy as np
import pytest

from explorer.export.lab import (
    MOST_BYTES,
    Placing,
    choose_reference,
    count_frames,
    encode_member_frame,
    place_members,
)
from explorer.runs.run import Snapshot
from tests.export.test_film import read

RNG = np.random.default_rng(0)


def frame_of(mean, pictures=None):
    mean = np.asarray(mean, np.float32)
    return Snapshot(3, mean, np.full_like(mean, -2.0), None, None, pictures, pictures)


def test_models_are_matched_to_the_largest_of_those_nearest_to_beta_1():
    assert choose_reference([0.1, 2.0, 40.0], [2, 2, 2]) == 1
    assert choose_reference([4.0, 1.0, 1.0], [8, 2, 8]) == 2


def test_each_model_lies_on_the_main_axes_of_the_reference():
    target = RNG.normal(size=(300, 3)) * [1.0, 0.1, 2.0]
    flipped = -target[:, [2, 0, 1]]
    line = target[:, [2]]
    main, placings = place_members([frame_of(m) for m in (target, flipped, line)], 0, True)
    assert main == (2, 0)
    assert placings == [
        Placing((2, 0), (1.0, 1.0)),
        Placing((0, 1), (-1.0, -1.0)),
        Placing((0, -1), (1.0, 1.0)),
    ]
    sent = encode_member_frame(frame_of(flipped), placings[1])
    found = read(sent["codes"], "<i2").reshape(-1, 2) / 1000
    assert found == pytest.approx(target[:, [2, 0]], abs=6e-4)
    flat = read(encode_member_frame(frame_of(line), placings[2])["codes"], "<i2").reshape(-1, 2)
    assert set(flat[:, 1].tolist()) == {0}


def test_large_pictures_shorten_the_film_but_every_model_has_one_frame():
    small = frame_of(np.zeros((250, 2)), np.zeros((6, 1, 8, 8), np.uint8))
    large = frame_of(np.zeros((250, 2)), np.zeros((6, 3, 64, 64), np.uint8))
    assert count_frames(small, 4) == 60
    assert count_frames(large, 4) * 4 * 2 * 6 * 3 * 64 * 64 <= MOST_BYTES
    assert count_frames(large, 500) == 1
