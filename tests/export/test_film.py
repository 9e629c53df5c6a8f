"""A film for the browser: codes to a thousandth, pictures to the byte, never more than is shown."""

import base64

import numpy as np
import pytest

from explorer.export.film import (
    choose_axes,
    choose_frames,
    encode_film_frame,
    encode_frame,
    encode_line_frame,
    encode_log,
    encode_pictures,
)
from explorer.runs.run import Snapshot
from tests.helpers import present


def frame_of(mean, pictures=None):
    return Snapshot(7, np.asarray(mean, np.float32), None, None, None, pictures, None)


def read(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def test_codes_arrive_on_the_axes_that_are_asked_for():
    sent = encode_frame(frame_of([[1.2345, 9.0, -0.5], [0.0, 9.0, 2.0]]), (2, 0))
    assert sent["step"] == 7
    found = read(sent["codes"], "<i2").reshape(-1, 2) / 1000
    assert found == pytest.approx(np.array([[-0.5, 1.2345], [2.0, 0.0]]), abs=5.1e-4)


def test_what_is_no_number_or_far_out_is_a_point_all_the_same():
    sent = encode_frame(frame_of([[np.nan, 1e6]]), (0, 1))
    assert read(sent["codes"], "<i2").tolist() == [0, 32767]


def test_pictures_arrive_to_the_byte():
    pictures = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    sent = present(encode_pictures(pictures))
    assert sent["shape"] == [2, 3, 4, 5]
    assert (read(sent["bytes"], np.uint8) == pictures.ravel()).all()
    assert encode_pictures(None) is None


def test_a_long_film_keeps_its_first_and_its_last_frame():
    steps = choose_frames(range(0, 5000, 5))
    assert len(steps) == 200 and (steps[0], steps[-1]) == (0, 4995)


def test_log_points_say_what_was_logged_and_nothing_else():
    (point,) = encode_log([{"step": 1, "reconstruction": 3.0, "elbo": -3.5, "kl": 0.5}])
    assert point == {"step": 1, "reconstruction": 3.0, "kl": 0.5, "kl_per_dim": None, "beta": None}


def test_a_model_with_one_latent_has_a_row_for_each_class():
    mean = np.linspace(-2, 2, 60, dtype=np.float32)[:, None]
    labels = np.arange(60) % 3
    sent = encode_line_frame(Snapshot(7, mean, None, labels, None, None, None))
    codes = read(sent["codes"], "<i2").reshape(-1, 2) / 1000
    assert codes[:, 0] == pytest.approx(mean[:, 0], abs=6e-4)
    rows = [codes[labels == label, 1] for label in range(3)]
    assert rows[0].min() > rows[1].max() > rows[1].min() > rows[2].max()
    alone = encode_line_frame(Snapshot(7, mean, None, None, None, None, None))
    heights = read(alone["codes"], "<i2").reshape(-1, 2)[:, 1]
    assert len(set(heights.tolist())) == 60, "codes do not hide one another"


def test_a_film_is_played_on_the_two_busiest_dimensions_or_on_a_line():
    plane, line = frame_of([[0.1, 3.0, -2.0], [-0.1, -3.0, 2.0]]), frame_of([[1.0], [-1.0]])
    assert choose_axes(plane, False) == (1, 2) and choose_axes(line, False) == (0, -1)
    assert encode_film_frame(plane, (1, 2)) == encode_frame(plane, (1, 2))
    assert encode_film_frame(line, (0, -1)) == encode_line_frame(line)
