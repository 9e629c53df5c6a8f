"""Torch networks of every sort as layers: what they compute, to 1e-5, without their code."""

import functools

import pytest
import torch
from torch import nn
from torch.distributions import Distribution

from explorer.models.adopted.foreign import keep_callable, open_callable
from explorer.models.adopted.layers.schema import walk
from explorer.models.adopted.trace.export import NotTraced, call_once, find_modules, held_still
from tests.models.adopted.residual import ResidualVAE
from tests.models.adopted.trace.networks import (
    Attention,
    Block,
    Convolutions,
    Folded,
    Odd,
    Perceptron,
    Transformer,
    Whole,
    unsettle,
)

FLAT, COLOUR = (1, 8, 8), (3, 32, 32)


@functools.cache
def network(kind, *arguments):
    torch.manual_seed(0)
    return unsettle(kind(*arguments)).eval()


def some(shape, count=5):
    return torch.randn((count, *shape), generator=torch.Generator().manual_seed(1))


CASES = {
    "perceptron, encoder": (lambda: network(Perceptron).encode, FLAT),
    "perceptron, flat": (lambda: network(Perceptron).encode, (64,)),
    "perceptron, dict": (lambda: network(Perceptron).as_dict, FLAT),
    "perceptron, object": (lambda: network(Perceptron).as_object, FLAT),
    "perceptron, distribution": (lambda: network(Perceptron).as_distribution, FLAT),
    "perceptron, joined": (lambda: network(Perceptron).joined, FLAT),
    "perceptron, interleaved": (lambda: network(Perceptron).interleaved, FLAT),
    "perceptron, decoder": (lambda: network(Perceptron).decode, (5,)),
    "perceptron, likelihood": (lambda: network(Perceptron).likelihood, (5,)),
    "attention, written out": (lambda: network(Attention, True), (6, 4, 4)),
    "attention, of torch": (lambda: network(Attention, False), (6, 4, 4)),
    "attention, folded": (lambda: network(Folded), (6, 4, 4)),
    "transformer": (lambda: network(Transformer), COLOUR),
    "transformer, norms last": (lambda: network(Transformer, False), COLOUR),
    "convolutions, encoder": (lambda: network(Convolutions).encode, COLOUR),
    "convolutions, decoder": (lambda: network(Convolutions).decode, (16,)),
    "residual VAE, encoder": (lambda: network(ResidualVAE).encode, (3, 64, 64)),
    "residual VAE, decoder": (lambda: network(ResidualVAE).decode, (32,)),
    "a block": (lambda: network(Block, 4, 4), (4, 8, 8)),
    "a wider block": (lambda: network(Block, 4, 8, 2), (4, 8, 8)),
    "odd, encoder": (lambda: network(Odd).encode, (32, 32, 3)),
    "odd, decoder": (lambda: network(Odd).decode, (7,)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_network_becomes_layers_that_compute_the_same(name):
    make, shape = CASES[name]
    call, x = make(), some(shape)
    drawn = open_callable(call, shape, "the network")
    assert drawn.kind == "layers"
    with torch.no_grad():
        outputs = call_once(call, x)
        expected = torch.cat([output.array.flatten(1) for output in outputs], 1)
    assert [part.name for part in drawn.segments] == [output.name for output in outputs]
    torch.testing.assert_close(drawn.network(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "activation",
    [
        nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.1), nn.SiLU(), nn.GELU(), nn.GELU("tanh"), nn.ELU(),
        nn.SELU(), nn.Tanh(), nn.Sigmoid(), nn.Softplus(2.0), nn.Mish(), nn.Hardswish(),
        nn.Hardsigmoid(), nn.Hardtanh(-2, 3), nn.LogSigmoid(), nn.PReLU(4), torch.exp, torch.expm1,
        torch.erf, torch.square, lambda x: (x * x).log1p(),
        lambda x: 1 - x, lambda x: x.clamp(min=-0.2), lambda x: -x / 3, torch.abs,
        lambda x: x**3, lambda x: (1 + x * x).rsqrt(), lambda x: x / (1 + x.exp()),
        lambda x: (1 + x * x) ** 1.5, lambda x: x.exp().sqrt().reciprocal(),
    ],
    ids=lambda part: getattr(part, "__name__", str(part)),
)  # fmt: skip
def test_an_activation_computes_the_same(activation):
    shape = (4, 3, 3)
    drawn = open_callable(lambda x: activation(x), shape, "the network")
    x = some(shape)
    with torch.no_grad():
        expected = activation(x).flatten(1)
    torch.testing.assert_close(drawn.network(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x.transpose(1, 3).flatten(2),
        lambda x: x[:, 1:, ::2],
        lambda x: x[:, -1],
        lambda x: x.narrow(1, 1, 2).squeeze(),
        lambda x: torch.stack(x.unbind(1), -1),
        lambda x: torch.cat(x.split([1, 3], 1)[::-1], 1),
        lambda x: torch.cat(x.chunk(2, 2), 1),
        lambda x: x.unsqueeze(2).expand(-1, 4, 1, 6, 6),
        lambda x: x.reshape(len(x), -1).unflatten(1, (4, 36)),
        lambda x: x.contiguous().clone().detach().to(torch.float32).permute(0, 2, 1, 3),
        lambda x: nn.functional.pad(x, (1, 2, 0, 3), mode="replicate"),
        lambda x: nn.functional.interpolate(x, (9, 8), mode="bilinear", align_corners=True),
        lambda x: nn.functional.adaptive_avg_pool2d(x, (3, 1)),
        lambda x: x.mean((2, 3)),
        lambda x: x.mean(1, keepdim=True),
        lambda x: x.sum((1, -1)),
        lambda x: x.var(1, keepdim=True),
        lambda x: x.std((2, 3), unbiased=False),
        lambda x: torch.norm(x, p=2, dim=(2, 3), keepdim=True),
        lambda x: nn.functional.normalize(x, dim=1),
        lambda x: nn.functional.glu(x, 1),
        lambda x: torch.einsum("bchw -> bwhc", x),
        lambda x: torch.einsum("bchw,bcuw->bhu", x, x.exp()),
        lambda x: torch.einsum("bchw,bcwv->bvch", x, x.tanh()),
        lambda x: torch.einsum("dc,bchw->bdhw", torch.arange(8.0).view(2, 4), x),
        lambda x: nn.functional.pixel_unshuffle(x, 3),
        lambda x: torch.roll(x, (2, -1), (2, 3)),
        lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 5, 7),
        lambda x: x[:, :, :1].repeat(1, 1, 3, 1),
        lambda x: torch.cat(
            [torch.linspace(0, 1, 36).view(1, 1, 6, 6).expand(len(x), -1, -1, -1), x], 1
        ),
        lambda x: nn.functional.avg_pool2d(x, 3, 2, 1, True, False),
        lambda x: x * torch.ones_like(x) + torch.zeros_like(x),
    ],
)
def test_a_move_of_values_computes_the_same(move):
    shape = (4, 6, 6)
    drawn = open_callable(lambda x: move(x), shape, "the network")
    x = some(shape)
    with torch.no_grad():
        expected = move(x).flatten(1)
    torch.testing.assert_close(drawn.network(x), expected, rtol=1e-5, atol=1e-6)


def test_batch_norm_vanishes_into_what_stands_before_it():
    layers = open_callable(network(Convolutions).encode, COLOUR, "encoder").layers
    kinds = [layer.kind for layer in walk(layers)]
    assert "batchNorm" not in kinds and "affine" not in kinds


def test_a_residual_network_is_sums_of_branches():
    layers = open_callable(network(ResidualVAE).decode, (32,), "decoder").layers
    sums = [layer for layer in layers if layer.kind == "sum"]
    assert len(sums) == 2 and all(() in s.branches or len(s.branches) == 2 for s in sums)
    assert {"groupNorm", "silu", "upsample"} <= {layer.kind for layer in walk(layers)}


@pytest.mark.parametrize(
    "method",
    [
        "as_sample", "as_own_noise", "as_plain_draw", "as_filled_noise", "as_normal",
        "without_gradients",
    ],
)  # fmt: skip
def test_noise_inside_an_encoder_is_read_as_an_input(method):
    model = network(Perceptron)
    drawn = open_callable(getattr(model, method), FLAT, "encoder")
    roles = [part.role for part in drawn.segments][:2]
    assert roles == ["mean", "std"]
    x = some(FLAT)
    mean, logvar = model.encode(x)
    expected = torch.cat([mean, torch.exp(0.5 * logvar)], 1)
    torch.testing.assert_close(drawn.network(x)[:, :10], expected, rtol=1e-5, atol=1e-5)


def test_a_network_is_held_in_evaluation_mode_and_then_let_go():
    model = unsettle(Perceptron())  # Training, with dropout and batch norm.
    drawn = open_callable(model.encode, FLAT, "encoder")
    assert model.training and all(part.training for part in model.body)
    model.eval()
    x = some(FLAT)
    expected = torch.cat(model.encode(x), 1)
    torch.testing.assert_close(drawn.network(x), expected, rtol=1e-5, atol=1e-5)


def test_checks_of_distributions_are_off_while_tracing_alone():
    before = Distribution._validate_args
    with held_still(network(Perceptron)):
        assert not Distribution._validate_args
    assert Distribution._validate_args == before


@pytest.mark.parametrize(
    "under",
    [functools.partial(torch.autocast, "cpu", enabled=False), torch.no_grad, torch.enable_grad],
)
def test_a_part_under_another_mode_is_drawn_too(under):
    model = network(Perceptron)

    def encode(x):
        with under():
            return model.encode(x)

    x = some(FLAT)
    drawn = open_callable(encode, FLAT, "encoder")
    torch.testing.assert_close(drawn.network(x).detach(), torch.cat(model.encode(x), 1).detach())


@pytest.mark.parametrize("precision, tolerance", [(torch.double, 1e-5), (torch.half, 2e-2)])
def test_a_network_in_another_precision_is_read_in_single(precision, tolerance):
    torch.manual_seed(0)
    model = unsettle(Perceptron()).to(precision).eval()
    drawn = open_callable(model.encode, FLAT, "encoder")
    x = some(FLAT)
    expected = torch.cat(model.encode(x.to(precision)), 1).float()
    torch.testing.assert_close(drawn.network(x), expected, rtol=tolerance, atol=tolerance)


def test_of_a_forward_pass_that_draws_inside_mean_and_spread_are_read():
    model = network(Whole)
    drawn = open_callable(model, FLAT, "encoder")
    assert [part.name for part in drawn.segments] == ["1", "2"]
    x = some(FLAT)
    torch.testing.assert_close(drawn.network(x), torch.cat(model(x)[1:], 1))


def test_weights_of_a_closure_and_of_a_partial_are_found():
    model = network(Perceptron)
    closure = lambda x: model.encode(x)[0]  # noqa: E731
    assert list(find_modules(closure)) == [model]
    assert list(find_modules(functools.partial(torch.add, model))) == [model]
    assert list(find_modules(model.encode)) == [model] == list(find_modules(model))

    class Holder:
        def __init__(self):
            self.inner = model

        def encode(self, x):
            return self.inner.encode(x)

    assert list(find_modules(Holder().encode)) == [model]
    drawn = open_callable(Holder().encode, FLAT, "encoder")
    x = some(FLAT)
    torch.testing.assert_close(drawn.network(x), torch.cat(model.encode(x), 1))


def by_brightness(x):
    model = network(Perceptron)
    return model.encode(x if x.mean() > 0 else -x)


@pytest.mark.parametrize(
    "call, shape, word",
    [
        (by_brightness, FLAT, "torch.export"),
        (lambda x: torch.sort(x.flatten(1)).values, FLAT, "layers do not"),
        (lambda x: None, FLAT, "no arrays"),
        (lambda x: x.flatten(1) * torch.rand(()), FLAT, "random numbers"),
        (lambda x: nn.functional.dropout(x.flatten(1), 0.5), FLAT, "training mode"),
        (lambda x: x.flatten(1) - x.flatten(1).mean(0), FLAT, "layers do not"),
    ],
    ids=["control flow", "sorting", "nothing", "other noise", "dropout", "the whole batch"],
)
def test_what_cannot_be_drawn_is_told_in_one_sentence(call, shape, word):
    with pytest.raises(NotTraced, match=word) as caught:
        open_callable(call, shape, "The encoder")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_drawn_still_serves_in_its_own_process():
    kept = keep_callable(by_brightness, FLAT, "The encoder")
    assert kept.kind == "callable" and [part.shape for part in kept.segments] == [(5,), (5,)]
    x = some(FLAT).requires_grad_(True)
    found = kept.network(x)
    torch.testing.assert_close(found, torch.cat(by_brightness(x), 1))
    assert torch.autograd.grad(found.sum(), x)[0].abs().sum() > 0
