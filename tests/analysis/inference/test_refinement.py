"""Refined posteriors: gaps with closed forms."""

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from explorer.analysis.inference import refinement
from explorer.analysis.inference.refinement import refine_posterior
from explorer.analysis.subject import Subject
from explorer.models.priors import StandardNormal
from tests.analysis import oracles


@pytest.fixture(scope="module")
def turned():
    return oracles.turned_vae(6)


@pytest.fixture(scope="module")
def diagonal(turned):
    """The best diagonal normals of its images."""
    return refine_posterior(*turned)


def test_full_family_reaches_log_px(turned):
    model, x = turned
    mean, covariance, log_px = oracles.exact_posterior(model, x)
    refined = refine_posterior(model, x, family="full")
    assert refined.approximation_gap(log_px) == pytest.approx(np.zeros(6), abs=2e-3)
    assert refined.mean == pytest.approx(mean, abs=0.02)
    found = refined.cholesky @ refined.cholesky.swapaxes(1, 2)
    assert found == pytest.approx(np.repeat(covariance[None], 6, 0), rel=0.1, abs=3e-3)


def test_diagonal_family_keeps_its_approximation_gap(turned, diagonal):
    model, x = turned
    _, covariance, log_px = oracles.exact_posterior(model, x)
    precision = np.linalg.inv(covariance)
    gap = 0.5 * (np.log(np.diag(precision)).sum() + np.linalg.slogdet(covariance)[1])
    assert diagonal.approximation_gap(log_px) == pytest.approx(np.full(6, gap), abs=2e-3)


def test_amortisation_gap_is_what_the_encoder_loses(turned, diagonal):
    """A mean off by δ costs ½ δᵀ P δ with P the posterior's precision."""
    model, x = turned
    covariance = oracles.exact_posterior(model, x)[1]
    delta = np.full(2, 0.4)
    cost = 0.5 * delta @ np.linalg.inv(covariance) @ delta
    assert diagonal.amortisation_gap == pytest.approx(np.full(6, cost), rel=1e-2)
    assert diagonal.to_dict()["amortisation_gap_median"] == pytest.approx(cost, rel=1e-2)


@pytest.mark.parametrize("beta", [1.0, 8.0])
def test_the_best_q_of_a_beta(beta):
    """1/s² = 1 + w²/(β·σ²) in each dimension of an aligned linear decoder, and m = s²·wᵀx/(βσ²)."""
    model = oracles.linear_vae(2, sigma2=0.05)
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    refined = refinement.refine_subject(Subject(model, x), beta=beta)
    weight = model.decoder[0].weight.detach().double().numpy()
    shift = model.decoder[0].bias.detach().double().numpy()
    variance = 1 / (1 + (weight**2).sum(0) / (beta * 0.05))
    mean = (x.flatten(1).double().numpy() - shift) @ weight * variance / (beta * 0.05)
    found = np.diagonal(refined.cholesky, axis1=1, axis2=2) ** 2
    assert found == pytest.approx(np.repeat(variance[None], 4, 0), rel=0.02)
    assert refined.mean == pytest.approx(mean, abs=0.02)


def test_never_worse_than_the_encoder():
    model = oracles.linear_vae()
    refined = refine_posterior(model, torch.from_numpy(oracles.digit_pixels()[:4]), steps=5)
    assert (refined.amortisation_gap >= 0).all()


def test_beyond_two_latents_with_samples():
    model = oracles.linear_vae(4)
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    with torch.no_grad():
        model.encoder[1].bias[:4] += 0.3
    log_px = oracles.exact_posterior(model, x)[2]
    refined = refine_posterior(model, x, steps=150, prior_starts=0)
    gap = refined.approximation_gap(log_px)
    assert (np.abs(gap) < 0.05 + 4 * refined.elbo_error).all()


def test_quadrature_of_the_elbo(turned):
    """The ELBO of a linear Gaussian model is log p(x) − KL(q‖p(z|x))."""
    model, x = turned
    exact_mean, covariance, log_px = oracles.exact_posterior(model, x)
    mean, logvar = model.encode_parameters(x)
    factor = torch.diag_embed((0.5 * logvar).exp())
    q = MultivariateNormal(mean, scale_tril=factor)
    p = MultivariateNormal(torch.from_numpy(exact_mean), torch.from_numpy(covariance))
    expected = log_px - kl_divergence(q, p).detach().numpy()
    found = refinement.elbo_by_quadrature(model, x, mean, factor, nodes=8)
    assert found == pytest.approx(expected, abs=1e-9)


def test_normal_kl_is_torchs():
    factor = torch.tril(torch.randn((5, 3, 3), dtype=torch.float64))
    factor.diagonal(dim1=1, dim2=2).abs_().add_(0.1)
    mean = torch.randn((5, 3), dtype=torch.float64)
    prior = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    expected = kl_divergence(MultivariateNormal(mean, scale_tril=factor), prior)
    assert torch.allclose(StandardNormal(3).normal_kl(mean, factor), expected)


def test_of_costly_decoders_fewer_draws_are_taken(monkeypatch):
    """The closed form is met by few draws as well, within the error that they tell."""
    assert refinement.Draws.within(1e9, 1e9) == refinement.Draws(32, 2000)
    assert refinement.Draws.within(11.9, 517.2) == refinement.Draws(10, 516)
    assert refinement.Draws.within(0.1, 0.1) == refinement.Draws(4, 100)
    model = oracles.linear_vae(4)
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    with torch.no_grad():
        model.encoder[1].bias[:4] += 0.3
    monkeypatch.setattr(refinement, "TRAINING_COST", 1)
    monkeypatch.setattr(refinement, "EVALUATION_COST", 1)
    refined = refine_posterior(model, x, steps=150, prior_starts=0)
    gap = refined.approximation_gap(oracles.exact_posterior(model, x)[2])
    assert (refined.elbo_error > 0).all() and (gap < 0.3 + 4 * refined.elbo_error).all()
    assert (refined.amortisation_gap > 0).all()
