"""One image's identity: every term against a closed form or another way to get it."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import MultivariateNormal, kl_divergence

from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.microscope import SHARES, balance_images, examine_image
from explorer.analysis.inference.posterior_grid import build_grid, grid_for_images
from explorer.errors import ExplorerError
from tests.analysis import oracles
from tests.helpers import of_kind


@pytest.fixture(scope="module")
def turned():
    """A linear model whose posterior is a tilted normal, and one digit."""
    model = oracles.linear_vae(rotate=0.7)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    return model, x, examine_image(model, x, grid_for_images(model, x))


def test_terms_have_their_closed_forms(turned):
    model, x, found = turned
    mean, covariance, log_px = oracles.exact_posterior(model, x)
    q = MultivariateNormal(torch.from_numpy(found.mean), torch.diag(torch.from_numpy(found.sd**2)))
    prior = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    exact = MultivariateNormal(torch.from_numpy(mean[0]), torch.from_numpy(covariance))
    assert found.certified and found.error < 1e-3
    assert found.log_px == pytest.approx(float(log_px), abs=1e-3)
    assert found.kl == pytest.approx(float(kl_divergence(q, prior)), abs=1e-9)
    assert found.gap == pytest.approx(float(kl_divergence(q, exact)), abs=1e-3)
    assert found.elbo == pytest.approx(-found.reconstruction - found.kl)
    assert abs(found.residual) < 1e-6


def test_contours_enclose_the_mass_that_they_say(turned):
    """The highest-density region of a normal that holds P lies above peak + ln(1 − P)."""
    model, x, found = turned
    mean, covariance, _ = oracles.exact_posterior(model, x)
    peak = multivariate_normal(mean[0], covariance).logpdf(mean[0])
    assert found.levels == pytest.approx([peak + np.log(1 - share) for share in SHARES], abs=0.15)


def test_the_raster_is_the_density_and_holds_it(turned):
    model, x, found = turned
    mean, covariance, _ = oracles.exact_posterior(model, x)
    raster = found.raster
    rows, columns = raster.values.shape
    assert np.exp(raster.values).sum() * raster.step**2 == pytest.approx(1, abs=5e-3)
    at = np.array([raster.left + 5 * raster.step, raster.bottom + 7 * raster.step])
    density = multivariate_normal(mean[0], covariance).logpdf(at)
    assert raster.values[7, 5] == pytest.approx(density, abs=2e-3)
    reach = np.array([raster.left, raster.bottom])
    assert (reach < found.mean - 4 * found.sd).all()
    assert (reach + raster.step * np.array([columns, rows]) > found.mean + 4 * found.sd).all()


def test_balance_of_many_images_is_that_of_each(tiny_run):
    from explorer.datasets import load_dataset
    from explorer.elbo.encoding import draw_targets

    model = tiny_run.model
    x = draw_targets(model, load_dataset("digits").split("test").images[:4])
    grid = build_grid(model, tiny_run.codes().mean)
    many = balance_images(model, x, grid)
    one = examine_image(model, x[2:3], grid)
    assert many.reconstruction[2] == pytest.approx(one.reconstruction, abs=1e-3)
    assert many.kl[2] == pytest.approx(one.kl, abs=1e-5)
    assert many.gap[2] == pytest.approx(one.gap, abs=5e-3)
    assert many.medians()["gap"] == pytest.approx(np.median(many.gap))
    assert many.trusted.all()


def test_without_a_grid_log_px_is_estimated():
    model = oracles.linear_vae(4)
    x = torch.from_numpy(oracles.digit_pixels()[:3])
    found = balance_images(model, x, samples=2000)
    log_px = oracles.exact_posterior(model, x)[2]
    assert np.abs(found.log_px - log_px).max() < 0.3
    assert found.error == pytest.approx(estimate_log_px(model, x, samples=2000).standard_error)
    with pytest.raises(ExplorerError, match="4"):
        examine_image(model, x, None)  # type: ignore[arg-type]


def test_kl_to_a_mixture_of_one_is_that_to_a_normal():
    from explorer.analysis.inference.microscope import kl_to_prior
    from explorer.config import ModelConfig
    from explorer.models import VAE
    from explorer.models.priors import MixturePrior

    torch.manual_seed(0)
    config = ModelConfig(hidden=(8,), latent_dim=2, prior="mixture", prior_components=1)
    model = VAE(config, (1, 4, 4)).eval()
    mean, factor = torch.tensor([[0.3, -0.8]]).double(), torch.tensor([[[0.5, 0], [0.2, 0.7]]])
    with torch.no_grad():
        q = MultivariateNormal(mean, scale_tril=factor.double())
        mixture = of_kind(MixturePrior, model.prior)
        centre, scale = mixture.mean.double(), mixture.scale().double()
        prior = MultivariateNormal(centre, torch.diag_embed(scale**2))
        expected = float(kl_divergence(q, prior))
        assert float(kl_to_prior(model, mean, factor.double())) == pytest.approx(expected, abs=1e-6)
