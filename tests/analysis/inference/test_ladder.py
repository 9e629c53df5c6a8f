"""More samples: the ELBO's estimate only narrows, the importance-weighted one climbs."""

import math

import numpy as np
import pytest
import torch

from explorer.analysis.inference.ladder import climb, judge_draw
from explorer.analysis.inference.likelihood import draw_log_weights, estimate_log_px
from explorer.errors import ExplorerError
from tests.analysis import oracles

SIGMA = 0.8


@pytest.fixture(scope="module")
def weights():
    """Log-normal weights: E log w = 0 and log E w = σ²/2."""
    return np.random.default_rng(0).normal(0, SIGMA, 40_000)


def test_the_elbo_keeps_its_mean_and_narrows_as_one_over_the_root(weights):
    for rung in climb(weights, (1, 10, 100, 1000)):
        mean, error = rung.elbo_mean
        assert abs(mean) < 4 * error
        assert rung.spread == pytest.approx(SIGMA / math.sqrt(rung.samples), rel=0.4)


def test_the_ladder_climbs_to_log_px(weights):
    rungs = climb(weights, (1, 5, 50, 5000))
    heights = [rung.ladder_mean[0] for rung in rungs]
    assert heights == sorted(heights)
    assert heights[0] == pytest.approx(rungs[0].elbo_mean[0])
    assert heights[-1] == pytest.approx(SIGMA**2 / 2, abs=0.02)


def test_too_few_draws_are_one_clear_error():
    with pytest.raises(ExplorerError, match="needs 200 draws"):
        climb(np.zeros(150), (1, 100))


def test_flags_tell_good_weights_from_bad_ones():
    rng = np.random.default_rng(1)
    assert judge_draw(rng.normal(0, 0.3, 2000)).flags == ()
    bad = judge_draw(rng.normal(0, 6, 2000))
    assert {"ess", "pareto"} <= set(bad.flags)
    assert judge_draw(np.zeros(10)).flags == ("few",)


def test_draws_are_those_of_the_estimate():
    model = oracles.linear_vae(3, rotate=0.5)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    log_weights = draw_log_weights(model, x, 3000, seed=4)
    estimate = estimate_log_px(model, x, 3000, seed=4)
    judged = judge_draw(log_weights[0])
    assert judged.log_px == pytest.approx(estimate.log_px[0], abs=1e-9)
    assert judged.elbo == pytest.approx(estimate.elbo[0], abs=1e-9)
    assert judged.pareto_k == pytest.approx(estimate.pareto_k[0])
