"""Studies of minutes on the shipped MNIST models; their figures go to tests/results/analysis.json.

Reference values are of another two-latent model of the same recipe (docs/science.md §6), so they
are compared in kind: signs, orders of magnitude and what misleads.
"""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from explorer.analysis.inference.exact import identity_residual, infer_posterior
from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.mcmc import anneal_log_px, sample_posterior
from explorer.analysis.inference.posterior_grid import grid_for_images
from explorer.analysis.inference.refinement import elbo_by_quadrature, refine_posterior

pytestmark = [pytest.mark.slow, pytest.mark.mnist]


@pytest.fixture(scope="module")
def exact(mnist_2d):
    """The model, 100 binarised test images, the grid and their exact posteriors."""
    model, x = mnist_2d
    grid = grid_for_images(model, x[:2000])
    return model, x[:100], grid, infer_posterior(model, x[:100], grid)


def uniform_log_px(grid, x, reach, size):
    """Return log p(x) on a fixed size × size grid over ±reach, float64."""
    axis = torch.linspace(-reach, reach, size, dtype=torch.float64)
    rows = []
    for value in axis:
        z = torch.stack([value.expand_as(axis), axis], 1)
        rows.append(logsumexp(grid.log_joint_at(z, x), axis=0))
    return logsumexp(np.stack(rows), axis=0) + 2 * np.log(2 * reach / (size - 1))


def test_certificates(exact, record):
    _, _, _, posterior = exact
    share = posterior.certified.mean()
    record(
        "certificates",
        {
            "certified_share": share,
            "largest_error_of_certified": posterior.error[posterior.certified].max(),
            "nodes_median": np.median(posterior.nodes),
        },
    )
    assert share >= 0.92


def test_identity(exact, record):
    model, x, _, posterior = exact
    residual = identity_residual(model, x[:25], posterior)
    record("identity", {"largest_residual": np.abs(residual).max(), "rms": residual.std()})
    assert np.abs(residual[posterior.certified[:25]]).max() < 2e-3


def test_monte_carlo_elbo(exact, record):
    """An ELBO of 10⁴ draws agrees with the quadrature within its own error."""
    model, x, _, _ = exact
    with torch.no_grad():
        mean, logvar = model.encode_parameters(x[:25])
    factor = torch.diag_embed((0.5 * logvar).exp())
    drawn = estimate_log_px(model, x[:25], 10_000, seed=1).elbo
    difference = drawn - elbo_by_quadrature(model, x[:25], mean, factor, 48)
    record("monte_carlo_elbo", {"rms_difference": np.sqrt((difference**2).mean())})
    assert np.sqrt((difference**2).mean()) < 0.15


def test_fixed_grids_mislead(exact, record):
    _, x, grid, posterior = exact
    coarse, finer = (uniform_log_px(grid, x[:25], grid.reach, n) for n in (201, 256))
    record(
        "fixed_grids",
        {
            "largest_change_201_to_256": np.abs(finer - coarse).max(),
            "share_moving_over_1e-3": (np.abs(finer - coarse) > 1e-3).mean(),
            "largest_error_at_256": np.abs(finer - posterior.log_px[:25]).max(),
        },
    )
    assert np.abs(finer - coarse).max() > 0.1


def test_a_fine_fixed_grid_agrees_where_it_resolves(exact, record):
    _, x, grid, posterior = exact
    brute = uniform_log_px(grid, x[:6], grid.reach, 1001)
    sd = np.sqrt(np.linalg.eigvalsh(posterior.covariance[:6])[:, 0])
    resolved = sd > 2 * grid.reach / 1000
    record(
        "fine_grid",
        {
            "resolved": resolved.sum(),
            "largest_difference": np.abs(brute - posterior.log_px[:6])[resolved].max(),
        },
    )
    assert resolved.any()
    assert brute[resolved] == pytest.approx(posterior.log_px[:6][resolved], abs=5e-3)


def test_importance_weighting_against_the_grid(exact, record):
    model, x, _, posterior = exact
    figures, means = {}, []
    for samples in (1, 50, 5000):
        found = estimate_log_px(model, x, samples)
        bias = found.log_px - posterior.log_px
        means.append(bias.mean())
        figures[f"mean_bias_{samples}"] = bias.mean()
        figures[f"median_bias_{samples}"] = np.median(bias)
    figures["worst_bias_5000"] = bias.min()
    figures["flagged_share_5000"] = found.flagged.mean()
    figures["worst_unflagged_bias_5000"] = bias[~found.flagged].min()
    missed = (bias < -2) & ~found.flagged
    record("importance_weighting", figures | {"missed_share": missed.mean()})
    assert means[0] < means[1] < means[2] < 0.05
    # Weights cannot show a mode that q never visits; the flags catch most such images, not all.
    assert missed.sum() <= 0.1 * (bias < -2).sum()


