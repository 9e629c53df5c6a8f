"""The wake-up rule: data sets, the collapsed point, and the model as it is."""

import numpy as np
import pytest
import torch

from explorer.analysis.collapse import wakeup
from explorer.analysis.collapse.beta_of_weights import expected_survivors
from explorer.analysis.collapse.causes import find_causes
from explorer.analysis.collapse.linear import covariance_eigenvalues
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.config.model import LIKELIHOOD_NAMES
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.models.likelihoods.base import Likelihood
from explorer.models.likelihoods.gaussian import GaussianLikelihood
from tests.analysis import oracles


def test_leading_value_of_the_digits(digits):
    values = wakeup.wake_up_eigenvalues(digits, "bernoulli")
    assert values[0] == pytest.approx(3.857, abs=1e-3)
    assert (values > 3.6).sum() == 1
    assert (values > 4.1).sum() == 0


def test_gaussian_rule_is_lambda_over_sigma2(digits):
    values = wakeup.wake_up_eigenvalues(digits, "gaussian", sigma2=0.05)
    assert values == pytest.approx(covariance_eigenvalues(digits) / 0.05, abs=1e-9)


@pytest.mark.mnist
def test_predictions_for_binarised_mnist(mnist_root):
    from explorer.datasets import load_dataset

    images = np.asarray(load_dataset("mnist", data_root=mnist_root).split("all").images[:60000])
    values = wakeup.wake_up_eigenvalues(images, "bernoulli")
    assert values[:4] == pytest.approx([32.4, 23.1, 21.2, 16.4], abs=0.5)


def test_rule_at_collapse_of_a_gaussian_model_is_the_data_sets(digits):
    model = oracles.linear_vae(2, sigma2=0.05)
    rule = wakeup.wake_up_at_collapse(
        Subject(model, torch.from_numpy(digits)), beta=1.0, directions=8
    )
    expected = covariance_eigenvalues(digits)[:8] / 0.05
    assert rule.eigenvalues == pytest.approx(expected, rel=1e-6)
    assert np.abs(rule.held_out - expected).max() < 5 * rule.error.max()


def test_rule_now_sees_the_next_eigenvalue(digits):
    """With two principal directions explained, the third is what one more latent would earn."""
    model = oracles.linear_vae(2, sigma2=0.05)
    rule = wakeup.wake_up_now(Subject(model, torch.from_numpy(digits)), beta=1.0, copies=8)
    assert rule.leading[0] == pytest.approx(covariance_eigenvalues(digits)[2] / 0.05, rel=0.1)


def test_rule_finds_nothing_in_noise():
    """Independent pixels hold no structure: held-out values lie at 1, in-sample ones far above."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand((600, 1, 8, 8), generator=generator) < 0.3).float()
    model = VAE(ModelConfig(hidden=(8,)), (1, 8, 8))
    rule = wakeup.wake_up_at_collapse(Subject(model, x), beta=1.3, directions=4)
    assert rule.eigenvalues[0] > 1.3
    assert rule.awake == 0


@pytest.mark.parametrize("likelihood", LIKELIHOOD_NAMES)
def test_score_and_fisher_against_autograd(likelihood):
    torch.manual_seed(1)
    config = ModelConfig(hidden=(8,), likelihood=likelihood, precision="float64")
    model = VAE(config, (1, 8, 8)).eval()
    z = torch.randn(3, 2, dtype=torch.float64)
    x = torch.rand(3, 1, 8, 8, dtype=torch.float64)
    # Where pixels lie: farther out it is grey values too rare to be drawn that carry it.
    output = model.decoder(z).detach().clamp(-0.4, 1.4).requires_grad_(True)
    gradient = torch.autograd.grad(-model.likelihood.nll(output, x).sum(), output)[0]
    score, fisher = model.likelihood.score_and_fisher(output.detach(), x)
    assert torch.allclose(score, gradient[:, :1].flatten(1), atol=1e-8)
    samples = model.likelihood.distribution(output.detach()).sample(torch.Size([4000]))
    repeated = output.detach().repeat(4000, 1, 1, 1)
    scores = model.likelihood.score_and_fisher(repeated, samples.flatten(0, 1))[0]
    scores = scores.unflatten(0, (4000, 3))
    assert torch.allclose(scores.square().mean(0) / fisher, torch.ones_like(fisher), atol=0.2)


class Untold(GaussianLikelihood):
    """A likelihood as a newcomer writes it, who has not yet thought of the collapsed point."""

    at_collapse = Likelihood.at_collapse


@pytest.fixture
def untold(digits):
    """A sleeping model whose likelihood states no rule, with images."""
    model = VAE(ModelConfig(hidden=(8,), likelihood="gaussian", sigma2=0.5), (1, 8, 8)).eval()
    model.likelihood = Untold("untold", 0.5, learned=False)
    return Subject(model, torch.from_numpy(digits[:64]))


def test_no_rule_is_made_up_for_a_likelihood_that_states_none(untold):
    with pytest.raises(ExplorerError, match="No wake-up rule is known for the likelihood untold"):
        wakeup.wake_up_at_collapse(untold, beta=1.0)
    with pytest.raises(ExplorerError, match="No wake-up rule is known"):
        expected_survivors(untold, 1.0)


def test_causes_are_found_without_the_rule_and_say_nothing_of_it(untold):
    causes = find_causes(untold, beta=1e4, asleep=[0, 1], ignored=[])
    assert causes and all("top_eigenvalue_now" in cause.evidence for cause in causes)
    unknown = {"awake_at_collapse", "top_eigenvalue_at_collapse"}
    assert not any(unknown & set(cause.evidence) for cause in causes)


def test_without_a_beta_nothing_is_said_of_what_it_asks_for(untold):
    codes = {cause.code for cause in find_causes(untold, beta=None, asleep=[0, 1], ignored=[2])}
    assert "written_not_read" in codes and not codes & {"objective", "decoder_ignores"}


@pytest.mark.parametrize("likelihood", LIKELIHOOD_NAMES)
def test_every_likelihood_of_ours_states_its_rule(likelihood, digits):
    values = wakeup.wake_up_eigenvalues(digits[:200], likelihood, sigma2=0.05)
    assert values[0] > values[-1] and np.isfinite(values).all()


def test_the_rule_is_the_same_whichever_product_is_smaller():
    # More images than pixels, then fewer, both of rank 3: what is left out of the second are zeros.
    rng = np.random.default_rng(0)
    tall = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 12))
    wide = np.hstack([tall, np.zeros((40, 88))])
    rules = [
        wakeup._held_out_rule(rows, np.ones(rows.shape[1]), 0.0, 1.0, directions=3, seed=0)
        for rows in (tall, wide)
    ]
    assert rules[1].eigenvalues == pytest.approx(rules[0].eigenvalues)
    assert rules[1].held_out == pytest.approx(rules[0].held_out)
    assert rules[1].error == pytest.approx(rules[0].error)


def test_leading_directions_are_those_of_the_singular_values():
    """More pixels than images, and fewer directions than were asked for."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 5)) * [9, 7, 5, 3, 1] @ np.linalg.qr(rng.normal(size=(80, 5)))[0].T
    found = wakeup._leading_vectors(rows, 8)
    expected = np.linalg.svd(rows, full_matrices=False)[2][:5].T
    assert np.abs((found[:, :5] * expected).sum(0)) == pytest.approx(np.ones(5), abs=1e-9)
    assert not found[:, 5:].any() and found.shape == (80, 8)
