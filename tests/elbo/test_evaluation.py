"""Evaluation: the same figures by the same seed, in chunks, and exact where they can be."""

import numpy as np
import pytest
import torch

from explorer.config import ModelConfig
from explorer.elbo import evaluation
from explorer.elbo.encoding import encode_images
from explorer.elbo.evaluation import evaluate_elbo
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.models.priors import gaussian_kl
from tests.helpers import present


def some_images(count=40, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 6, 6), dtype=np.uint8)


def a_model(**settings):
    torch.manual_seed(0)
    config = ModelConfig(**{"hidden": (8,), "latent_dim": 3, "precision": "float64", **settings})
    return VAE(config, (1, 6, 6))


def test_the_same_seed_gives_the_same_figures():
    model, images = a_model(), some_images()
    first, second = (evaluate_elbo(model, images, draws=3, seed=5).to_dict() for _ in range(2))
    other = evaluate_elbo(model, images, draws=3, seed=6).to_dict()
    assert first == second
    assert first["elbo"] != other["elbo"]


def test_the_terms_add_up():
    found = evaluate_elbo(a_model(), some_images(), draws=2)
    values = found.to_dict()
    assert values["elbo"] == pytest.approx(-(values["reconstruction"] + values["kl"]))
    assert values["kl"] == pytest.approx(sum(values["kl_per_dim"]))
    assert (values["images"], values["draws"]) == (40, 2)
    expected = found.elbo_per_image.std(ddof=1) / 40**0.5
    assert values["elbo_standard_error"] == pytest.approx(expected)
    single = evaluate_elbo(a_model(), some_images(1)).to_dict()
    assert single["elbo_standard_error"] is None


def test_a_linear_gaussian_model_has_its_closed_form():
    """E_q −log p(x|z) = −log p(x|μ) + Σ_j ‖w_j‖² σ_j² / (2σ²); KL has no sampling error at all."""
    model = a_model(network="linear", hidden=(), likelihood="gaussian", sigma2=0.5)
    images = some_images()
    x = torch.from_numpy(images).double() / 255
    mean, logvar = model.encode_parameters(x)
    spread = logvar.exp() @ model.decoder[0].weight.square().sum(0)
    exact = (model.nll(mean, x) + spread / (2 * 0.5)).mean().item()
    found = evaluate_elbo(model, images, draws=1000)
    assert found.reconstruction == pytest.approx(exact, rel=2e-3)
    expected = gaussian_kl(mean, logvar).mean(0).detach().numpy()
    np.testing.assert_allclose(present(found.kl_per_dim), expected, rtol=1e-12)


def test_chunks_change_nothing_but_the_draws(monkeypatch):
    model = a_model(latent="point", likelihood="gaussian")
    images = some_images()
    whole = evaluate_elbo(model, images)
    heard: list[float] = []
    codes, _ = encode_images(model, images)
    monkeypatch.setattr(evaluation, "CHUNK_VALUES", 36 * 7)
    parts = evaluate_elbo(model, images, progress=heard.append)
    np.testing.assert_allclose(parts.elbo_per_image, whole.elbo_per_image, rtol=1e-12)
    np.testing.assert_allclose(encode_images(model, images)[0], codes, rtol=1e-6)
    assert len(heard) == 6 and heard[-1] == 1.0 and heard == sorted(heard)


def test_an_autoencoder_has_no_kl_not_a_kl_of_zero():
    model = a_model(latent="point", likelihood="gaussian")
    found = evaluate_elbo(model, some_images())
    assert found.kl_per_dim is None
    assert "kl" not in found.to_dict() and "kl_per_dim" not in found.to_dict()
    assert found.to_dict()["elbo"] == pytest.approx(-found.reconstruction)
    assert encode_images(model, some_images())[1] is None


def test_codes_are_those_of_the_posterior():
    model = a_model(likelihood="gaussian")
    images = some_images()
    mean, logvar = encode_images(model, images)
    assert logvar is not None
    posterior = model.encode(torch.from_numpy(images).double() / 255)
    assert mean.dtype == logvar.dtype == np.float32
    np.testing.assert_allclose(mean, posterior.mean.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.exp(logvar), posterior.variance.detach(), rtol=1e-5)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((0, 1, 6, 6), np.uint8),
        np.zeros((2, 6, 6), np.uint8),
        np.zeros((2, 1, 6, 6), np.float32),
        np.zeros((2, 1, 8, 8), np.uint8),
        np.zeros((2, 3, 6, 6), np.uint8),
    ],
)
def test_images_that_do_not_fit_are_told(images):
    with pytest.raises(ExplorerError):
        evaluate_elbo(a_model(), images)
    with pytest.raises(ExplorerError):
        encode_images(a_model(), images)
