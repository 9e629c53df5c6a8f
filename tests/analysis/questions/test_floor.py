"""The floor without latents: against scipy's densities around the training images' mean."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from explorer.analysis.questions.floor import (
    FLOORS,
    SMALLEST_VARIANCE,
    find_floor,
    score_mean,
    score_median,
    score_pixels,
    take_evenly,
)
from explorer.datasets import ImageDataset, load_dataset
from explorer.training.fit import fit_config
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import change, make_config


@pytest.fixture(scope="module")
def images():
    return load_dataset("digits")


@pytest.fixture(scope="module")
def pixels(images):
    return [images.split(name).images.reshape(-1, 64) / 255 for name in ("train", "test")]


def test_of_a_bernoulli_it_is_the_cross_entropy_with_the_mean_image(tmp_path, images, pixels):
    run = train(make_config(2), tmp_path / "bernoulli")
    guess, p = (each.mean(0) for each in pixels)
    inside = (guess > 0) & (guess < 1)
    score = p * np.log(np.where(inside, guess, 1)) + (1 - p) * np.log(
        np.where(inside, 1 - guess, 1)
    )
    assert find_floor(run, images) == pytest.approx(score.sum(), abs=0.1)


def test_of_a_gaussian_it_is_the_density_around_the_mean_image_at_its_own_sigma(
    tmp_path, images, pixels
):
    run = train(make_config(2, likelihood="gaussian", sigma2=0.3), tmp_path / "gaussian")
    known, shown = pixels
    density = stats.norm(known.mean(0), np.sqrt(0.3)).logpdf(shown).sum(1).mean()
    assert find_floor(run, images) == pytest.approx(density)


def test_where_sigma_is_learned_it_is_the_one_that_the_mean_image_asks_for(
    tmp_path, images, pixels
):
    """As a linear model of no latents: N(x̄, σ²I) with σ² the mean variance (ppca, K = 0)."""
    run = train(change(fit_config("digits", "ppca"), model__latent_dim=1), tmp_path / "ppca")
    known, shown = pixels
    spread = np.sqrt(known.var(0).mean())
    density = stats.norm(known.mean(0), spread).logpdf(shown).sum(1).mean()
    floor = present(find_floor(run, images))
    assert floor == pytest.approx(density)
    assert floor < run.info.best_results["elbo"]


def test_no_constant_image_scores_higher_on_the_images_it_was_made_from(pixels):
    x = (255 * pixels[0][:200].reshape(-1, 1, 8, 8)).round().astype(np.uint8)
    rng = np.random.default_rng(0)
    flat = x.reshape(-1, 64) / 255
    for _ in range(5):
        other = flat.mean(0) + 0.05 * rng.standard_normal(64)
        sigma = np.exp(rng.normal(np.log(0.3), 0.3))
        assert score_mean(x, x, None) < -stats.norm(other, sigma).logpdf(flat).sum(1).mean()
        assert score_mean(x, x, 0.1) < -stats.norm(other, 0.1**0.5).logpdf(flat).sum(1).mean()
        worse = -stats.laplace(other, 0.1).logpdf(flat).sum(1).mean()
        assert score_median(x, x, 2 * 0.1**2) < worse


def test_with_a_variance_for_every_pixel_a_still_one_is_never_certain():
    known = np.array([[0, 10], [0, 20]], np.uint8).reshape(2, 1, 1, 2)
    shown = np.array([[3, 15]], np.uint8).reshape(1, 1, 1, 2)
    mean, spread = np.array([0, 15 / 255]), np.sqrt([SMALLEST_VARIANCE, (5 / 255) ** 2])
    density = stats.norm(mean, spread).logpdf(shown.reshape(1, 2) / 255).sum()
    assert score_pixels(shown, known, None) == pytest.approx(-density)


def test_what_has_no_closed_form_and_what_lacks_the_split_has_no_floor(tmp_path, images):
    assert "discretized-logistic" not in FLOORS
    other = train(make_config(2, likelihood="discretized-logistic"), tmp_path / "logistic")
    assert find_floor(other, images) is None
    run = train(make_config(2, likelihood="gaussian"), tmp_path / "gaussian")
    whole = replace(images, splits={"all": images.splits["all"]})
    assert find_floor(run, whole) is None


def test_of_very_many_images_some_are_taken_from_all_over():
    rows = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)
    taken = take_evenly(ImageDataset.from_arrays(rows, name="rows"), "all", most=4)
    assert taken.ravel().tolist() == [0, 33, 66, 99]
