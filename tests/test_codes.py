"""Which two dimensions of codes are shown, what each costs, and which are whose."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from explorer.codes import assign, kl_of_codes, lay_on_axes, main_dimensions, match_latents

RNG = np.random.default_rng(0)
# Two dimensions in use, and two that no image moves: one at the prior, one far from it.
MEAN = np.stack(
    [RNG.normal(0, 0.9, 500), RNG.normal(0, 1.2, 500), np.zeros(500), np.full(500, 4.0)], 1
)
LOGVAR = np.log([0.1, 0.3, 1.0, 1.0]) + np.zeros((500, 4))


def test_kl_is_that_of_torch():
    q = Normal(torch.from_numpy(MEAN), torch.from_numpy(np.exp(LOGVAR / 2)))
    theirs = kl_divergence(q, Normal(0.0, 1.0)).numpy()
    assert kl_of_codes(MEAN, LOGVAR) == pytest.approx(theirs, abs=1e-12)


def test_the_most_kl_comes_first_and_the_widest_means_where_there_is_none():
    assert main_dimensions(MEAN[:, :3], LOGVAR[:, :3]) == (0, 1)
    assert main_dimensions(MEAN, LOGVAR) == (3, 0), "a distance from N(0, I) is KL"
    assert main_dimensions(MEAN, None) == (1, 0)
    assert main_dimensions(MEAN, LOGVAR, has_shares=False) == (1, 0)


@pytest.mark.parametrize("latents", [0, 1, 2])
def test_few_dimensions_stand_in_their_order(latents):
    assert main_dimensions(MEAN[:, 3 - latents : 3][:, ::-1], None) == (0, 1)


def test_latents_are_matched_whatever_their_order_and_sign():
    rng = np.random.default_rng(1)
    reference = rng.normal(size=(400, 5)).astype(np.float32)
    order, sign = rng.permutation(5), np.array([1, -1, -1, 1, -1], np.float32)
    other = np.empty_like(reference)
    other[:, order] = reference * sign + 0.05 * rng.normal(size=reference.shape)
    found, flips = match_latents(reference, other)
    assert found.tolist() == order.tolist() and flips.tolist() == sign.tolist()


@pytest.mark.parametrize("kind", ["real", "with ties"])
def test_an_assignment_costs_what_scipys_costs(kind):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(2)
    for _ in range(300):
        shape = rng.integers(1, 9, 2)
        cost = rng.normal(size=shape) if kind == "real" else rng.integers(-3, 3, shape)
        rows, columns = assign(cost)
        theirs = linear_sum_assignment(cost)
        assert cost[rows, columns].sum() == pytest.approx(cost[theirs].sum())
        assert rows.tolist() == sorted(set(rows)) and len(set(columns)) == len(rows) == min(shape)
        assert kind != "real" or columns.tolist() == theirs[1].tolist()


def test_a_cost_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        assign(np.full((2, 2), np.nan))


def test_collapsed_latents_are_matched_without_nan():
    reference = np.zeros((50, 3), np.float32)
    order, sign = match_latents(reference, reference)
    assert sorted(order.tolist()) == [0, 1, 2] and set(sign.tolist()) == {1.0}


def test_models_of_other_sizes_lie_on_the_axes_of_the_one_that_they_are_shown_with():
    target = RNG.normal(size=(400, 4))
    large = np.stack([RNG.normal(size=400), -target[:, 3], target[:, 1], target[:, 0]], 1)
    assert lay_on_axes(target, (1, 3), large) == ((2, 1), (1.0, -1.0)), "all four are matched"
    wide = np.concatenate([RNG.normal(size=(400, 3)), -target[:, [3, 1]]], 1)
    assert lay_on_axes(target, (1, 3), wide) == ((4, 3), (-1.0, -1.0))
    assert lay_on_axes(target, (1, 3), -target[:, [3]]) == ((-1, 0), (1.0, -1.0))
    assert lay_on_axes(target[:, :1], (0, 1), target[:, :1]) == ((0, -1), (1.0, 1.0))
