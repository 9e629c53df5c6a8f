"""Gradients with and without reparameterisation: closed forms, and torch's own gradients."""

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial
from torch.distributions import Normal

from explorer.analysis.teaching import gradients
from explorer.errors import ExplorerError


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (1.5, 0.5), (-2.0, 2.0)])
def test_moments_for_the_square_are_the_closed_forms(mean, sigma):
    find = {
        (e, p): gradients.estimate_gradient(gradients.square(), mean, sigma, e, p)
        for e in gradients.ESTIMATORS
        for p in gradients.PARAMETERS
    }
    for estimator in gradients.ESTIMATORS:
        assert find[estimator, "mean"].mean == pytest.approx(2 * mean)
        assert find[estimator, "sigma"].mean == pytest.approx(2 * sigma)
    assert find["pathwise", "mean"].variance == pytest.approx(4 * sigma**2)
    assert find["pathwise", "sigma"].variance == pytest.approx(4 * mean**2 + 8 * sigma**2)
    expected = mean**4 / sigma**2 + 14 * mean**2 + 15 * sigma**2
    assert find["score", "mean"].variance == pytest.approx(expected)


@pytest.mark.parametrize("parameter", gradients.PARAMETERS)
def test_both_ways_lead_to_the_same_gradient(parameter):
    for f in (gradients.log_likelihood(2.0, 0.3), Polynomial([1, -2, 0.5, 0.25])):
        found = [
            gradients.estimate_gradient(f, 0.4, 0.7, estimator, parameter)
            for estimator in gradients.ESTIMATORS
        ]
        assert found[0].mean == pytest.approx(found[1].mean)


@pytest.mark.parametrize("parameter", gradients.PARAMETERS)
def test_each_draw_is_what_torch_differentiates(parameter):
    f = gradients.log_likelihood(2.0, 0.5)
    mean = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    sigma = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    noise = torch.tensor([-1.3, 0.2, 0.9], dtype=torch.float64)
    wanted = mean if parameter == "mean" else sigma
    for i, epsilon in enumerate(noise):
        z = mean + sigma * epsilon
        value = Normal(z, 0.5**0.5).log_prob(torch.tensor(2.0, dtype=torch.float64))
        (with_it,) = torch.autograd.grad(value, wanted)
        surrogate = Normal(mean, sigma).log_prob(z.detach()) * value.detach()
        (without,) = torch.autograd.grad(surrogate, wanted)
        for estimator, expected in (("pathwise", with_it), ("score", without)):
            found = gradients.estimate_gradient(f, 0.3, 0.8, estimator, parameter)
            assert found.polynomial(float(noise[i])) == pytest.approx(float(expected))


def test_the_variance_of_an_average_falls_as_one_over_its_draws():
    found = gradients.estimate_gradient(gradients.square(), 1.0, 1.0, "score", "mean")
    counts = [1, 4, 16, 64]
    values, errors = gradients.measure_spread(found, counts, repeats=4000)
    assert np.all(np.abs(values - found.variance / np.array(counts)) < 5 * errors)
    assert found.spread(25) == pytest.approx((30 / 25) ** 0.5)


def test_draws_repeat_with_their_seed():
    found = gradients.estimate_gradient(gradients.square(), 0.0, 1.0, "pathwise", "mean")
    assert np.array_equal(found.draw(3, 10, seed=1), found.draw(3, 10, seed=1))
    assert not np.array_equal(found.draw(3, 10, seed=1), found.draw(3, 10, seed=2))


def test_bad_input_is_one_clear_error():
    with pytest.raises(ExplorerError, match="No estimator"):
        gradients.estimate_gradient(gradients.square(), 0, 1, "guess", "mean")
    with pytest.raises(ExplorerError, match="standard deviation above 0"):
        gradients.estimate_gradient(gradients.square(), 0, 0, "score", "mean")
    with pytest.raises(ExplorerError, match="at least one draw"):
        gradients.estimate_gradient(gradients.square(), 0, 1, "score", "mean").draw(0, 5)
    with pytest.raises(ExplorerError, match="above 0"):
        gradients.log_likelihood(1.0, 0.0)
