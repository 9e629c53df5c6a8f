"""One image's ELBO by pairs of draws: the closed form of linear models, and an honest error."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from explorer.analysis.inference.elbo import (
    FEWEST_PAIRS,
    SAMPLING_COST,
    average_pairs,
    balance_image,
    estimate_elbo,
)
from explorer.elbo.evaluation import evaluate_elbo
from explorer.errors import ExplorerError
from tests.analysis import oracles


@torch.no_grad()
def closed_form(model, x):
    """Return (E_q log p(x|z), KL) of a linear Gaussian model: log p at μ less tr(WᵀW S)/2σ²."""
    mean, logvar = model.encode_parameters(x)
    weight, sigma2 = model.decoder[0].weight, float(model.likelihood.sigma2())
    at_mean = Normal(model.decode(mean).mean, math.sqrt(sigma2)).log_prob(x).sum()
    lost = 0.5 * (weight.square().sum(0) * logvar[0].exp()).sum() / sigma2
    kl = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum()
    return float(at_mean - lost), float(kl)


@pytest.mark.parametrize("latents", [1, 2, 6])
def test_where_latents_do_not_interact_the_pairs_are_exact(latents):
    """Then log p(x|z) is a sum over dimensions of squares, all of which the controls explain."""
    model = oracles.linear_vae(latents)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    found = estimate_elbo(model, x)
    reconstruction, kl = closed_form(model, x)
    assert found.reconstruction == pytest.approx(-reconstruction, abs=1e-6)
    assert found.kl == pytest.approx(kl, abs=1e-9)
    assert found.elbo == pytest.approx(reconstruction - kl, abs=1e-6)
    assert found.error < 1e-6 and found.decodes == 2 * FEWEST_PAIRS


def test_draws_go_on_until_the_error_is_reached():
    model = oracles.linear_vae(rotate=0.6)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    coarse = estimate_elbo(model, x, 0.1)
    fine = estimate_elbo(model, x, 0.002)
    assert fine.error <= 0.002 < coarse.error <= 0.1
    assert coarse.decodes < fine.decodes
    assert fine.elbo == pytest.approx(sum((1, -1) * np.array(closed_form(model, x))), abs=0.01)


def spread_over_seeds(model, x, count=150):
    """Return values (count,) and stated errors (count,) of estimates of 128 decodes each."""
    found = [estimate_elbo(model, x, 1e-9, most_decodes=128, seed=s) for s in range(count)]
    assert {one.decodes for one in found} == {128}
    return np.array([one.elbo for one in found]), np.array([one.error for one in found])


def test_the_stated_error_is_the_spread_about_the_truth():
    model = oracles.linear_vae(rotate=0.6)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    values, errors = spread_over_seeds(model, x)
    reconstruction, kl = closed_form(model, x)
    off = (values - (reconstruction - kl)) / errors
    assert off.mean() == pytest.approx(0, abs=0.3)
    assert np.sqrt(np.mean(off**2)) == pytest.approx(1, abs=0.2)


def test_a_bernoulli_decoder_gives_what_plain_draws_give_and_says_its_error():
    model = oracles.small_bernoulli(4)
    images = np.array([[[[0, 255] * 4] * 8]], np.uint8)
    plain = evaluate_elbo(model, images, draws=5_000)
    values, errors = spread_over_seeds(model, torch.from_numpy(images / 255).float())
    assert values.mean() == pytest.approx(float(plain.elbo_per_image[0]), abs=0.25)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(ddof=1), rel=0.2)


def test_controls_leave_alone_what_is_too_little_to_fit_them():
    rng = np.random.default_rng(0)
    pairs, noise = rng.normal(size=64), rng.normal(size=(64, 9))
    mean, error = average_pairs(pairs, noise)
    assert mean == pytest.approx(pairs.mean())
    assert error == pytest.approx(pairs.std(ddof=1) / 8)


def test_the_identity_of_one_image_takes_the_elbo_from_pairs(monkeypatch):
    """And fewer samples where a decode costs more; both estimates lie about their closed forms."""
    model = oracles.linear_vae(4, rotate=0.3)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    found, elbo, samples = balance_image(model, x)
    reconstruction, kl = closed_form(model, x)
    assert samples == 5000
    assert found.log_px == pytest.approx(oracles.exact_posterior(model, x)[2], abs=0.1)
    assert found.reconstruction == pytest.approx([-reconstruction], abs=5 * elbo.error)
    assert found.kl == pytest.approx([kl])
    path = "explorer.analysis.inference.elbo.decoding_cost"
    for cost, expected in ((SAMPLING_COST // 800, 800), (10 * SAMPLING_COST, 500)):
        monkeypatch.setattr(path, lambda model, cost=cost: cost)
        assert balance_image(model, x)[2] == expected


def test_the_end_can_be_asked_for_and_progress_is_told():
    model = oracles.linear_vae(rotate=0.6)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    told: list[float] = []
    found = estimate_elbo(model, x, 1e-9, progress=told.append, stop=lambda: len(told) == 3)
    assert len(told) == 3 and found.decodes < 4096
    assert told == sorted(told) and 0 < told[0] < told[-1] < 1
    whole = estimate_elbo(model, x, 0.1, progress=told.append)
    assert told[-1] == 1 and whole.error <= 0.1


@pytest.mark.parametrize("arguments", [{"error": 0.0}, {"error": math.nan}, {"most_decodes": 10}])
def test_what_cannot_be_asked_is_one_sentence(arguments):
    model = oracles.linear_vae()
    with pytest.raises(ExplorerError, match="positive"):
        estimate_elbo(model, torch.from_numpy(oracles.digit_pixels()[:1]), **arguments)
