"""Importance-weighted log p(x): closed forms, its diagnostics and its bounds."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.likelihood import estimate_log_px, summarise_weights
from explorer.config import ModelConfig
from explorer.config.model import LIKELIHOOD_NAMES
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.models.likelihoods.bernoulli import sum_softplus
from tests.analysis import oracles


def test_exact_where_the_encoder_is_the_posterior(linear):
    model, x = linear
    result = estimate_log_px(model, x, 3)
    assert result.log_px == pytest.approx(oracles.exact_posterior(model, x)[2], abs=1e-9)
    assert result.ess == pytest.approx(np.full(40, 3.0))
    assert not result.flagged.any()


def test_full_covariance_proposal_is_exact_too():
    model = oracles.linear_vae(rotate=0.6)
    x = torch.from_numpy(oracles.digit_pixels()[:10])
    mean, covariance, log_px = oracles.exact_posterior(model, x)
    factor = torch.from_numpy(np.linalg.cholesky(covariance)).expand(10, 2, 2)
    result = estimate_log_px(model, x, 2, proposal=(torch.from_numpy(mean), factor))
    assert result.log_px == pytest.approx(log_px, abs=1e-9)


def test_wrong_encoder_converges_from_below():
    model = oracles.linear_vae(rotate=0.6)
    x = torch.from_numpy(oracles.digit_pixels()[:50])
    exact = oracles.exact_posterior(model, x)[2]
    biases = [float((estimate_log_px(model, x, s).log_px - exact).mean()) for s in (1, 20, 4000)]
    assert biases[0] < biases[1] < 0.05
    assert biases[2] == pytest.approx(0, abs=0.02)


def test_standard_error_is_honest():
    model = oracles.linear_vae(rotate=0.3)
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    runs = [estimate_log_px(model, x, 500, seed=seed) for seed in range(60)]
    spread = np.std([run.log_px for run in runs], axis=0)
    assert np.mean([run.standard_error for run in runs], axis=0) == pytest.approx(spread, rel=0.4)


def test_encoder_far_from_the_posterior_is_flagged():
    model = oracles.linear_vae()
    with torch.no_grad():
        model.encoder[1].bias[:2] += 3.0
    result = estimate_log_px(model, torch.from_numpy(oracles.digit_pixels()[:8]), 500)
    assert result.flagged.all()
    assert (result.pareto_k > 0.7).any()


def test_blocks_and_shared_features_change_nothing(monkeypatch):
    """Bernoulli, against log weights written with torch.distributions, whatever the chunk."""
    model = oracles.small_bernoulli()
    x = (torch.rand((5, 1, 8, 8), generator=torch.Generator().manual_seed(0)) < 0.4).float()
    mean, logvar = model.encode_parameters(x)
    q = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    prior = torch.distributions.Normal(0.0, 1.0)
    torch.manual_seed(0)
    z = q.sample((3_000,))
    log_weights = prior.log_prob(z).sum(2) - q.log_prob(z).sum(2)
    scored = [model.decode(zs).log_prob(x) for zs in z]
    expected = logsumexp((log_weights + torch.stack(scored)).detach().numpy(), 0) - math.log(3_000)
    result = estimate_log_px(model, x, 3_000)
    assert (np.abs(result.log_px - expected) < 6 * result.standard_error).all()
    assert result.elbo == pytest.approx(
        (log_weights + torch.stack(scored)).mean(0).detach().numpy(), abs=0.5
    )


def test_stop_returns_what_is_finished(linear):
    model, x = linear
    calls: list[float] = []
    result = estimate_log_px(model, x, 1024, progress=calls.append, stop=lambda: len(calls) >= 3)
    assert len(result.log_px) == 3
    assert calls == pytest.approx([1 / 40, 2 / 40, 3 / 40])


def test_equal_weights_have_full_effective_size():
    log_mean, error, ess, pareto_k, elbo = summarise_weights(np.full((2, 200), -1000.0))
    assert log_mean == pytest.approx([-1000, -1000])
    assert ess == pytest.approx([200, 200])
    assert error == pytest.approx([0, 0])
    assert (pareto_k == -np.inf).all()
    assert elbo == pytest.approx([-1000, -1000])


def test_bits_per_dim():
    x = torch.from_numpy(oracles.digit_pixels()[:2])
    model = oracles.linear_vae()
    result = estimate_log_px(model, x, 2)
    # A density on [0, 1] for 8-bit values: subtract D·ln 256.
    eight_bit = -(result.log_px - 64 * math.log(256)) / (64 * math.log(2))
    assert result.bits_per_dim == pytest.approx(eight_bit)
    grey = VAE(ModelConfig(hidden=(8,), binarise=False), (1, 8, 8))
    assert estimate_log_px(grey, x.float(), 2).bits_per_dim is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.1, 10.0, 1000.0])
def test_sum_softplus(dtype, scale):
    logits = scale * torch.randn((50, 784), generator=torch.Generator().manual_seed(1))
    expected = torch.logaddexp(logits.double(), torch.zeros(())).sum(1)
    found = sum_softplus(logits.to(dtype)).double()
    assert torch.allclose(found, expected, rtol=1e-6 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("likelihood", LIKELIHOOD_NAMES)
@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_emission_is_the_models_own_likelihood(likelihood, network):
    torch.manual_seed(0)
    config = ModelConfig(
        network=network, hidden=(8, 8), likelihood=likelihood, latent_dim=3, precision="float64"
    )
    model = VAE(config, (1, 16, 16)).eval()
    z = torch.randn((4, 3), dtype=torch.float64)
    x = torch.rand((3, 1, 16, 16), dtype=torch.float64)
    found = Emission(model).log_likelihood(z, x)
    expected = torch.stack([-model.nll(z, image.expand(4, -1, -1, -1)) for image in x], 1)
    assert torch.allclose(found, expected, atol=1e-8)


def test_a_plain_autoencoder_has_no_log_px():
    model = VAE(ModelConfig(hidden=(8,), latent="point"), (1, 8, 8))
    with pytest.raises(ExplorerError, match="autoencoder"):
        estimate_log_px(model, torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(0, 1, 8, 8), "empty"),
        (torch.zeros(2, 1, 9, 8), "shape"),
        (torch.full((1, 1, 8, 8), math.nan), "NaN"),
        (torch.zeros((1, 1, 8, 8), dtype=torch.uint8), "target"),
    ],
)
def test_bad_images_are_one_clear_error(x, message):
    with pytest.raises(ExplorerError, match=message):
        estimate_log_px(oracles.small_bernoulli(), x, 2)
