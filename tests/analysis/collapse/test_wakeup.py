"""The wake-up rule: data sets, the collapsed point, and the model as it is."""

import numpy as np
import pytest
import torch

from explorer.analysis.collapse import wakeup
from explorer.analysis.collapse.linear import covariance_eigenvalues
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.models import VAE
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


@pytest.mark.parametrize(
    "likelihood", ["bernoulli", "continuous-bernoulli", "gaussian", "gaussian-pixel"]
)
def test_score_and_fisher_against_autograd(likelihood):
    torch.manual_seed(1)
    config = ModelConfig(hidden=(8,), likelihood=likelihood, precision="float64")
    model = VAE(config, (1, 8, 8))
    z = torch.randn(3, 2, dtype=torch.float64)
    x = torch.rand(3, 1, 8, 8, dtype=torch.float64)
    output = model.decoder(z).detach().requires_grad_(True)
    gradient = torch.autograd.grad(-model.likelihood.nll(output, x).sum(), output)[0]
    score, fisher = model.likelihood.score_and_fisher(output.detach(), x)
    assert torch.allclose(score, gradient[:, :1].flatten(1), atol=1e-8)
    samples = model.likelihood.distribution(output.detach()).sample(torch.Size([4000]))
    scored = [model.likelihood.score_and_fisher(output.detach(), s) for s in samples]
    scores = torch.stack([score for score, _ in scored])
    assert torch.allclose(scores.square().mean(0) / fisher, torch.ones_like(fisher), atol=0.2)