def test_gaps(exact, record):
    model, x, _, posterior = exact
    x, log_px = x[:24], posterior.log_px[:24]
    starts = posterior.mode[None, :24]
    figures = {}
    for family in ("diagonal", "full"):
        refined = refine_posterior(
            model, x, family=family, starts=starts, steps=150, prior_starts=0
        )
        gap = refined.approximation_gap(log_px)
        figures[f"approximation_gap_mean_{family}"] = gap.mean()
        figures[f"approximation_gap_median_{family}"] = np.median(gap)
        figures[f"amortisation_gap_mean_{family}"] = refined.amortisation_gap.mean()
        figures[f"amortisation_gap_median_{family}"] = np.median(refined.amortisation_gap)
        assert gap.min() > -0.01
    record("gaps", figures)
    assert figures["approximation_gap_median_full"] <= figures["approximation_gap_median_diagonal"]
    assert figures["approximation_gap_median_diagonal"] < 0.5
    assert figures["amortisation_gap_mean_diagonal"] > figures["amortisation_gap_median_diagonal"]


def test_chains_are_flagged_or_right(exact, record):
    model, x, _, posterior = exact
    sample = sample_posterior(model, x[:8], draws=1000, warmup=500)
    sd = np.sqrt(np.diagonal(posterior.covariance[:8], axis1=1, axis2=2))
    off = np.abs((sample.mean - posterior.mean[:8]) / sd).max(1)
    figures = {"converged_of_8": sample.converged.sum(), "largest_rhat": sample.rhat.max()}
    if sample.converged.any():
        figures["largest_mean_error_in_sd"] = off[sample.converged].max()
    record("hmc", figures)
    assert (off[sample.converged] < 0.3).all()


def test_annealing_checks_importance_weights_beyond_two_latents(mnist_20d, record):
    model, x = mnist_20d
    annealed = anneal_log_px(model, x[:8], chains=16, temperatures=1000)
    weighted = estimate_log_px(model, x[:8], 5000)
    difference = annealed.log_px - weighted.log_px
    record(
        "annealing_20d",
        {
            "mean_difference": difference.mean(),
            "largest_difference": np.abs(difference).max(),
            "flagged": weighted.flagged.sum(),
            "chain_ess_median": np.median(annealed.ess),
        },
    )
    assert np.abs(difference).max() < 5


@pytest.mark.parametrize("hidden", [(), (32,)], ids=["linear", "tanh"])
@pytest.mark.parametrize(("beta", "alive"), [(3.6, 1), (4.1, 0)])
def test_wake_up_rule_decides_a_training(tmp_path, record, hidden, beta, alive):
    """Digits, K = 4, Bernoulli: λ₁ = 3.857, so β = 3.6 leaves one dimension and β = 4.1 none."""
    from explorer.analysis.collapse.diagnose import diagnose_run
    from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig
    from explorer.training.loop import train

    config = Config(
        dataset="digits",
        split="all",
        model=ModelConfig(
            network="mlp" if hidden else "linear", hidden=hidden, activation="tanh", latent_dim=4
        ),
        objective=ObjectiveConfig(beta=beta),
        budget=BudgetConfig(steps=8000),
        device="cpu",
    )
    run = train(config, tmp_path / "run")
    diagnosis = diagnose_run(run)
    kl = sorted((dimension.kl for dimension in diagnosis.dimensions), reverse=True)
    record(f"wake_up_{'tanh' if hidden else 'linear'}_{beta}", {"kl_1": kl[0], "kl_2": kl[1]})
    assert sum(value > 0.005 for value in kl) == alive


def test_chains_pass_their_gates_beyond_two_latents(mnist_20d, record):
    model, x = mnist_20d
    sample = sample_posterior(model, x[:8], draws=1000, warmup=500)
    record(
        "hmc_20d",
        {
            "converged_of_8": sample.converged.sum(),
            "largest_rhat": sample.rhat.max(),
            "smallest_ess": min(sample.ess_bulk.min(), sample.ess_tail.min()),
        },
    )
    assert sample.converged.sum() >= 6
