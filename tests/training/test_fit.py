"""Linear models against closed forms, SciPy and scikit-learn; their encoders are exact."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA, FactorAnalysis, FastICA

from explorer.analysis.collapse.linear import covariance_eigenvalues, learned_sigma2, linear_optimum
from explorer.analysis.inference.exact import identity_residual, infer_posterior
from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.runs.run import Run
from explorer.training.fit import (
    VARIANCE_FLOOR,
    fit_config,
    fit_factor_analysis,
    fit_ica,
    fit_ppca,
)
from explorer.training.loop import train


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The three models with two latents on the digits, opened again from their folders."""
    folder = tmp_path_factory.mktemp("fits")
    for method in ("ppca", "fa", "ica"):
        train(fit_config("digits", method), folder / method)
    return {method: Run(folder / method) for method in ("ppca", "fa", "ica")}


def some_factors(count=4000, pixels=12, latents=2, seed=0):
    """Draws of a factor model whose pixels all vary: no floor is met."""
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0.3, 0.6, pixels)
    z = rng.standard_normal((count, latents))
    x = z @ rng.standard_normal((latents, pixels)) + rng.standard_normal((count, pixels)) * noise
    return 0.5 + x, noise


def log_density(fit, x):
    covariance = fit.loadings @ fit.loadings.T + np.diag(fit.noise)
    return multivariate_normal(fit.mean, covariance).logpdf(x)


@pytest.mark.parametrize(("latent_dim", "sigma2"), [(2, 0.054117), (8, 0.027329), (16, 0.014725)])
def test_ppca_learns_the_variance_of_the_closed_form(latent_dim, sigma2, digits):
    """All digits, docs/science.md §1: σ² is the mean of the discarded eigenvalues."""
    x = digits.images.reshape(len(digits), -1) / 255
    found = fit_ppca(x, latent_dim)
    assert found.noise == pytest.approx(found.noise[0])
    assert found.noise[0] == pytest.approx(sigma2, abs=5e-6)
    assert found.noise[0] == pytest.approx(
        learned_sigma2(covariance_eigenvalues(digits.images), latent_dim), rel=1e-8
    )


def test_ppca_is_scikit_learns_but_for_dividing_by_n():
    x, _ = some_factors()
    fit, count = fit_ppca(x, 2), len(x)
    assert log_density(fit, x).mean() == pytest.approx(PCA(2).fit(x).score(x), abs=1e-3)
    # At the maximum the expected log density has a closed form in the eigenvalues.
    values = covariance_eigenvalues(x)
    best = linear_optimum(values, 2, sigma2=learned_sigma2(values, 2)).elbo
    assert log_density(fit, x).mean() == pytest.approx(best, abs=1e-9)
    assert PCA(2).fit(x).noise_variance_ * (count - 1) / count == pytest.approx(fit.noise[0])


def test_factor_analysis_scores_as_scikit_learns():
    x, noise = some_factors()
    fit, theirs = fit_factor_analysis(x, 2), FactorAnalysis(2, random_state=0).fit(x)
    assert log_density(fit, x).mean() == pytest.approx(theirs.score(x), abs=1e-9)
    assert fit.noise == pytest.approx(noise**2, rel=0.15)


def test_constant_pixels_keep_a_variance():
    x, _ = some_factors()
    x = np.hstack([x, np.zeros((len(x), 2))])
    fit = fit_factor_analysis(x, 2)
    assert fit.noise[-2:] == pytest.approx(VARIANCE_FLOOR)
    assert np.isfinite(fit.loadings).all() and np.allclose(fit.loadings[-2:], 0)


@pytest.mark.parametrize("fit", [fit_ppca, fit_factor_analysis])
def test_the_reader_is_the_posterior_mean_and_its_covariance_is_diagonal(fit):
    x, _ = some_factors()
    found = fit(x, 2)
    precision = np.eye(2) + (found.loadings.T / found.noise) @ found.loadings
    assert precision == pytest.approx(np.diag(np.diag(precision)), abs=1e-9)
    assert found.posterior_variance == pytest.approx(1 / np.diag(precision))
    mean = np.linalg.solve(precision, (found.loadings.T / found.noise) @ (x[:5] - found.mean).T).T
    assert (x[:5] - found.mean) @ found.reader.T == pytest.approx(mean)


