"""The path of q: it starts at the encoder's and ends where the long way ends."""

import numpy as np
import pytest
import torch

from explorer.analysis.inference.refinement import refine_posterior
from explorer.analysis.inference.refinement_path import trace_refinement
from explorer.analysis.watch import Stopped
from explorer.errors import ExplorerError
from tests.analysis import oracles


@pytest.fixture(scope="module")
def turned():
    return oracles.turned_vae(1)


def test_the_gap_falls_into_its_two_known_pieces(turned):
    model, x = turned
    mean, covariance, log_px = oracles.exact_posterior(model, x)
    log_px = float(log_px)
    precision = np.linalg.inv(covariance)
    approximation = 0.5 * (np.log(np.diag(precision)).sum() + np.linalg.slogdet(covariance)[1])
    delta = np.full(2, 0.4)
    path = trace_refinement(model, x)
    assert path.approximation_gap(log_px) == pytest.approx(approximation, abs=2e-3)
    assert path.amortisation_gap == pytest.approx(0.5 * delta @ precision @ delta, rel=1e-2)
    assert path.full_elbo == pytest.approx(log_px, abs=2e-3)
    factor = path.best_full[1]
    assert path.best_full[0] == pytest.approx(mean[0], abs=0.01)
    assert factor @ factor.T == pytest.approx(covariance, rel=0.05, abs=2e-3)


def test_the_path_starts_at_the_encoder_and_climbs(turned):
    model, x = turned
    path = trace_refinement(model, x)
    with torch.no_grad():
        mean, logvar = model.encode_parameters(x)
    assert path.diagonal[0][0] == pytest.approx(mean[0].numpy())
    assert np.diag(path.diagonal[0][1]) == pytest.approx(torch.exp(0.5 * logvar)[0].numpy())
    assert len(path.diagonal) > 3 and not path.jumped
    assert path.full[0][0] == pytest.approx(path.best_diagonal[0])
    assert all(factor[0, 1] == 0 for _, factor in path.full)
    assert path.encoder_elbo <= path.diagonal_elbo <= path.full_elbo


@pytest.mark.parametrize("seed", [0, 1])
def test_as_good_as_the_long_way(seed):
    model = oracles.small_bernoulli(seed=seed)
    x = (torch.from_numpy(oracles.digit_pixels()[seed : seed + 1]) > 0.5).float()
    starts = np.zeros((1, 2))
    path = trace_refinement(model, x, starts)
    long = refine_posterior(model, x, starts=starts[None], prior_starts=0, steps=300)
    assert path.diagonal_elbo > long.elbo[0] - 0.02


def test_it_can_be_stopped_and_needs_few_latents(turned):
    model, x = turned
    with pytest.raises(Stopped):
        trace_refinement(model, x, stop=lambda: True)
    with pytest.raises(ExplorerError, match="one or two latents"):
        trace_refinement(oracles.linear_vae(3), x)
