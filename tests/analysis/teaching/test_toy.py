"""The toys: every line of the derivations has a number, and quadrature finds the same."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.distributions import Normal

from explorer.analysis.teaching import toy
from explorer.analysis.teaching.gaussians import Gaussian, kl_divergence
from explorer.errors import ExplorerError

X = np.linspace(-6, 6, 1201)
STEP = X[1] - X[0]


def test_the_density_is_the_integral_over_the_prior():
    model = toy.bent_toy()
    for x in (-2.1, 0.0, 1.7):
        area, _ = quad(
            lambda z, x=x: (
                model.likelihood([x], [z])[0, 0]
                * math.exp(float(Normal(0.0, 1.0).log_prob(torch.tensor(z, dtype=torch.float64))))
            ),
            -9,
            9,
            limit=200,
            epsabs=1e-11,
        )
        assert model.density([x])[0] == pytest.approx(area, abs=1e-7)
    assert model.density(X).sum() * STEP == pytest.approx(1, abs=1e-6)


def test_the_linear_toy_has_the_normal_density_it_says():
    linear = toy.LinearToy(1.3, 0.4)
    assert linear.as_toy().density(X) == pytest.approx(linear.marginal.density(X), abs=1e-12)


def test_a_mixture_of_many_gaussians_is_the_integral():
    model = toy.bent_toy()
    exact = model.density(X)
    missed = [
        toy.misplaced(model.mixture(X, toy.spread_codes(count)), exact, STEP)
        for count in (1, 5, 50, 500)
    ]
    assert missed == sorted(missed, reverse=True)
    assert missed[0] > 0.4
    assert missed[-1] < 0.002


def test_sampled_codes_need_far_more_gaussians():
    model = toy.bent_toy()
    exact = model.density(X)
    drawn = toy.misplaced(model.mixture(X, toy.draw_codes(50, seed=0)), exact, STEP)
    assert drawn > 3 * toy.misplaced(model.mixture(X, toy.spread_codes(50)), exact, STEP)
    many = toy.misplaced(model.mixture(X, toy.draw_codes(5_000, seed=0)), exact, STEP)
    assert many < 0.02


def test_without_the_prior_the_integral_is_no_density():
    model = toy.bent_toy()
    for reach in (2.0, 3.0):
        area = model.unweighted(X, reach).sum() * STEP
        assert area == pytest.approx(2 * reach, rel=1e-4)


@given(st.floats(-2, 2), st.floats(0.1, 2), st.floats(-3, 3))
def test_the_three_derivations_agree(slope, sd, x):
    ways = toy.measure_three_ways(toy.LinearToy(), toy.LinearEncoder(slope, sd), x)
    assert ways.residual < 1e-6
    assert ways.elbo <= ways.log_px + 1e-9
    assert ways.joint_kl >= -1e-9


def test_the_joint_kl_is_the_double_integral():
    linear, encoder = toy.LinearToy(), toy.LinearEncoder(0.4, 0.7)
    ways = toy.measure_three_ways(linear, encoder, 1.5)
    data, joint = linear.marginal, linear.joint

    axis = np.linspace(-8, 8, 401)
    x, z = (grid.ravel() for grid in np.meshgrid(axis, axis))
    noise = (z - encoder.slope * x) / encoder.sd
    encoded = data.density(x) * Gaussian(0.0, 1.0).density(noise) / encoder.sd
    ratio = np.log(encoded) - np.log(joint.density(np.stack([x, z], 1)))
    area = float(encoded @ ratio) * (axis[1] - axis[0]) ** 2
    assert ways.joint_kl == pytest.approx(area, abs=1e-6)
    assert ways.joint_kl == pytest.approx(-ways.entropy + ways.loss, abs=1e-9)


def test_log_px_is_known_and_the_best_q_is_the_posterior():
    linear = toy.LinearToy()
    posterior = linear.posterior(1.5)
    assert posterior.mean[0] == pytest.approx(1.2)
    encoder = toy.LinearEncoder(0.8, math.sqrt(float(posterior.covariance[0, 0])))
    ways = toy.measure_three_ways(linear, encoder, 1.5)
    assert ways.log_px == pytest.approx(math.log(linear.marginal.density([1.5])[0]), abs=1e-9)
    assert ways.gap == pytest.approx(0, abs=1e-12)
    assert ways.joint_kl == pytest.approx(0, abs=1e-12)
    assert ways.loss == pytest.approx(ways.entropy, abs=1e-12)


def test_the_gap_is_what_quadrature_finds():
    linear, encoder = toy.LinearToy(), toy.LinearEncoder(0.5, 0.9)
    q, exact = encoder.posterior(1.5), linear.posterior(1.5)
    area, _ = quad(
        lambda z: q.density([z])[0] * math.log(q.density([z])[0] / exact.density([z])[0]), -8, 9
    )
    ways = toy.measure_three_ways(linear, encoder, 1.5)
    assert ways.gap == pytest.approx(area, abs=1e-7)
    assert kl_divergence(q, Gaussian(0.0, 1.0)) == pytest.approx(ways.kl, abs=1e-12)


def test_counts_without_sense_are_refused():
    with pytest.raises(ExplorerError, match="1 to"):
        toy.spread_codes(0)
    with pytest.raises(ExplorerError, match="noise above 0"):
        toy.LinearToy(1.0, 0.0)
