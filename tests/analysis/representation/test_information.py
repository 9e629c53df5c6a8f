"""Hoffman and Johnson's split: the reference check, brute force and known limits."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from explorer.analysis.representation import information
from explorer.analysis.representation.information import decompose_rate
from explorer.analysis.watch import Stopped


@pytest.fixture(scope="module")
def half():
    """N = 10⁴, d = 2, μ ~ N(0, ½I), q variance ½: the true mutual information is ln 2."""
    rng = np.random.default_rng(1)
    mean = rng.normal(0, 0.5**0.5, (10_000, 2))
    return mean, np.full_like(mean, np.log(0.5))


def test_reference_check(half):
    info = decompose_rate(*half, seed=0)
    assert info.mutual_information == pytest.approx(0.693, abs=0.015)
    assert info.mutual_information == pytest.approx(0.686, abs=0.02)
    assert info.total_correlation == pytest.approx(0.0001, abs=5e-4)
    assert info.dimension_wise_kl == pytest.approx(0.00004, abs=5e-4)
    assert not info.saturated


def test_parts_add_up_to_the_rate(half):
    info = decompose_rate(*half, seed=0)
    total = info.mutual_information + info.marginal_kl
    assert total == pytest.approx(info.rate, abs=1e-3)
    mean, logvar = (torch.from_numpy(part) for part in half)
    exact = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert info.rate == pytest.approx(float(exact), abs=1e-12)


def test_total_correlation_of_a_correlated_normal():
    """q(z) close to a normal with correlation ρ has TC = −½ ln(1 − ρ²)."""
    rng = np.random.default_rng(2)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    mean = rng.multivariate_normal([0, 0], covariance - 0.1 * np.eye(2), 6000)
    info = decompose_rate(mean, np.full_like(mean, np.log(0.1)), samples=3000)
    exact = -0.5 * np.log(1 - 0.8**2)
    assert info.total_correlation == pytest.approx(exact, abs=0.05)
    marginal = kl_divergence(
        MultivariateNormal(torch.zeros(2), torch.tensor(covariance).float()),
        MultivariateNormal(torch.zeros(2), torch.eye(2)),
    )
    assert info.marginal_kl == pytest.approx(float(marginal), abs=0.06)


def test_densities_against_brute_force():
    rng = np.random.default_rng(3)
    mean, logvar = rng.normal(size=(300, 3)), rng.normal(-2, 1, (300, 3))
    z = rng.normal(size=(400, 3))
    each = norm.logpdf(z[:, None], mean, np.exp(0.5 * logvar))
    joint = logsumexp(each.sum(2), axis=1) - np.log(300)
    assert information.log_aggregate(z, mean, logvar) == pytest.approx(joint, abs=1e-5)
    for j in range(3):
        expected = logsumexp(each[:, :, j], axis=1) - np.log(300)
        found = information.log_mixture_1d(z[:, j], mean[:, j], logvar[:, j])
        assert found == pytest.approx(expected, abs=1e-5)


def test_spline_agrees_with_every_point():
    rng = np.random.default_rng(4)
    mean, logvar = rng.normal(0, 0.9, 5000), rng.normal(-1.5, 0.3, 5000)
    z = mean + np.exp(0.5 * logvar) * rng.standard_normal(5000)
    direct = information._log_mixture_at(z, mean, logvar)
    assert information.log_mixture_1d(z, mean, logvar) == pytest.approx(direct, abs=1e-4)


def test_far_apart_codes_reach_the_ceiling():
    mean = np.arange(64.0)[:, None] * 100
    info = decompose_rate(mean, np.zeros_like(mean))
    assert info.mutual_information == pytest.approx(np.log(64), abs=1e-6)
    assert info.saturated


def test_prior_codes_carry_nothing():
    info = decompose_rate(np.zeros((500, 4)), np.zeros((500, 4)))
    assert info.rate == 0
    assert info.mutual_information == pytest.approx(0, abs=1e-6)
    assert info.marginal_kl == pytest.approx(0, abs=1e-6)


def test_same_seed_same_number(half):
    mean, logvar = half[0][:500], half[1][:500]
    first, second = (decompose_rate(mean, logvar, seed=5) for _ in range(2))
    assert first.mutual_information == second.mutual_information
    assert decompose_rate(mean, logvar, seed=6).mutual_information != first.mutual_information


def test_codes_drawn_with_the_same_seed_are_no_trap():
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 0.5**0.5, (4000, 2))
    info = decompose_rate(mean, np.full_like(mean, np.log(0.5)), seed=0)
    assert info.mutual_information == pytest.approx(0.693, abs=0.03)


def test_stop():
    with pytest.raises(Stopped):
        decompose_rate(np.zeros((100, 2)), np.zeros((100, 2)), stop=lambda: True)
