"""The discretised logistic: a distribution over 256 grey values, against torch's logistic."""

import math

import pytest
import torch
from torch.distributions import AffineTransform, SigmoidTransform, TransformedDistribution, Uniform

from explorer.analysis.inference.likelihood import bits_per_dim
from explorer.config import ModelConfig
from explorer.models import VAE
from explorer.models.likelihoods.discretized_logistic import (
    DiscretizedLogistic,
    DiscretizedLogisticLikelihood,
)
from tests.helpers import present

LEVELS = torch.arange(256, dtype=torch.float64) / 255
CENTRES = torch.tensor([-0.4, 0.0, 0.2501, 0.5, 0.999, 1.3], dtype=torch.float64)[:, None]


def torch_logistic(centre, scale):
    unit = Uniform(torch.zeros((), dtype=torch.float64), 1.0)
    turn = [SigmoidTransform().inv, AffineTransform(centre, scale)]
    return TransformedDistribution(unit, turn, validate_args=False)


@pytest.mark.parametrize("scale", [0.002, 0.02, 0.2, 2.0])
def test_its_masses_are_those_of_torchs_logistic_and_sum_to_one(scale):
    found = DiscretizedLogistic(CENTRES, torch.tensor(scale)).log_prob(LEVELS)
    logistic = torch_logistic(CENTRES, torch.tensor(scale, dtype=torch.float64))
    upper = logistic.cdf(LEVELS + 0.5 / 255)
    lower = logistic.cdf(LEVELS - 0.5 / 255)
    upper[:, -1], lower[:, 0] = 1.0, 0.0
    expected = upper - lower
    torch.testing.assert_close(found.exp(), expected, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(6, dtype=torch.float64))


def test_far_tails_stay_finite_and_exact():
    # 1,000 scales away: σ(a) − σ(b) → e^{−1000}(1 − e^{−Δ}), which no difference of floats gives.
    scale = torch.tensor(0.0005, dtype=torch.float64)
    found = DiscretizedLogistic(torch.tensor(1.0, dtype=torch.float64), scale).log_prob(LEVELS[128])
    upper = (LEVELS[128] + 0.5 / 255 - 1) / scale
    assert found.item() == pytest.approx(float(upper) + math.log1p(-math.exp(-1 / 255 / scale)))
    low = DiscretizedLogistic(torch.tensor([1.0]), scale.float()).log_prob(LEVELS[128].float())
    assert low.item() == pytest.approx(found.item(), rel=1e-4)


@pytest.mark.parametrize("scale", [0.002, 0.05, 0.4])
def test_mean_variance_and_draws(scale):
    pixels = DiscretizedLogistic(CENTRES[:, 0], torch.tensor(scale, dtype=torch.float64))
    mass = DiscretizedLogistic(CENTRES, torch.tensor(scale)).log_prob(LEVELS).exp()
    mean = mass @ LEVELS
    torch.testing.assert_close(pixels.mean, mean, atol=1e-7, rtol=0)
    torch.testing.assert_close(pixels.variance, mass @ LEVELS.square() - mean**2, atol=1e-7, rtol=0)
    torch.manual_seed(0)
    draws = pixels.sample(torch.Size([20_000]))
    assert torch.equal(draws, (draws * 255).round() / 255)
    error = (pixels.variance / 20_000).sqrt()
    assert ((draws.mean(0) - mean).abs() <= 5 * error + 1e-9).all()


@pytest.mark.parametrize("sigma2", [1e-4, 0.01, 0.5])
def test_score_and_fisher_are_the_gradients(sigma2):
    likelihood = DiscretizedLogisticLikelihood("discretized-logistic", sigma2).double()
    output = CENTRES.expand(6, 256).reshape(6, 1, 1, 256).clone().requires_grad_()
    x = LEVELS.expand(6, 256).reshape(6, 1, 1, 256)
    (gradient,) = torch.autograd.grad(-likelihood.nll(output, x).sum(), output)
    score, fisher = likelihood.score_and_fisher(output.detach(), x)
    torch.testing.assert_close(score, gradient.flatten(1), rtol=1e-6, atol=1e-7)
    # E[score²] over the grey values that the model itself expects.
    mass = DiscretizedLogistic(CENTRES, likelihood.scale().detach()).log_prob(LEVELS).exp()
    expected = (mass * score.square()).sum(1)
    torch.testing.assert_close(fisher[:, 0], expected, rtol=2e-3, atol=1e-9)
    if sigma2 == 0.01:  # Many grey values wide, away from the ends: that of a logistic density.
        assert fisher[3, 0].item() == pytest.approx(
            1 / (3 * likelihood.scale().item() ** 2), rel=0.02
        )


def test_its_nats_are_bits_of_bytes():
    config = ModelConfig(hidden=(8,), likelihood="discretized-logistic", precision="float64")
    model = VAE(config, (1, 4, 4))
    x = LEVELS[:32].reshape(2, 1, 4, 4)
    bits = bits_per_dim(model, x, -torch.tensor([160.0, 16 * math.log(256)]).numpy())
    # Nothing known of a byte costs 8 bits, and no 8 are added as for a density on [0, 1].
    assert present(bits).tolist() == pytest.approx([10 / math.log(2), 8.0])


def test_a_learned_scale_settles_on_the_spread_of_the_pixels():
    torch.manual_seed(0)
    logistic = torch_logistic(0.5, 0.03)
    x = ((logistic.sample(torch.Size([4000])) * 255).round() / 255).clamp(0, 1).view(1, 1, 1, -1)
    likelihood = DiscretizedLogisticLikelihood("discretized-logistic", 0.05).double()
    optimiser = torch.optim.Adam(likelihood.parameters(), lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        likelihood.nll(torch.full_like(x, 0.5), x).mean().backward()
        optimiser.step()
    assert likelihood.scale().item() == pytest.approx(0.03, rel=0.05)


@pytest.mark.parametrize("sigma2", [1e-3, 0.01, 0.5, 8.0])
def test_far_beyond_the_pixels_the_information_is_still_that_of_the_masses(sigma2):
    likelihood = DiscretizedLogisticLikelihood("discretized-logistic", sigma2).double()
    centre = torch.tensor([-4.0, -1.2, -0.71, -0.5, -0.499, 1.499, 1.5, 1.62, 2.4, 5.0]).double()
    scale, step = likelihood.scale().detach(), 1e-5
    infinite = torch.tensor([math.inf]).double()
    edges = torch.cat([-infinite, LEVELS[:-1] + 0.5 / 255, infinite])

    def masses(at):
        """Differences of the tail on the side of the centre, so that small ones keep digits."""
        side = torch.where(at < 0.5, 1.0, -1.0)[:, None]
        tail = torch.sigmoid(side * (at[:, None] - edges) / scale)
        return (tail[:, :-1] - tail[:, 1:]) * side

    # Σ (∂ mass/∂centre)²/mass, by differences in the centre; the slopes sum to zero.
    mass, slope = masses(centre), (masses(centre + step) - masses(centre - step)) / (2 * step)
    largest = mass.argmax(1, keepdim=True)
    slope.scatter_(1, largest, 0.0)
    slope.scatter_(1, largest, -slope.sum(1, keepdim=True))
    expected = (slope.square() / mass).nan_to_num(0.0).sum(1)
    _, fisher = likelihood.score_and_fisher(centre.view(1, 1, 1, -1), torch.zeros(1, 1, 1, 10))
    torch.testing.assert_close(fisher[0], expected, rtol=2e-3, atol=0)
