"""Symptoms of pictures that were spoilt in a known way, and of linear models in closed form."""

import numpy as np
import pytest
import torch

from explorer.analysis.questions.pictures import (
    gradient_energy,
    judge_model,
    judge_pictures,
    share,
)
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models.likelihoods import build_likelihood
from tests.analysis.oracles import digit_pixels, linear_vae


@pytest.fixture(scope="module")
def waves():
    """Sums of a slow and a fast wave on a ring of 32 pixels, whose energies are known."""
    rng = np.random.default_rng(0)
    place = 2 * np.pi * np.arange(32) / 32
    slow, fast = rng.normal(size=(2, 400, 1, 1, 1))
    row = 0.5 + 0.2 * slow * np.cos(place) + 0.1 * fast * np.cos(8 * place)
    return np.repeat(row, 2, axis=2), 0.5 + 0.2 * slow * np.cos(place) + np.zeros((1, 1, 2, 1))


def test_the_same_picture_for_every_image_is_told_as_alike():
    x = digit_pixels()
    found = judge_pictures(x, np.broadcast_to(x.mean(0), x.shape))
    assert found.symptoms == ("alike",)
    assert found.explained == pytest.approx(0, abs=1e-9) and found.spread < 1e-9


def test_pictures_that_are_the_images_have_no_symptom():
    found = judge_pictures(digit_pixels(), digit_pixels())
    assert found.symptoms == () and found.explained == 1
    assert found.sharpness == 1 == pytest.approx(found.spread)


def test_without_the_fast_wave_edges_are_lost(waves):
    x, slow = waves
    found = judge_pictures(x, slow, verdicts=["active"])
    assert found.symptoms == ("blurred",) and found.source == "narrow"
    assert judge_pictures(x, slow, verdicts=["active", "collapsed"]).source == "wide"
    assert judge_pictures(x, slow).source is None
    # Of variances .04 and .01 the slow wave has four fifths.
    assert found.explained == pytest.approx(0.8, abs=4 * found.explained_error)
    # |e^{ik·2π/32} − 1|² weighs a wave's energy: that of the fast one is .01·.5858·… of the whole.
    weight = 4 * np.sin(np.pi * np.array([1, 8]) / 32) ** 2 * [0.04, 0.01]
    assert found.sharpness == pytest.approx(weight[0] / weight.sum(), abs=0.1)


def test_pictures_of_other_images_explain_less_than_nothing():
    x = digit_pixels()
    found = judge_pictures(x, np.roll(x, 1, axis=0))
    assert found.symptoms == ("unlike",)
    # E‖x − x'‖² of independent ones is 2 Var x.
    shuffled = x[np.random.default_rng(0).permutation(len(x))]
    assert judge_pictures(x, shuffled).explained == pytest.approx(-1, abs=0.05)


def test_noise_of_the_decoder_is_overdone_edges():
    x = digit_pixels()
    noisy = x + 0.3 * np.random.default_rng(0).normal(size=x.shape)
    found = judge_pictures(x, noisy)
    assert "overdone" in found.symptoms
    # Each of the 112 neighbouring pairs gains 2·.09.
    gained = gradient_energy(noisy).mean() - gradient_energy(x).mean()
    assert gained == pytest.approx(112 * 2 * 0.09, rel=0.05)


def test_a_fixed_sigma_is_held_against_the_error_that_is_left():
    x = digit_pixels()
    off = x + 0.1 * np.random.default_rng(0).choice([-1, 1], size=x.shape)
    assert judge_pictures(x, off).left == pytest.approx(0.01)
    assert "wide_sigma" in judge_pictures(x, off, sigma2=0.021).symptoms
    assert "narrow_sigma" in judge_pictures(x, off, sigma2=0.0049).symptoms
    between = judge_pictures(x, off, sigma2=0.01).symptoms
    assert not {"wide_sigma", "narrow_sigma"} & set(between)


def test_the_linear_model_explains_what_its_eigenvalues_say():
    """At q's means x̂ keeps 1 − s/λ along u_i: what is lost is s²/λ_i there, and λ_i beyond K."""
    x = digit_pixels()
    values = np.linalg.eigvalsh(np.cov(x.reshape(-1, 64).T, bias=True))[::-1]
    found = judge_model(linear_vae(8), (255 * x).round().astype(np.uint8)[:500])
    lost = (0.05**2 / values[:8]).sum() + values[8:].sum()
    assert found.explained == pytest.approx(1 - lost / values.sum(), abs=0.03)
    assert found.sigma2 == pytest.approx(0.05)
    spread = (values[:8] * (1 - 0.05 / values[:8]) ** 2).sum() / values.sum()
    assert found.spread == pytest.approx(spread, abs=0.03)


def test_a_decoder_that_ignores_z_is_told_as_alike():
    model = linear_vae(2)
    with torch.no_grad():
        model.decoder[0].weight.zero_()
    images = (255 * digit_pixels()[:200]).round().astype(np.uint8)
    assert "alike" in judge_model(model, images).symptoms


def test_the_error_of_a_share_is_that_of_drawing_anew():
    rng = np.random.default_rng(0)
    whole = rng.gamma(2.0, size=(300, 500))
    part = 0.4 * whole + 0.1 * rng.normal(size=whole.shape)
    found = [share(p, w) for p, w in zip(part, whole, strict=True)]
    assert np.mean([error for _, error in found]) == pytest.approx(
        np.std([value for value, _ in found]), rel=0.15
    )


def test_one_image_is_no_sample():
    with pytest.raises(ExplorerError, match="at least two images"):
        judge_pictures(digit_pixels()[:1], digit_pixels()[:1])


def test_only_a_variance_that_is_held_fixed_is_held_against_the_error():
    def held(likelihood):
        return build_likelihood(ModelConfig(likelihood=likelihood, sigma2=0.2), (1, 2, 2))

    assert held("gaussian").held_sigma2() == pytest.approx(0.2)
    for name in ("gaussian-learned", "gaussian-optimal", "bernoulli"):
        assert held(name).held_sigma2() is None
