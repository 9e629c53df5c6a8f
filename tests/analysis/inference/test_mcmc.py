"""HMC and annealing against normal posteriors and log p(x) in closed form."""

import numpy as np
import pytest
import torch

from explorer.analysis.inference import mcmc
from explorer.analysis.inference.mcmc import anneal_log_px, draw_starts, sample_posterior
from explorer.errors import ExplorerError
from tests.analysis import oracles
from tests.helpers import present


@pytest.fixture(scope="module")
def sampled():
    model = oracles.linear_vae(3, rotate=0.5)
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    return model, x, sample_posterior(model, x, draws=700, warmup=200, seed=1)


def test_moments_of_a_normal_posterior(sampled):
    model, x, sample = sampled
    mean, covariance, _ = oracles.exact_posterior(model, x)
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((sample.mean - mean) / sd).max() < 0.2
    assert sample.standard_deviation == pytest.approx(np.repeat(sd[None], 4, 0), rel=0.15)


def test_gates_pass_and_acceptance_is_near_its_target(sampled):
    sample = sampled[2]
    assert sample.converged.all()
    assert sample.rhat.max() < 1.01
    assert (sample.acceptance > 0.65).all()


def test_same_seed_same_draws():
    model = oracles.linear_vae(2)
    x = torch.from_numpy(oracles.digit_pixels()[:1])
    first, second = (sample_posterior(model, x, draws=8, warmup=4, seed=3) for _ in range(2))
    assert (first.draws == second.draws).all()


def test_the_starts_that_are_shown_are_those_of_the_walk():
    model = oracles.linear_vae(2)
    x = torch.from_numpy(oracles.digit_pixels()[:2])
    sample = sample_posterior(model, x, chains=3, draws=4, warmup=1, keep_warmup=True, seed=5)
    assert draw_starts(model, x, 3, seed=5) == pytest.approx(present(sample.warmup)[:, 0])


def test_chains_that_disagree_fail_the_gates():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4, 300, 1, 1))
    draws[0] += 5
    rhat, bulk, _ = mcmc.diagnose_chains(draws)
    assert rhat[0, 0] > 1.01
    assert bulk[0, 0] < 400


def test_stuck_chains_do_not_pass():
    rhat, bulk, tail = mcmc.diagnose_chains(np.zeros((4, 50, 1, 1)))
    assert not ((rhat < mcmc.RHAT_GATE) & (bulk >= mcmc.ESS_GATE) & (tail >= mcmc.ESS_GATE)).any()


def test_annealing_finds_log_px_without_q():
    model = oracles.linear_vae(3, rotate=0.5)
    with torch.no_grad():
        model.encoder[1].weight.zero_()  # it must not matter
    x = torch.from_numpy(oracles.digit_pixels()[:4])
    annealed = anneal_log_px(model, x, chains=16, temperatures=150, seed=2)
    log_px = oracles.exact_posterior(oracles.linear_vae(3, rotate=0.5), x)[2]
    assert annealed.log_px == pytest.approx(log_px, abs=0.3)
    assert np.abs(annealed.log_px - log_px).max() < 4 * annealed.standard_error.max() + 0.05


def test_one_chain_is_one_clear_error():
    with pytest.raises(ExplorerError, match="2 chains"):
        sample_posterior(oracles.linear_vae(), torch.zeros(1, 1, 8, 8), chains=1)
