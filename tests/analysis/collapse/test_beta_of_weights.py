"""The β that weights imply: known ones are told, and where there is none that is said."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.analysis.collapse.beta_of_weights import (
    count_decoding,
    expected_survivors,
    implied_beta,
)
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.models import VAE, build_model
from explorer.models.adopted.balance import measure_balance
from explorer.runs.store import open_run
from tests.analysis import oracles
from tests.helpers import present

SWEEP = [0.1, 0.3, 1, 2, 4, 8, 16, 22]
ABOVE = [34, 40]


@pytest.fixture(scope="module")
def training_images(mnist_root):
    return np.asarray(load_dataset("mnist", data_root=mnist_root).split("train").images[:600])


def member(beta, images):
    return Subject(open_run(f"mnist-beta-sweep/beta-{beta:g}").model, images)


@pytest.mark.mnist
@pytest.mark.parametrize("beta", SWEEP)
def test_the_sweep_tells_its_beta_within_a_fifth(beta, training_images):
    found = implied_beta(member(beta, training_images))
    assert found.beta == pytest.approx(beta, rel=0.2)
    told = present(found.beta)
    assert found.reason == "" and present(found.low) < told < present(found.high)
    assert abs(told - beta) < 4 * present(found.error) + 0.02 * beta


@pytest.mark.mnist
@pytest.mark.parametrize("beta", ABOVE)
def test_where_all_sleep_it_cannot_tell(beta, training_images):
    found = implied_beta(member(beta, training_images))
    assert (found.beta, found.error, found.reason) == (None, None, "asleep")
    assert found.to_dict()["per_dim"] == []


@pytest.mark.mnist
def test_a_dead_model_is_told_by_its_images_when_a_latent_would_wake(training_images):
    """docs/science.md §1: 32.4 is the leading eigenvalue of binarised MNIST."""
    subject = member(40, training_images)
    found = expected_survivors(subject, 40.0)
    assert found.threshold == pytest.approx(32.4, abs=3 * found.error + 2)
    assert found.expected[0] == (40.0, 0) and found.expected[1] == (10.0, 2)
    assert [round(beta, 3) for beta, _ in found.expected] == [40.0, 10.0, 2.5]


def test_survivors_of_an_unknown_beta_are_not_foretold():
    run = open_run("digits-collapsed")
    images = np.asarray(load_dataset("digits").split("test").images)
    subject = Subject(run.model, images)
    without = expected_survivors(subject)
    assert without.expected == ()
    assert without.threshold == expected_survivors(subject, 4.0).threshold


@pytest.mark.parametrize("name", ["digits-2d", "strokes-10d"])
def test_models_of_beta_one_tell_one(name):
    run = open_run(name)
    images = np.asarray(load_dataset(present(run.info.dataset).name).split("test").images)
    assert implied_beta(Subject(run.model, images)).beta == pytest.approx(1, rel=0.1)


def linear_optimum(beta):
    """Return the linear β-VAE at its optimum, in closed form: 1/σ_i² = 1 + (wᵀw)_i/(βσ²)."""
    model = oracles.linear_vae()
    decoder, encoder = model.decoder[0], model.encoder[1]
    x = torch.from_numpy(oracles.digit_pixels()).flatten(1)
    centred = x - x.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(x))
    sigma2 = float(model.likelihood.sigma2())
    top, axes = values.flip(0)[:2], vectors.flip(1)[:, :2]
    with torch.no_grad():
        shrink = beta * sigma2 / top  # q's variance at the optimum.
        weights = axes * (top - beta * sigma2).sqrt()
        decoder.weight.copy_(weights)
        decoder.bias.copy_(x.mean(0))
        gain = shrink[:, None] * weights.T / (beta * sigma2)
        raw = 20 * torch.atanh(shrink.log() / 20)
        encoder.weight.copy_(torch.cat([gain, torch.zeros_like(gain)]))
        encoder.bias.copy_(torch.cat([-gain @ x.mean(0), raw]))
    return model


@pytest.mark.parametrize("beta", [0.25, 1.0, 4.0])
def test_the_linear_optimum_tells_its_beta_exactly(beta):
    subject = Subject(linear_optimum(beta), torch.from_numpy(oracles.digit_pixels()))
    found = implied_beta(subject)
    np.testing.assert_allclose(found.per_dim, beta, rtol=0.15)
    assert found.beta == pytest.approx(beta, rel=0.1) and present(found.incoherence) < 0.25


def test_decoding_is_counted_and_large_decoders_are_asked_about_fewer_images(monkeypatch):
    model = open_run("digits-2d").model
    images = np.asarray(load_dataset("digits").split("test").images)
    subject = Subject(model, images)
    products = 2 * 128 + 128 * 256 + 256 * 64
    assert count_decoding(subject) == products
    monkeypatch.setattr("explorer.analysis.collapse.beta_of_weights.BUDGET", 6 * products * 4 * 100)
    assert implied_beta(subject).images == 100
    monkeypatch.setattr("explorer.analysis.collapse.beta_of_weights.BUDGET", 1)
    assert implied_beta(subject).images == 24


def test_a_wrong_spread_is_incoherent():
    """σ taken for σ²: dimensions and images no longer speak of one β."""
    run = open_run("strokes-10d")
    images = np.asarray(load_dataset("strokes").split("test").images[:300])
    subject = Subject(run.model, images)
    mean, logvar = subject.posterior

    def nll(z, x):
        return run.model.nll(z, x)

    right = measure_balance(nll, subject.x, mean, logvar).incoherence()
    wrong = measure_balance(nll, subject.x, mean, logvar / 2).incoherence()
    assert present(wrong) > 3 * present(right)


def test_images_that_it_never_saw_are_no_ground_for_a_verdict():
    run = open_run("strokes-10d")
    rng = np.random.default_rng(0)
    noise = 255 - np.asarray(load_dataset("strokes").split("test").images[:300])
    noise = np.clip(noise + rng.integers(0, 30, noise.shape), 0, 255).astype(np.uint8)
    found = implied_beta(Subject(run.model, noise))
    assert found.beta is None and found.reason == "scattered"


def test_few_images_are_unsure_and_the_same_seed_gives_the_same():
    run = open_run("digits-2d")
    images = np.asarray(load_dataset("digits").split("test").images[:300])
    first, second = (implied_beta(Subject(run.model, images), seed=3) for _ in range(2))
    assert first.beta == second.beta and first.to_dict() == second.to_dict()
    few = implied_beta(Subject(run.model, images[:3]))
    assert few.beta is None or present(few.error) > 2 * present(first.error)


def test_other_priors_and_codes_have_no_such_beta():
    config = ModelConfig(hidden=(8,), prior="mixture", prior_components=2)
    images = np.zeros((4, 1, 8, 8), np.uint8)
    with pytest.raises(ExplorerError, match="mixture"):
        implied_beta(Subject(VAE(config, (1, 8, 8)), images))
    point = dataclasses.replace(config, prior="standard", latent="point")
    with pytest.raises(ExplorerError, match="no density"):
        implied_beta(Subject(build_model(point, (1, 8, 8)), images))
