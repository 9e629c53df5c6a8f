"""The linear theory of a sweep over K: against scipy's density and the terms of torch's normals."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Normal, kl_divergence

from explorer.analysis.checks import as_pixels
from explorer.analysis.collapse.linear import linear_optimum
from explorer.analysis.questions.floor import find_floor
from explorer.analysis.questions.how_many import Member
from explorer.analysis.questions.linear_oracle import (
    find_oracle,
    find_shortfall,
    foretell,
    measure_directions,
)
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.training.fit import fit_config
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import change, make_config


@pytest.fixture(scope="module")
def images():
    return load_dataset("digits")


@pytest.fixture(scope="module")
def pixels(images):
    return [as_pixels(images.split(name).images) for name in ("train", "test")]


def test_on_the_images_it_was_fitted_to_it_is_the_known_optimum(pixels):
    values, moments = measure_directions(pixels[0], pixels[0])
    assert moments == pytest.approx(values, abs=1e-9)
    found = foretell(values, moments, range(1, 13), beta=4.0, sigma2=0.05)
    optima = [linear_optimum(values, k, beta=4.0, sigma2=0.05) for k in found.latents]
    assert found.elbo == pytest.approx([optimum.elbo for optimum in optima])
    assert list(found.active) == [optimum.active for optimum in optima]
    # The table of docs/science.md §1.
    assert found.directions == 7 == found.active[-1]


def test_at_beta_one_it_is_the_density_of_probabilistic_pca_on_held_out_images(pixels):
    known, shown = pixels
    values, moments = measure_directions(known, shown)
    found = foretell(values, moments, [0, 5], beta=1.0)
    vectors = np.linalg.eigh(np.cov(known.T, bias=True))[1][:, ::-1][:, :5]
    rest = values[5:].mean()
    covariance = (vectors * (values[:5] - rest)) @ vectors.T + rest * np.eye(64)
    density = stats.multivariate_normal(known.mean(0), covariance).logpdf(shown).mean()
    assert found.elbo[1] == pytest.approx(density)
    assert found.sigma2 == pytest.approx(rest) and not found.held


def test_at_another_beta_it_is_what_the_two_terms_of_that_model_sum_to(pixels):
    """β = 3: encoder and decoder written out, KL by torch, the error as an expectation."""
    known, shown = (torch.from_numpy(each) for each in pixels)
    beta, sigma2, count = 3.0, 0.1, 6
    values, moments = measure_directions(known.numpy(), shown.numpy())
    found = foretell(values, moments, [count], beta=beta, sigma2=sigma2)
    lam, vectors = torch.linalg.eigh(torch.cov(known.T, correction=0))
    lam, vectors = lam.flip(0)[:count], vectors.flip(1)[:, :count]
    kept = lam > beta * sigma2
    weights = torch.where(kept, lam - beta * sigma2, torch.zeros_like(lam)).clamp_min(0).sqrt()
    variance = 1 / (1 + weights**2 / (beta * sigma2))
    mean = (shown - known.mean(0)) @ vectors * weights / (beta * sigma2) * variance
    kl = kl_divergence(Normal(mean, variance.sqrt()), Normal(0.0, 1.0)).sum(1)
    made = known.mean(0) + mean * weights @ vectors.T
    squares = ((shown - made) ** 2).sum(1) + (weights**2 * variance).sum()
    nll = 32 * np.log(2 * np.pi * sigma2) + squares / (2 * sigma2)
    assert found.elbo[0] == pytest.approx(-float((nll + kl).mean()))
    assert found.active == (int(kept.sum()),)


def test_without_latents_it_is_the_floor_of_the_sweep(tmp_path, images):
    run = train(make_config(2, likelihood="gaussian", sigma2=0.2), tmp_path / "held")
    oracle = present(find_oracle([run], images))
    assert oracle.elbo[0] == pytest.approx(find_floor(run, images))
    assert oracle.held and oracle.level == pytest.approx(0.2)
    fitted = train(change(fit_config("digits", "ppca"), model__latent_dim=4), tmp_path / "ppca")
    theory = present(find_oracle([fitted], images))
    assert theory.elbo[0] == pytest.approx(find_floor(fitted, images))
    assert theory.elbo[4] == pytest.approx(fitted.info.best_results["elbo"], abs=0.1)


def test_where_the_theory_says_nothing_there_is_none(tmp_path, images):
    bernoulli = train(make_config(2), tmp_path / "bernoulli")
    assert find_oracle([bernoulli], images) is None
    config = change(make_config(2, likelihood="gaussian"), objective__free_bits=0.1)
    assert find_oracle([train(config, tmp_path / "bits")], images) is None


def test_networks_that_fall_short_of_a_linear_model_are_told_by_how_much():
    """λ = (9, 4, 1) at βσ² = ½: the theory's ELBO rises with K, and a member lies 3 nats below."""
    oracle = foretell([9.0, 4.0, 1.0], [9.0, 4.0, 1.0], range(4), beta=1.0, sigma2=0.5)
    known = [Member(k, oracle.elbo[k], 1.0, k) for k in (1, 2, 3)]
    assert find_shortfall(known, oracle) is None
    late = [*known[:2], Member(3, oracle.elbo[3] - 3.0, 1.0, 3)]
    assert find_shortfall(late, oracle) == pytest.approx(3.0)
    above = [Member(2, oracle.elbo[2] + 5.0, 1.0, 2)]
    assert find_shortfall(above, oracle) is None, "a network is not bound by the line"


def test_more_latents_than_pixels_are_refused():
    with pytest.raises(ExplorerError, match="one for each eigenvalue"):
        foretell([2.0, 1.0], [2.0, 1.0], [3], beta=1.0, sigma2=0.1)
