"""p(z | visible pixels) against the normal posterior of a linear model on those pixels."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from explorer.analysis.inference import reveal
from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.reveal import Reveal, order_pixels, reveal_grid, uncover
from explorer.errors import ExplorerError
from tests.analysis import oracles


def known(model, x, mask):
    """Return mean, covariance and log p(visible) of a linear Gaussian model, in closed form."""
    seen = mask.ravel()
    weight = model.decoder[0].weight.detach().numpy()[seen]
    bias = model.decoder[0].bias.detach().numpy()[seen]
    sigma2 = float(model.likelihood.sigma2())
    latents = weight.shape[1]
    covariance = np.linalg.inv(np.eye(latents) + weight.T @ weight / sigma2)
    pixels = np.asarray(x).ravel()[seen] - bias
    mean = covariance @ weight.T @ pixels / sigma2
    if not seen.any():
        return mean, covariance, 0.0
    marginal = weight @ weight.T + sigma2 * np.eye(int(seen.sum()))
    return mean, covariance, multivariate_normal(np.zeros(len(pixels)), marginal).logpdf(pixels)


def kl_to_prior(mean, covariance):
    trace = np.trace(covariance) + mean @ mean - len(mean)
    return 0.5 * (trace - np.linalg.slogdet(covariance)[1])


@pytest.mark.parametrize("count", [0, 5, 30, 64])
@pytest.mark.parametrize("latents", [1, 2])
def test_a_linear_model_is_exact_whatever_is_visible(latents, count):
    model = oracles.linear_vae(latents, rotate=0.4 if latents == 2 else 0.0)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    reveal = Reveal(model, x)
    mask = uncover(x.shape, order_pixels(x.shape, "random", 1), count)
    found = reveal.know(mask)
    mean, covariance, log_px = known(model, x, mask)
    assert found.is_exact and found.trusted
    assert found.log_px == pytest.approx(log_px, abs=2e-3)
    assert found.mean == pytest.approx(mean, abs=2e-3)
    assert found.standard_deviation == pytest.approx(np.sqrt(np.diag(covariance)), rel=2e-3)
    assert found.information == pytest.approx(kl_to_prior(mean, covariance), abs=3e-3)
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * covariance)[1]
    assert found.entropy == pytest.approx(entropy, abs=3e-3)


def test_all_pixels_give_the_posterior_of_the_whole_image():
    model = oracles.small_bernoulli()
    x = (torch.from_numpy(oracles.digit_pixels()[3:4]) > 0.5).float()
    found = Reveal(model, x, reveal_grid(model)).know(np.ones((8, 8), bool))
    exact = infer_posterior(model, x)
    assert found.log_px == pytest.approx(exact.log_px[0], abs=2e-3)
    assert found.information == pytest.approx(exact.information[0], abs=2e-3)


def test_prior_draws_serve_more_latents_and_say_when_they_do_not():
    model = oracles.linear_vae(4)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    reveal = Reveal(model, x)
    order = order_pixels(x.shape, "rows")
    mask = uncover(x.shape, order, 12)
    found = reveal.know(mask)
    mean, covariance, log_px = known(model, x, mask)
    assert found.trusted and not found.is_exact
    assert found.log_px == pytest.approx(log_px, abs=0.1)
    assert found.information == pytest.approx(kl_to_prior(mean, covariance), abs=0.1)
    assert not reveal.know(np.ones((8, 8), bool)).trusted


def test_completions_keep_what_is_given():
    model = oracles.linear_vae()
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    reveal = Reveal(model, x)
    mask = uncover(x.shape, order_pixels(x.shape, "rows"), 24)
    codes = reveal.know(mask).draw(3, seed=1)
    pictures = reveal.complete(codes, mask)
    given = x.numpy()[0, 0]
    decoded = model.decode(torch.from_numpy(codes)).mean.detach().numpy()
    assert pictures.shape == (3, 1, 8, 8)
    assert (pictures[:, 0][:, mask] == given[mask]).all()
    assert pictures[:, 0][:, ~mask] == pytest.approx(decoded[:, 0][:, ~mask])
    assert (codes == reveal.know(mask).draw(3, seed=1)).all()


def test_orders_and_bad_masks():
    assert uncover((1, 4, 4), order_pixels((1, 4, 4), "rows"), 4)[0].all()
    assert sorted(order_pixels((1, 4, 4), "random", 3)) == list(range(16))
    with pytest.raises(ExplorerError, match="by rows or at random"):
        order_pixels((1, 4, 4), "columns")
    reveal = Reveal(oracles.linear_vae(), torch.from_numpy(oracles.digit_pixels()[:1]))
    with pytest.raises(ExplorerError, match="must have shape"):
        reveal.know(np.ones((3, 3), bool))


def test_of_large_pictures_fewer_draws_are_scored(monkeypatch):
    """The table has a value for each pixel of each draw of the prior."""
    model, x = oracles.linear_vae(4), torch.from_numpy(oracles.digit_pixels()[:1])
    nothing = np.zeros((8, 8), bool)
    monkeypatch.setattr(reveal, "FEWEST_DRAWS", 50)
    for values, draws in ((64 * 200, 200), (64, 50), (1 << 24, 8000)):
        monkeypatch.setattr(reveal, "TABLE_VALUES", values)
        assert Reveal(model, x).know(nothing).points.shape == (draws, 4)
