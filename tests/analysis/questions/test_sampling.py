"""Sampling from models whose codes lie where they were put: pixels that are the code itself."""

import numpy as np
import pytest
import torch

from explorer.analysis.questions.sampling import decide, judge_sampling, sample_aggregate
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models import VAE

SIDE = 4
LATENTS = SIDE * SIDE


def scaled(scale, shift=0.0):
    """A model of 16 pixels whose code is (x − ½)·8·scale + shift, with a narrow q: x̂ is x."""
    config = ModelConfig(
        network="linear", hidden=(), latent_dim=LATENTS, likelihood="gaussian", sigma2=1e-3
    )
    model = VAE(config, (1, SIDE, SIDE)).eval()
    encoder, decoder = (
        next(part for part in network if isinstance(part, torch.nn.Linear))
        for network in (model.encoder, model.decoder)
    )
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[:LATENTS] = 8 * scale * torch.eye(LATENTS)
        encoder.bias[:LATENTS] = -4 * scale + shift
        encoder.bias[LATENTS:] = -6.0
        decoder.weight.copy_(torch.eye(LATENTS) / (8 * scale))
        decoder.bias.fill_(0.5 - shift / (8 * scale))
    return model


def grey(count, seed):
    """Independent grey pixels ½ ± ⅛: codes of `scaled(1)` are N(0, I)."""
    x = 0.5 + np.random.default_rng(seed).normal(size=(count, 1, SIDE, SIDE)) / 8
    return (255 * x).round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images():
    return grey(3000, 0), grey(500, 1)


def test_codes_that_follow_the_prior_are_sampled_well(images):
    found = judge_sampling(scaled(1.0), *images)
    assert found.verdict == "good" and found.off == ()
    assert found.prior == pytest.approx(0.05, abs=4 * found.prior_error)


def test_codes_that_are_too_narrow_are_a_mismatch_that_a_fitted_density_mends(images):
    """The prior is four times as wide as the codes: its pictures are four times too far off."""
    found = judge_sampling(scaled(0.25), *images)
    assert found.verdict == "mismatch" and found.off == tuple(range(LATENTS))
    assert found.prior > 0.9
    assert found.fitted == pytest.approx(0.05, abs=4 * found.fitted_error)


def test_codes_beside_the_prior_are_a_mismatch(images):
    assert judge_sampling(scaled(1.0, shift=3.0), *images).verdict == "mismatch"


def test_between_islands_no_normal_helps():
    def islands(count, seed):
        rng = np.random.default_rng(seed)
        side = rng.choice([-1, 1], size=(count, 1, 1, 1))
        x = 0.5 + 0.3 * side + 0.01 * rng.normal(size=(count, 1, SIDE, SIDE))
        return (255 * x).round().astype(np.uint8)

    found = judge_sampling(scaled(1.0), islands(2000, 0), islands(400, 1))
    assert found.verdict == "holes" and min(found.prior, found.fitted) > 0.8


def test_poor_reconstructions_leave_no_such_question(images):
    model = scaled(1.0)
    with torch.no_grad():
        next(p for p in model.decoder if isinstance(p, torch.nn.Linear)).weight.zero_()
    assert judge_sampling(model, *images).verdict == "poor"
    assert decide((0.2, 0.1), (0.05, 0.01), 0.9) == "unsure"


def test_draws_of_the_aggregate_have_its_mean_and_total_variance():
    rng = np.random.default_rng(0)
    mean = rng.normal(1.0, 0.6, (20_000, 1))
    z = sample_aggregate(mean, np.full_like(mean, np.log(0.64)))
    assert (z.mean(), z.var()) == pytest.approx((1.0, 1.0), abs=0.03)


def test_another_prior_is_refused(images):
    config = ModelConfig(network="linear", hidden=(), prior="mixture", likelihood="gaussian")
    with pytest.raises(ExplorerError, match="mixture"):
        judge_sampling(VAE(config, (1, SIDE, SIDE)).eval(), *images)
