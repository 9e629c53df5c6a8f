"""Networks, likelihoods and the VAE, against torch.distributions and closed forms."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from explorer.config import ModelConfig
from explorer.config.model import LIKELIHOOD_NAMES
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.models import LIKELIHOODS, NETWORKS, VAE
from explorer.models.likelihoods import LOGVAR_FLOOR, bound_below, unbound_below
from explorer.models.point import Point
from tests.helpers import of_kind, present

SHAPE = (2, 4, 3)
PIXELS = math.prod(SHAPE)


@pytest.fixture(autouse=True)
def same_random_numbers():
    torch.manual_seed(0)


def double(likelihood, sigma2=0.3):
    config = ModelConfig(likelihood=likelihood, sigma2=sigma2)
    return LIKELIHOODS[likelihood](config, SHAPE).double()


def some_output(likelihood, batch=5, scale=3.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    channels = SHAPE[0] * likelihood.parameters_per_pixel
    return scale * torch.randn(
        (batch, channels, *SHAPE[1:]), generator=generator, dtype=torch.float64
    )


def some_images(likelihood, batch=5, seed=1):
    x = torch.rand(
        (batch, *SHAPE), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return x.round() if likelihood.binarises else x


def uint8_images(shape, count=6, seed=0):
    return torch.from_numpy(
        np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)
    )


# Likelihoods


@pytest.mark.parametrize("name", LIKELIHOOD_NAMES)
def test_the_nll_is_that_of_the_distribution(name):
    likelihood = double(name)
    output = some_output(likelihood)
    if name == "continuous-bernoulli":
        # torch's own normaliser is a short series for probabilities of .499 to .501.
        output = torch.where(output.abs() < 0.01, torch.full_like(output, 0.01), output)
    x = some_images(likelihood)
    distribution = likelihood.distribution(output)
    assert distribution.batch_shape == (5,)
    assert distribution.event_shape == SHAPE
    torch.testing.assert_close(
        likelihood.nll(output, x), -distribution.log_prob(x), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("name", LIKELIHOOD_NAMES)
def test_single_precision_keeps_the_nats_of_extreme_outputs(name):
    exact, single = double(name), double(name).float()
    for scale in (1e-3, 1.0, 60.0):
        output, x = some_output(exact, scale=scale), some_images(exact)
        nll = single.nll(output.float(), x.float())
        assert nll.isfinite().all()
        torch.testing.assert_close(nll.double(), exact.nll(output, x), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", LIKELIHOOD_NAMES)
def test_the_nll_has_finite_gradients_at_zero_and_far_out(name):
    likelihood = double(name).float()
    for scale in (0.0, 1e-3, 1e3):
        output = some_output(likelihood, scale=scale).float().requires_grad_()
        likelihood.nll(output, some_images(likelihood).float()).sum().backward()
        assert output.grad.isfinite().all()


@pytest.mark.parametrize("name", [name for name in LIKELIHOOD_NAMES if double(name).has_slope])
@pytest.mark.parametrize("scale", [0.0, 3.0, 1e3])
def test_a_slope_in_closed_form_is_the_gradient_of_the_nll(name, scale):
    likelihood = double(name)
    outputs = torch.stack([some_output(likelihood, scale=scale, seed=seed) for seed in range(2)])
    x = some_images(likelihood)
    nll, slope = likelihood.nll_and_slope(outputs.flatten(2), x.flatten(1))  # Of two members.
    assert not list(likelihood.parameters())
    for index, output in enumerate(outputs):
        expected = likelihood.nll(output.requires_grad_(), x)
        (gradient,) = torch.autograd.grad(expected.sum(), output)
        torch.testing.assert_close(nll[index], expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(slope[index], gradient.flatten(1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("logit", [20.0, 27.9, 28.1, 60.0, 100.0])
def test_pixels_that_are_all_but_sure_cost_what_they_should(logit):
    logits = torch.tensor([[logit, -logit]], dtype=torch.float64)
    nll, _ = double("bernoulli").nll_and_slope(logits, torch.tensor([[1.0, 0.0]]).double())
    assert nll.item() == pytest.approx(2 * math.log1p(math.exp(-logit)), abs=1e-11)


def test_bernoulli_is_softplus_less_x_logit():
    likelihood = double("bernoulli")
    output, x = some_output(likelihood), some_images(likelihood)
    expected = (torch.log1p(output.exp()) - x * output).flatten(1).sum(1)
    torch.testing.assert_close(likelihood.nll(output, x), expected, rtol=1e-12, atol=0)
    # On the wrong side of a sure pixel: 1,000 nats, where probabilities would say 100.
    sure = torch.full((1, *SHAPE), 1000.0, dtype=torch.float64)
    assert likelihood.nll(sure, torch.zeros_like(sure)).item() == 1000 * PIXELS


def test_gaussian_is_its_closed_form():
    for name in ("gaussian", "gaussian-learned"):
        likelihood = double(name, sigma2=0.05)
        output, x = some_output(likelihood), some_images(likelihood)
        sigma2 = likelihood.sigma2().item()
        assert sigma2 == pytest.approx(0.05, rel=1e-3 if name == "gaussian-learned" else 1e-12)
        squares = (x - output).square().flatten(1).sum(1)
        expected = PIXELS / 2 * math.log(2 * math.pi * sigma2) + squares / (2 * sigma2)
        torch.testing.assert_close(likelihood.nll(output, x), expected, rtol=1e-12, atol=0)


def test_gaussian_diagonal_is_a_normal_with_one_variance_per_pixel():
    likelihood = double("gaussian-diagonal")
    variance = torch.linspace(0.01, 2, PIXELS, dtype=torch.float64).view(SHAPE)
    with torch.no_grad():
        likelihood.log_variance.copy_(unbound_below(variance.log(), LOGVAR_FLOOR))
    output, x = some_output(likelihood), some_images(likelihood)
    expected = -Normal(output, variance.sqrt()).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(likelihood.nll(output, x), expected, rtol=1e-12, atol=0)
    assert likelihood.sigma2() is None


def test_gaussian_pixel_sums_its_own_variances():
    likelihood = double("gaussian-pixel")
    output, x = some_output(likelihood), some_images(likelihood)
    mean, raw = output.chunk(2, dim=1)
    logvar = -12 + torch.log1p(torch.exp(raw + 12))
    per_pixel = math.log(2 * math.pi) + logvar + (x - mean) ** 2 / logvar.exp()
    torch.testing.assert_close(
        likelihood.nll(output, x), 0.5 * per_pixel.flatten(1).sum(1), rtol=1e-12, atol=0
    )


def test_the_continuous_bernoulli_integrates_to_one():
    likelihood = double("continuous-bernoulli")
    nodes, weights = np.polynomial.legendre.leggauss(80)
    x = torch.from_numpy((nodes + 1) / 2).view(-1, 1, 1, 1)
    for logit in (-30.0, -3.0, -0.0101, -0.0099, 0.0, 1e-4, 0.5, 8.0, 30.0):
        density = torch.exp(-likelihood.nll(torch.full_like(x, logit), x)).numpy()
        assert float((weights / 2 * density).sum()) == pytest.approx(1, abs=1e-9)


def test_a_learned_variance_moves_and_a_fixed_one_does_not():
    assert [name for name, _ in double("gaussian-learned").named_parameters()] == ["log_sigma2"]
    assert list(double("gaussian").parameters()) == []
    assert double("bernoulli").sigma2() is None


def test_constant_pixels_cannot_drive_the_variance_to_zero():
    raw = torch.tensor([-1e4, -100.0, -12.0, 0.0, 5.0], dtype=torch.float64)
    bounded = bound_below(raw, -12.0)
    assert bounded.min() >= -12
    torch.testing.assert_close(bounded[-2:], raw[-2:], rtol=0, atol=1e-5)
    wanted = torch.tensor([-11.999, -7.0, 0.0, 5.0], dtype=torch.float64)
    torch.testing.assert_close(bound_below(unbound_below(wanted, -12.0), -12.0), wanted)


def test_grey_digits_cost_their_entropy_at_best():
    """docs/science.md §3: the floor of the cross-entropy of grey digits, Σ H(x)."""
    x = torch.from_numpy(np.array(load_dataset("digits").images)).double() / 255
    output = torch.logit(x, eps=1e-12)
    assert double("bernoulli").nll(output, x).mean().item() == pytest.approx(13.658, abs=0.02)


@pytest.mark.mnist
def test_a_collapsed_model_of_mnist_costs_the_entropy_of_the_mean(mnist_root):
    """docs/science.md §3: 206.03 nats on the training set, 205.65 and 205.80 on the test set."""
    data = load_dataset("mnist", data_root=mnist_root)
    likelihood = double("bernoulli").float()
    train, test = data.images[:60_000], data.images[60_000:]

    def cost(images, of):
        # The nll is linear in x, so that the mean over binarisations is that of the grey values.
        mean = torch.from_numpy(of.mean(0, dtype=np.float64) / 255)[None]
        output = torch.logit(mean, eps=1e-9).float()
        total = 0.0
        for part in torch.from_numpy(np.array(images)).split(5000):
            nll = likelihood.nll(output.expand(len(part), -1, -1, -1), part.float() / 255)
            total += nll.double().sum().item()
        return total / len(images)

    assert cost(train, of=train) == pytest.approx(206.03, abs=0.02)
    assert cost(test, of=test) == pytest.approx(205.65, abs=0.02)
    assert cost(test, of=train) == pytest.approx(205.80, abs=0.02)


# Networks


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-pixel"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 28, 32, 64])
@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_every_network_takes_every_picture_size(network, side, channels, likelihood):
    hidden = {"mlp": (16, 8), "conv": (4, 6, 8), "linear": ()}[network]
    config = ModelConfig(network=network, hidden=hidden, latent_dim=3, likelihood=likelihood)
    model = VAE(config, (channels, side, side))
    x = torch.rand(2, channels, side, side)
    posterior = model.encode(x)
    assert (posterior.batch_shape, posterior.event_shape) == ((2,), (3,))
    decoded = model.decode(posterior.rsample())
    assert (decoded.batch_shape, decoded.event_shape) == ((2,), (channels, side, side))
    assert decoded.sample().shape == x.shape
    assert model.nll(posterior.mean, x.round()).shape == (2,)


def test_the_decoder_mirrors_the_encoder():
    model = VAE(ModelConfig(hidden=(7, 5), latent_dim=2), (1, 8, 8))
    sizes = [(m.in_features, m.out_features) for m in model.encoder if isinstance(m, nn.Linear)]
    back = [(m.out_features, m.in_features) for m in model.decoder if isinstance(m, nn.Linear)]
    assert sizes == [(64, 7), (7, 5), (5, 4)]
    assert back[::-1] == [(64, 7), (7, 5), (5, 2)]


def test_a_linear_network_has_no_hidden_layers():
    with pytest.raises(ExplorerError, match="no hidden layers"):
        VAE(ModelConfig(network="linear", hidden=(5,)), (1, 8, 8))


@pytest.mark.parametrize("shape, hidden", [((1, 7, 7), (8,)), ((1, 9, 9), (8,)), ((1, 8, 8), ())])
def test_convolutions_say_which_pictures_they_take(shape, hidden):
    with pytest.raises(ExplorerError, match="even sides of at least 8"):
        VAE(ModelConfig(network="conv", hidden=hidden), shape)


def test_an_absurd_size_is_refused_before_memory_is_taken():
    with pytest.raises(ExplorerError, match="at most 200,000,000"):
        VAE(ModelConfig(hidden=(8192,) * 8), (3, 64, 64))


# The VAE


def test_the_posterior_is_a_diagonal_normal():
    model = VAE(ModelConfig(hidden=(8,), latent_dim=3, precision="float64"), (1, 8, 8))
    x = torch.rand(4, 1, 8, 8, dtype=torch.float64)
    mean, logvar = model.encode_parameters(x)
    posterior = model.encode(x)
    assert isinstance(posterior, Independent) and isinstance(posterior.base_dist, Normal)
    torch.testing.assert_close(posterior.mean, mean)
    torch.testing.assert_close(posterior.variance, present(logvar).exp())
    assert kl_divergence(posterior, model.prior.distribution()).shape == (4,)


def test_the_posterior_variance_is_bounded():
    model = VAE(ModelConfig(hidden=(), latent_dim=2), (1, 8, 8))
    with torch.no_grad():
        of_kind(nn.Linear, model.encoder[-1]).weight.mul_(1e6)
    mean, logvar = model.encode_parameters(torch.rand(50, 1, 8, 8))
    assert present(logvar).abs().max() <= 20
    assert model.encode(torch.rand(5, 1, 8, 8)).variance.isfinite().all()


def test_a_point_code_is_a_distribution_without_a_density():
    model = VAE(ModelConfig(hidden=(8,), latent="point", noise=0.5), (1, 8, 8))
    x = torch.rand(3, 1, 8, 8)
    code = model.encode(x)
    mean, logvar = model.encode_parameters(x)
    assert isinstance(code, Point) and logvar is None
    torch.testing.assert_close(code.mean, mean)
    assert (code.variance == 0.25).all()
    noise = (code.rsample((4000,)) - mean).std(0).detach().numpy()
    assert noise == pytest.approx(np.full((3, 2), 0.5), rel=0.1)
    torch.testing.assert_close(Point(mean).rsample((2,)), mean.expand(2, -1, -1))
    with pytest.raises(NotImplementedError):
        code.log_prob(mean)


def test_precision_is_that_of_every_number():
    model = VAE(ModelConfig(hidden=(8,), precision="float64", likelihood="gaussian"), (1, 8, 8))
    assert {p.dtype for p in [*model.parameters(), *model.buffers()]} == {torch.float64}
    assert model.target(uint8_images((1, 8, 8))).dtype == torch.float64
    assert present(model.likelihood.sigma2()).item() == pytest.approx(0.05, rel=1e-14)


# What is encoded and scored


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_a_pixel_is_drawn_with_the_probability_of_its_grey_value(kind):
    count = 20_000
    model = VAE(ModelConfig(hidden=(4,)), (1, 16, 16))
    values = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(count, -1, -1, -1)
    images = values if kind == "bytes" else values / 255
    drawn = model.target(images, torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    found = drawn.double().mean(0).flatten().numpy()
    wanted = np.arange(256) / 255
    errors = np.sqrt(wanted * (1 - wanted) / count)
    assert found[0] == 0 and found[255] == 1
    # Five standard errors; P = v / 256, a random byte below v, would miss by nine at v = 254.
    assert np.all(np.abs(found - wanted)[1:255] < 5 * errors[1:255])


def test_neighbouring_pixels_are_drawn_independently():
    model = VAE(ModelConfig(hidden=(4,)), (1, 1, 200_000))
    row = torch.full((1, 1, 1, 200_000), 127, dtype=torch.uint8)
    drawn = model.target(row, torch.Generator().manual_seed(0)).flatten().numpy()
    for lag in (1, 2, 8):
        assert abs(np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]) < 5 / 200_000**0.5


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(hidden=(4,), binarise=False),
        ModelConfig(hidden=(4,), likelihood="gaussian"),
        ModelConfig(hidden=(4,), likelihood="continuous-bernoulli"),
    ],
)
def test_otherwise_the_grey_values_are_scored(config):
    images = uint8_images((1, 8, 8))
    model = VAE(config, (1, 8, 8))
    torch.testing.assert_close(model.target(images), images / 255, rtol=0, atol=0)
    torch.testing.assert_close(model.target(images / 255), images / 255, rtol=0, atol=0)


def test_the_same_generator_draws_the_same_pixels():
    model = VAE(ModelConfig(hidden=(4,)), (1, 8, 8))
    images = uint8_images((1, 8, 8))
    first, second = (model.target(images, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "gaussian-pixel"])
def test_an_untrained_decoder_puts_out_the_mean_image(likelihood):
    config = ModelConfig(hidden=(8,), likelihood=likelihood, precision="float64")
    model = VAE(config, (1, 8, 8))
    images = uint8_images((1, 8, 8), count=50).double() / 255
    images[:, :, 0] = 0.0
    model.initialise_output(images.mean(0), 50)
    with torch.no_grad():
        of_kind(nn.Linear, model.decoder[-2]).weight.zero_()
    output = model.decode(torch.zeros(1, 2, dtype=torch.float64)).mean[0]
    expected = images.mean(0)
    if likelihood == "bernoulli":
        expected = expected.clamp_min(1 / 52)
    torch.testing.assert_close(output, expected, rtol=1e-12, atol=1e-12)


def test_an_untrained_convolution_puts_out_the_mean_grey():
    model = VAE(ModelConfig(network="conv", hidden=(4, 4), likelihood="gaussian"), (3, 32, 32))
    mean = torch.rand(3, 32, 32)
    model.initialise_output(mean, 10)
    with torch.no_grad():
        of_kind(nn.ConvTranspose2d, model.decoder[-1]).weight.zero_()
    output = model.decode(torch.zeros(1, 2)).mean[0]
    torch.testing.assert_close(output.mean((1, 2)), mean.mean((1, 2)))
