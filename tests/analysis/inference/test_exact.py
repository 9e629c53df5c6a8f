"""Exact posteriors of one and two latents: closed forms, a fixed grid, independent quadratures."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from explorer.analysis.inference import exact, posterior_grid
from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.refinement import elbo_by_quadrature
from explorer.elbo.encoding import draw_targets
from explorer.errors import ExplorerError
from explorer.export.pictures import sample_drawings
from explorer.runs.store import open_run
from tests.analysis import oracles
from tests.helpers import present


@pytest.fixture(scope="module", params=[(1, 0.0), (2, 0.0), (2, 0.7)], ids=["1d", "2d", "turned"])
def oracle(request):
    latents, rotate = request.param
    model = oracles.linear_vae(latents, rotate=rotate)
    return model, torch.from_numpy(oracles.digit_pixels()[:12])


def test_linear_gaussian_is_exact(oracle):
    model, x = oracle
    posterior = infer_posterior(model, x)
    mean, covariance, log_px = oracles.exact_posterior(model, x)
    assert posterior.certified.all()
    assert posterior.log_px == pytest.approx(log_px, abs=1e-3)
    assert posterior.mean == pytest.approx(mean, abs=2e-3)
    assert posterior.covariance == pytest.approx(
        np.repeat(covariance[None], len(x), 0), rel=5e-3, abs=1e-4
    )


def test_gap_is_the_kl_to_the_posterior(oracle):
    """The encoder of the turned model is the best diagonal q, whose KL is known."""
    model, x = oracle
    _, covariance, _ = oracles.exact_posterior(model, x)
    precision = np.linalg.inv(covariance)
    expected = 0.5 * (np.log(np.diag(precision)).sum() + np.linalg.slogdet(covariance)[1])
    assert infer_posterior(model, x).gap == pytest.approx(np.full(len(x), expected), abs=1.5e-3)


def test_identity_by_independent_quadratures(oracle):
    model, x = oracle
    residual = exact.identity_residual(model, x, infer_posterior(model, x), nodes=32)
    assert np.abs(residual).max() < 1e-6


def test_digits_model_against_a_fixed_grid(tiny_run):
    """On a small digits model ±5 with n = 201 suffices; here ±6 (docs/science.md §6)."""
    from explorer.datasets import load_dataset
    from explorer.elbo.encoding import draw_targets

    model = tiny_run.model
    x = draw_targets(model, load_dataset("digits").split("test").images[:20], seed=0)
    posterior = infer_posterior(model, x)
    axis = torch.linspace(-6, 6, 201, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    scored = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    with torch.no_grad():
        output = model.decoder(z.float()).double().flatten(1)
    normaliser = torch.nn.functional.softplus(output).sum(1)
    joint = output @ x.flatten(1).double().T + (scored - normaliser)[:, None]
    fixed = logsumexp(joint.numpy(), 0) + 2 * np.log(0.06)
    assert posterior.certified.all()
    assert posterior.log_px == pytest.approx(fixed, abs=1e-3)


def test_narrow_posterior_where_a_fixed_grid_misleads():
    """σ² = 1e-4: posterior sd 0.01, which a grid of spacing 0.05 does not resolve."""
    model = oracles.linear_vae(2, sigma2=1e-4)
    x = torch.from_numpy(oracles.digit_pixels()[:6])
    posterior = infer_posterior(model, x)
    log_px = oracles.exact_posterior(model, x)[2]
    assert posterior.certified.all()
    assert posterior.log_px == pytest.approx(log_px, abs=1e-3)


def test_lattice_weights_are_the_posterior(oracle):
    model, x = oracle
    posterior = infer_posterior(model, x[:3], keep_points=True)
    grid = posterior_grid.grid_for_images(model, x[:3])
    for n in range(3):
        assert logsumexp(posterior.log_weights[n]) == pytest.approx(0, abs=1e-9)
        z = torch.from_numpy(posterior.points[n][:50])
        density = exact.log_posterior_at(grid, x[n : n + 1], z, posterior.log_px[n : n + 1])[0]
        cell = posterior.log_weights[n][:50] - density
        assert np.ptp(cell) < 1e-9


def test_mass_outside_the_grid_is_not_certified():
    model = oracles.linear_vae(1)
    x = torch.from_numpy(oracles.digit_pixels()[:30])
    mean = oracles.exact_posterior(model, x)[0]
    far = int(np.abs(mean[:, 0]).argmax())
    grid = posterior_grid.build_grid(model, reach=float(abs(mean[far, 0])) - 0.1)
    assert not infer_posterior(model, x[far : far + 1], grid).certified[0]


def test_smallest_sd_is_the_gauss_newton_posterior():
    model = oracles.linear_vae(2, rotate=0.4)
    covariance = oracles.exact_posterior(model, oracles.digit_pixels()[:1])[1]
    with torch.no_grad():
        sd = posterior_grid.smallest_sd(model, torch.zeros((3, 2), dtype=torch.float64))
    assert sd.numpy() == pytest.approx(np.full(3, np.linalg.eigvalsh(covariance)[0] ** 0.5))


def test_cells_tile_the_square():
    model = oracles.small_bernoulli()
    grid = posterior_grid.build_grid(model, reach=5.0)
    assert (grid.side**2).sum() == pytest.approx(100.0)
    assert grid.ratio <= posterior_grid.RATIO


@pytest.mark.parametrize(("name", "share"), [("mnist-2d", 0.4), ("digits-2d", 1.0)])
def test_cells_are_scored_without_the_units_that_are_off_around_them(name, share):
    model = open_run(name).model
    grid = posterior_grid.build_grid(model, ratio=posterior_grid.QUICK_RATIO)
    x = torch.rand(2, *model.shape, generator=torch.Generator().manual_seed(0)).round()
    expected = grid.log_joint_at(torch.from_numpy(grid.centre), x).T
    assert grid.log_joint(x) == pytest.approx(expected, rel=1e-5)
    features = grid.walker.features(torch.from_numpy(grid.centre)).features
    kept = sum(stretch.decoded.features.numel() for stretch in grid.stretches)
    assert kept <= share * features.numel()
    assert sum(len(stretch.decoded.normaliser) for stretch in grid.stretches) == len(grid.centre)


def test_a_quick_grid_does_not_miss_the_lesser_of_two_modes():
    run = open_run("mnist-2d")
    x = draw_targets(run.model, sample_drawings().images[13:14])
    quick = posterior_grid.build_grid(
        run.model, present(run.codes()).mean, ratio=posterior_grid.QUICK_RATIO
    )
    # Of RATIO's grid; without the mode with 2 % of the mass it would be 0.018 less.
    found = infer_posterior(run.model, x, quick)
    assert found.certified[0]
    assert found.log_px[0] == pytest.approx(-127.46415, abs=2e-3)


@pytest.mark.parametrize(("name", "tolerance"), [("strokes-mixture-2d", 1e-9), ("mnist-2d", 1e-4)])
def test_the_elbo_is_as_precise_as_log_px(name, tolerance):
    """Gaussian pixels of small σ² multiply what float32 rounds away: 1e-3 nats for the first."""
    model = open_run(name).model
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        x = model.decode(0.5 * torch.randn(6, 2, generator=generator)).mean.clamp(0, 1)
        x = x.round() if name == "mnist-2d" else x
        mean, logvar = model.encode_parameters(x)
    scale = torch.diag_embed(torch.exp(0.5 * present(logvar).double()))
    by_quadrature = elbo_by_quadrature(model, x, mean, scale, exact.GAP_NODES)
    grid = posterior_grid.build_grid(model, mean, ratio=posterior_grid.QUICK_RATIO)
    assert np.abs(infer_posterior(model, x, grid).elbo - by_quadrature).max() < tolerance


def test_more_than_two_latents_is_one_clear_error():
    with pytest.raises(ExplorerError, match="one or two latents"):
        infer_posterior(oracles.linear_vae(3), torch.from_numpy(oracles.digit_pixels()[:1]))


def test_stop_returns_whole_blocks(linear):
    model, x = linear
    posterior = infer_posterior(model, x, stop=lambda: True)
    assert len(posterior.log_px) == exact.IMAGES_AT_ONCE == len(posterior.elbo)


@pytest.mark.mnist
def test_mnist_certified_identity_and_importance_weights(mnist_2d):
    model, x = mnist_2d
    grid = posterior_grid.grid_for_images(model, x[:2000])
    x = x[:16]
    posterior = infer_posterior(model, x, grid)
    assert posterior.certified.sum() >= 15
    residual = exact.identity_residual(model, x[:2], posterior)
    assert np.abs(residual[posterior.certified[:2]]).max() < 2e-3
    weighted = estimate_log_px(model, x, 1000)
    trusted = ~weighted.flagged & posterior.certified
    difference = (weighted.log_px - posterior.log_px)[trusted]
    assert trusted.any()
    assert np.median(np.abs(difference)) < 0.1
