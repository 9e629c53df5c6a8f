"""The Laplace likelihood: torch's own, an L1 loss, and what the wake-up rule makes of it."""

import math

import numpy as np
import pytest
import torch
from scipy.special import erf
from scipy.stats import norm
from torch.distributions import Laplace

from explorer.analysis.collapse.wakeup import wake_up_eigenvalues
from explorer.analysis.inference.emission import Emission
from explorer.config import ModelConfig
from explorer.models import VAE
from explorer.models.likelihoods.laplace import LaplaceLikelihood

SIGMA2 = 0.08
SCALE = math.sqrt(SIGMA2 / 2)


@pytest.fixture
def pixels():
    generator = torch.Generator().manual_seed(0)
    output = torch.randn((5, 2, 3, 4), generator=generator, dtype=torch.float64)
    return output, torch.rand((5, 2, 3, 4), generator=generator, dtype=torch.float64)


def test_nll_is_torchs(pixels):
    output, x = pixels
    expected = -Laplace(output, SCALE).log_prob(x).flatten(1).sum(1)
    likelihood = LaplaceLikelihood("laplace", SIGMA2)
    torch.testing.assert_close(likelihood.nll(output, x), expected)
    torch.testing.assert_close(-likelihood.distribution(output).log_prob(x), expected)
    variance = likelihood.distribution(output).variance
    torch.testing.assert_close(variance, torch.full_like(variance, SIGMA2))


def test_its_gradient_is_that_of_an_l1_loss(pixels):
    output, x = pixels
    output.requires_grad_()
    (ours,) = torch.autograd.grad(LaplaceLikelihood("laplace", SIGMA2).nll(output, x).sum(), output)
    (plain,) = torch.autograd.grad((x - output).abs().sum() / SCALE, output)
    torch.testing.assert_close(ours, plain)


def test_the_score_has_the_fisher_information_under_the_model(pixels):
    output, _ = pixels
    likelihood = LaplaceLikelihood("laplace", SIGMA2)
    draws = likelihood.distribution(output).sample(torch.Size([4000]))
    scores = torch.stack([likelihood.score_and_fisher(output, draw)[0] for draw in draws])
    fisher = likelihood.score_and_fisher(output, draws[0])[1]
    torch.testing.assert_close(fisher, torch.full_like(fisher, 1 / SCALE**2))
    torch.testing.assert_close(scores.square().mean(0), fisher)  # The score is ±1/b always.
    assert (scores.mean(0).abs() * SCALE < 4 / 4000**0.5).all()


def test_exact_inference_scores_pairs_as_the_model_does():
    torch.manual_seed(0)
    config = ModelConfig(
        hidden=(8,), likelihood="laplace", sigma2=SIGMA2, latent_dim=2, precision="float64"
    )
    model = VAE(config, (1, 4, 4))
    z, x = torch.randn((7, 2), dtype=torch.float64), torch.rand((3, 1, 4, 4), dtype=torch.float64)
    with torch.no_grad():
        rows = [-model.nll(z, image.expand(7, -1, -1, -1)) for image in x]
    torch.testing.assert_close(Emission(model).log_likelihood(z, x), torch.stack(rows, 1))


def best_objective(weight, beta, pixels, copies):
    """Return the least mean β-ELBO loss of a code that moves `copies` equal pixels by `weight`·z.

    Brute force: for each pixel value the best normal q(z|x) on a lattice of means and variances,
    E|x − wz| in closed form (a folded normal), b = SCALE.
    """
    mean = np.linspace(-0.8, 0.8, 321)[:, None]
    sd = np.linspace(0.85, 1.05, 81)
    kl = 0.5 * (mean**2 + sd**2 - 1) - np.log(sd)
    losses = []
    for x in pixels:
        shift, spread = x - weight * mean, weight * sd
        ratio = shift / spread
        folded = spread * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + shift * erf(ratio / 2**0.5)
        losses.append((copies * folded / SCALE + beta * kl).min())
    return np.mean(losses)


def test_the_wake_up_rule_is_where_a_small_code_begins_to_pay():
    # Pixels of a normal density f(0) = 1/(s√2π), all alike: eigenvalue copies/(2fb).
    spread, copies = 0.4, 3
    pixels = spread * norm.ppf((np.arange(200) + 0.5) / 200)
    images = np.repeat(pixels[:, None], copies, axis=1)
    (found, *rest) = wake_up_eigenvalues(images, "laplace", SIGMA2)
    expected = copies * spread * math.sqrt(2 * math.pi) / (2 * SCALE)
    assert found == pytest.approx(expected, rel=0.05) and max(rest) < 1e-6
    asleep = copies * np.abs(pixels).mean() / SCALE
    assert best_objective(0.03, 0.85 * expected, pixels, copies) < asleep - 1e-3
    assert best_objective(0.03, 1.15 * expected, pixels, copies) > asleep - 1e-3


def test_pixels_that_lie_at_their_median_stay_asleep():
    rng = np.random.default_rng(0)
    black = rng.random((2000, 4)) < 0.7
    images = np.where(black, 0.0, rng.random((2000, 1)))
    assert wake_up_eigenvalues(images, "laplace", SIGMA2)[0] < 0.5
    assert wake_up_eigenvalues(images, "gaussian", SIGMA2)[0] > 1