def test_ica_finds_sources_that_pca_mixes():
    rng = np.random.default_rng(0)
    sources = rng.uniform(-1, 1, (5000, 2)) * np.sqrt(3)
    mixing = rng.standard_normal((10, 2))
    x = 0.5 + 0.1 * sources @ mixing.T + 0.001 * rng.standard_normal((5000, 10))
    fit = fit_ica(x, 2)
    codes = (x - fit.mean) @ fit.reader.T
    match = np.abs(np.corrcoef(codes.T, sources.T)[:2, 2:])
    assert match.max(1) == pytest.approx(1, abs=0.01)
    assert codes.var(0) == pytest.approx(1, abs=1e-3)
    theirs = FastICA(2, whiten="unit-variance", random_state=0, tol=1e-3).fit(x)
    assert x - (fit.mean + codes @ fit.loadings.T) == pytest.approx(
        x - theirs.inverse_transform(theirs.transform(x)), abs=1e-9
    )
    assert fit.noise[0] == pytest.approx(1e-5, rel=0.2)


@pytest.mark.parametrize("method", ["ppca", "fa"])
def test_a_fitted_run_has_no_gap_and_its_log_px_is_the_normals(method, fitted, digits):
    model = fitted[method].model
    images = digits.split("test").images[:6]
    x = torch.from_numpy(images / 255)
    posterior = infer_posterior(model, x)
    assert posterior.certified.all()
    with torch.no_grad():
        weights = model.decoder[0].weight.numpy()
        noise = model.decode(torch.zeros(1, 2, dtype=torch.float64)).variance.numpy().ravel()
    covariance = weights @ weights.T + np.diag(noise)
    exact = multivariate_normal(model.decoder[0].bias.numpy(), covariance)
    assert posterior.log_px == pytest.approx(exact.logpdf(images.reshape(6, -1) / 255), abs=1e-3)
    assert posterior.gap == pytest.approx(0, abs=1e-3)
    assert identity_residual(model, x, posterior) == pytest.approx(0, abs=1e-3)


def test_a_fit_is_a_run_like_any_other(fitted, digits):
    for method, run in fitted.items():
        info = run.info
        assert info.status.state == "finished" and info.planned_steps == 1
        assert Config.from_dict(info.to_dict()["config"]).method == method
        assert run.snapshot_steps() == [0, 1]
        point = run.metrics("train")[-1]
        assert ("kl" in point) == (method != "ica") == ("kl" in info.results["test"])
        assert run.codes().mean.shape == (len(digits.split("test")), 2)
    ppca = fitted["ppca"].model
    values = covariance_eigenvalues(digits.split("train").images)
    assert ppca.likelihood.sigma2().item() == pytest.approx(learned_sigma2(values, 2), rel=1e-8)


def test_a_point_code_has_variance_one_and_decodes_by_mixing(fitted):
    run = fitted["ica"]
    assert run.info.latent_kind == "point" and run.codes().logvar is None
    assert run.codes().mean.std(0) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: fit_config("digits", "kmeans"), "one of ppca, fa, ica"),
        (lambda: Config(model=ModelConfig(network="mlp"), method="ppca"), "linear network"),
        (
            lambda: train(fit_config("digits", "ppca", 64), "unused"),
            "64 latents cannot be fitted",
        ),
        (
            lambda: train(
                Config(
                    model=ModelConfig(
                        network="linear", hidden=(), likelihood="gaussian-learned", mean_norm=1.0
                    ),
                    budget=BudgetConfig(steps=1),
                    method="ppca",
                ),
                "unused",
            ),
            "can be chosen",
        ),
    ],
)
def test_a_mistake_is_one_sentence(make, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExplorerError, match=said):
        make()
    assert not (tmp_path / "unused").exists()
