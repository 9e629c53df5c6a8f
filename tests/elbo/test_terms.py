"""Objectives, term by term, against torch.distributions and direct computation."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from explorer.config import ModelConfig, ObjectiveConfig
from explorer.elbo.terms import (
    choose_objective,
    elbo_terms,
    iwae_terms,
    price_kl,
    sample_codes,
)
from explorer.models import VAE
from explorer.models.priors import gaussian_kl
from tests.helpers import present


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def a_model(**settings):
    torch.manual_seed(0)
    config = ModelConfig(**{"hidden": (8,), "latent_dim": 3, "precision": "float64", **settings})
    return VAE(config, (1, 4, 4))


def some_x(batch=6):
    return torch.rand((batch, 1, 4, 4), generator=seeded(1), dtype=torch.float64).round()


# KL


def test_kl_is_that_of_torch_distributions():
    mean = 3 * torch.randn((50, 4), generator=seeded(), dtype=torch.float64)
    logvar = 4 * torch.randn((50, 4), generator=seeded(1), dtype=torch.float64)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, logvar), expected, rtol=1e-12, atol=1e-12)


def test_kl_is_zero_at_the_prior_and_keeps_its_digits_near_it():
    assert gaussian_kl(torch.zeros(3), torch.zeros(3)).tolist() == [0, 0, 0]
    logvar = torch.tensor([1e-3, -1e-3])
    exact = gaussian_kl(torch.zeros(2, dtype=torch.float64), logvar.double())
    torch.testing.assert_close(
        gaussian_kl(torch.zeros(2), logvar).double(), exact, rtol=1e-3, atol=0
    )


def test_free_bits_make_kl_below_lambda_cost_lambda_in_the_mean_over_the_batch():
    """Kingma et al. 2016, Eq. 15."""
    kl = torch.tensor([[0.0, 1.0, 3.0], [0.4, 0.0, 5.0]], requires_grad=True)
    cost = price_kl(kl, 2.0, ObjectiveConfig(free_bits=0.5))
    assert cost.item() == pytest.approx(2 * (0.5 + 0.5 + 4.0))
    cost.backward()
    assert present(kl.grad)[:, 0].tolist() == [0, 0]
    assert present(kl.grad)[:, 2].tolist() == [1, 1]
    assert price_kl(kl, 2.0, ObjectiveConfig()).item() == pytest.approx(2 * 4.7)


# The β-ELBO


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_objective_is_reconstruction_plus_beta_kl(beta):
    model, x = a_model(), some_x()
    terms = elbo_terms(model, x, beta, ObjectiveConfig(), seeded())
    posterior = model.encode(x)
    mean, logvar = model.encode_parameters(x)
    z = sample_codes(mean, logvar, 1, seeded())
    reconstruction = -model.decode(z).log_prob(x)
    kl = kl_divergence(posterior.base_dist, Normal(torch.zeros_like(mean), 1.0))
    torch.testing.assert_close(terms.reconstruction, reconstruction)
    torch.testing.assert_close(terms.kl_per_dim, kl)
    torch.testing.assert_close(terms.bound, -(reconstruction + kl.sum(1)))
    torch.testing.assert_close(terms.objective, reconstruction.mean() + beta * kl.sum(1).mean())


def test_l_samples_are_averaged_for_each_image():
    model, x = a_model(), some_x()
    terms = elbo_terms(model, x, 1.0, ObjectiveConfig(samples=5), seeded())
    mean, logvar = model.encode_parameters(x)
    z = sample_codes(mean, logvar, 5, seeded()).view(5, 6, 3)
    expected = torch.stack([-model.decode(codes).log_prob(x) for codes in z]).mean(0)
    torch.testing.assert_close(terms.reconstruction, expected)


def test_codes_are_drawn_from_the_posterior():
    mean = torch.tensor([[0.0, 3.0], [-1.0, 0.5]], dtype=torch.float64)
    logvar = torch.tensor([[0.0, -4.0], [1.0, 2.0]], dtype=torch.float64)
    z = sample_codes(mean, logvar, 20_000, seeded()).view(20_000, 2, 2)
    torch.testing.assert_close(z.mean(0), mean, rtol=0, atol=0.1)
    torch.testing.assert_close(z.var(0), logvar.exp(), rtol=0.1, atol=0)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("samples", [1, 4])
def test_an_autoencoder_has_no_kl_and_may_have_noise(samples, noise):
    model, x = a_model(latent="point", noise=noise, likelihood="gaussian"), some_x()
    terms = elbo_terms(model, x, 5.0, ObjectiveConfig(samples=samples), seeded())
    mean, _ = model.encode_parameters(x)
    assert terms.kl_per_dim is None
    assert terms.reconstruction.shape == (6,)
    torch.testing.assert_close(terms.objective, terms.reconstruction.mean())
    if noise:
        z = sample_codes(mean, torch.full_like(mean, 2 * math.log(noise)), samples, seeded())
        nll = -model.decode(z).log_prob(x.repeat(samples, 1, 1, 1)).view(samples, 6).mean(0)
        torch.testing.assert_close(terms.reconstruction, nll)
    else:
        torch.testing.assert_close(terms.reconstruction, model.nll(mean, x))


# The importance-weighted bound


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("k", [1, 2, 50])
def test_the_bound_is_that_of_densities_from_torch_distributions(k, likelihood):
    """Burda et al. 2015, Eq. 8."""
    model, x = a_model(likelihood=likelihood), some_x()
    terms = iwae_terms(model, x, 1.0, ObjectiveConfig(importance_samples=k), seeded())
    posterior, prior = model.encode(x), model.prior.distribution()
    mean, logvar = model.encode_parameters(x)
    z = sample_codes(mean, logvar, k, seeded()).view(k, 6, 3)
    log_weights = torch.stack(
        [
            model.decode(codes).log_prob(x) + prior.log_prob(codes) - posterior.log_prob(codes)
            for codes in z
        ]
    )
    bound = torch.logsumexp(log_weights, 0) - math.log(k)
    torch.testing.assert_close(terms.bound, bound, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(terms.objective, -bound.mean())
    torch.testing.assert_close(terms.kl_per_dim, gaussian_kl(mean, logvar))


def test_more_samples_climb_from_the_elbo_to_log_p_of_x():
    """A linear decoder, whose log p(x) is that of N(b, WWᵀ + σ²I)."""
    model = a_model(network="linear", hidden=(), likelihood="gaussian", sigma2=0.5)
    x = some_x(4)
    linear = model.decoder[0]
    covariance = linear.weight @ linear.weight.T + 0.5 * torch.eye(16, dtype=torch.float64)
    exact = MultivariateNormal(linear.bias, covariance).log_prob(x.flatten(1)).mean()
    bounds = [
        iwae_terms(model, x, 1.0, ObjectiveConfig(importance_samples=k), seeded()).bound.mean()
        if k > 1
        else elbo_terms(model, x, 1.0, ObjectiveConfig(samples=1000), seeded()).bound.mean()
        for k in (1, 10, 1000)
    ]
    assert bounds[0] < bounds[1] < bounds[2]
    assert bounds[2].item() == pytest.approx(exact.item(), abs=0.06)


def test_the_config_chooses_the_objective():
    assert choose_objective(ObjectiveConfig()) is elbo_terms
    assert choose_objective(ObjectiveConfig(importance_samples=2)) is iwae_terms
