"""Exact inference under a learned mixture prior, against the closed form of a linear model."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from explorer.analysis.inference.exact import identity_residual, infer_posterior
from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.mcmc import sample_posterior
from explorer.analysis.inference.refinement import refine_posterior
from explorer.config import ModelConfig
from explorer.models import VAE
from explorer.models.priors import MixturePrior
from tests.helpers import of_kind

SIGMA2 = 0.3


@pytest.fixture(scope="module")
def model():
    """x = Wz + b + noise, z from three normals, one of them far away: p(x) is known."""
    torch.manual_seed(0)
    config = ModelConfig(
        network="linear",
        hidden=(),
        latent_dim=2,
        likelihood="gaussian",
        sigma2=SIGMA2,
        prior="mixture",
        prior_components=3,
        precision="float64",
    )
    model = VAE(config, (1, 2, 3)).requires_grad_(False)
    prior = of_kind(MixturePrior, model.prior)
    prior.mean.copy_(torch.tensor([[-1.0, 0.5], [1.0, 0.0], [2.0, 4.0]]))
    prior.raw_logvar.copy_(torch.tensor([[0.0, -1.0], [-2.0, 0.5], [-1.0, -1.0]]))
    prior.logits.copy_(torch.tensor([0.0, 0.7, -0.5]))
    return model.eval()


@pytest.fixture(scope="module")
def x(model):
    z = model.prior.sample(8, torch.Generator().manual_seed(1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return model.decode(z).sample()


@pytest.fixture(scope="module")
def log_px(model, x):
    """Σ_c π_c N(x; W m_c + b, W S_c Wᵀ + σ²I)."""
    linear = model.decoder[0]
    weight, mixture = linear.weight, model.prior
    covariance = weight @ torch.diag_embed(mixture.scale() ** 2) @ weight.T
    covariance = covariance + SIGMA2 * torch.eye(6, dtype=torch.float64)
    parts = MultivariateNormal(mixture.mean @ weight.T + linear.bias, covariance)
    px = MixtureSameFamily(Categorical(logits=mixture.logits), parts)
    return px.log_prob(x.flatten(1)).numpy()


def test_the_grid_finds_the_known_log_px(model, x, log_px):
    posterior = infer_posterior(model, x)
    assert posterior.certified.all()
    np.testing.assert_allclose(posterior.log_px, log_px, atol=1e-3)
    assert np.abs(identity_residual(model, x, posterior)).max() < 0.01
    assert (posterior.information > 0).all()


def test_importance_weights_find_it_too(model, x, log_px):
    posterior = infer_posterior(model, x)
    wide = 1.3 * np.linalg.cholesky(posterior.covariance)
    proposal = (torch.from_numpy(posterior.mean), torch.from_numpy(wide))
    found = estimate_log_px(model, x, samples=5000, proposal=proposal)
    error = np.abs(found.log_px - log_px)[~found.flagged]
    assert len(error) >= 4
    assert (error < 5 * found.standard_error[~found.flagged]).all()


def test_refinement_ends_between_the_encoder_and_log_px(model, x, log_px):
    found = refine_posterior(model, x[:2], family="full", steps=60)
    assert (found.elbo <= log_px[:2] + 1e-3).all()
    assert (found.amortisation_gap > 0).all()


def test_chains_agree_with_the_grid(model, x):
    posterior = infer_posterior(model, x[:1])
    chains = sample_posterior(model, x[:1], draws=200, warmup=150)
    np.testing.assert_allclose(chains.mean, posterior.mean, atol=0.2)
