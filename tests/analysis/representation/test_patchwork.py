"""Patches that share a code: the pixels' probabilities stay, what they know of each other not."""

import math

import numpy as np
import pytest

from explorer.analysis.representation import patchwork
from explorer.errors import ExplorerError


def two_pictures():
    """All black or all white, 4 × 4: the strongest dependence there is."""
    return np.stack([np.zeros((1, 4, 4)), np.ones((1, 4, 4))])


@pytest.mark.parametrize("side", [1, 2, 4])
def test_every_pixel_keeps_its_probability(side):
    made = patchwork.share_codes(two_pictures(), side, 4000, seed=0)
    assert made.mean(0) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("side, correlation", [(1, 0), (2, 1), (4, 1)])
def test_pixels_of_one_patch_know_of_each_other(side, correlation):
    made = patchwork.share_codes(two_pictures(), side, 4000, seed=0)
    found = np.corrcoef(made[:, 0, 0, 0], made[:, 0, 0, 1])[0, 1]
    assert found == pytest.approx(correlation, abs=0.06)


def test_one_code_for_all_gives_back_decoded_pictures():
    decoded = np.random.default_rng(0).random((5, 1, 4, 4))
    made = patchwork.share_codes(decoded, 4, 20, seed=1)
    assert all((decoded == picture).all((1, 2, 3)).any() for picture in made)


def test_drawn_pixels_are_black_or_white_and_right_on_average():
    drawn = patchwork.draw_pixels(np.full((2000, 1, 2, 2), 0.3), seed=0)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=0.02)


def test_independent_pixels_cost_their_entropies():
    assert patchwork.independent_nats(two_pictures()) == pytest.approx(16 * math.log(2))


def test_codes_of_the_prior_are_decoded(tiny_run):
    decoded = patchwork.decode_prior(tiny_run.model, 7, seed=0)
    assert decoded.shape == (7, 1, 8, 8)
    assert 0 <= decoded.min() and decoded.max() <= 1


def test_patches_must_tile_the_picture():
    with pytest.raises(ExplorerError, match="do not tile"):
        patchwork.share_codes(two_pictures(), 3, 1, seed=0)
