"""Fewer layers with the same result: what folds, what cancels, what is cut short."""

import math

import pytest
import torch

from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.layers.simplify import make_affine, simplify, straighten_tail

PICTURE = (4, 6, 6)
ONE, HALF, TWO = (torch.tensor(value) for value in (1.0, 0.5, 2.0))


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def reshape(*shape):
    return Layer("reshape", {"shape": list(shape)})


def linear(outputs, inputs):
    return Layer("linear", {}, {"weight": numbers(outputs, inputs), "bias": numbers(outputs)})


def cut(start, stop, step=1):
    return Layer("slice", {"axis": 0, "start": start, "stop": stop, "step": step})


def norm(channels):
    tensors = {"mean": numbers(channels), "variance": numbers(channels, seed=1).exp()}
    return Layer("batchNorm", {}, {**tensors, "weight": numbers(channels, seed=2)})


CONV = Layer("conv", {"padding": [1, 1]}, {"weight": numbers(8, 4, 3, 3)})
UP = Layer("transposedConv", {"groups": 2}, {"weight": numbers(4, 3, 2, 2), "bias": numbers(6)})
GATE = (make_affine(torch.tensor(math.sqrt(0.5)), None), Layer("erf"), make_affine(HALF, HALF))
CASES = {
    "batch norm after a convolution": ([CONV, norm(8)], ["conv"]),
    "batch norm after a grouped transposed one": ([UP, norm(6)], ["transposedConv"]),
    "batch norm after a linear layer": ([reshape(144), linear(5, 144), norm(5)],
                                        ["reshape", "linear"]),
    "batch norm after an activation": ([CONV, Layer("relu"), norm(8)], ["conv", "relu", "affine"]),
    "constants one after the other": ([make_affine(TWO, ONE), make_affine(HALF, -HALF)], []),
    "constants before a linear layer": ([make_affine(TWO, numbers(4, 1, 1)), reshape(144),
                                         linear(3, 144)], ["reshape", "linear"]),
    "constants of pixels stay": ([CONV, make_affine(numbers(6, 6), None)], ["conv", "affine"]),
    "reshapes one after the other": ([reshape(12, 12), reshape(2, 72), reshape(144)], ["reshape"]),
    "a reshape to what it is": ([reshape(4, 6, 6), Layer("relu")], ["relu"]),
    "an activation between reshapes": ([reshape(144), Layer("tanh"), reshape(4, 6, 6)], ["tanh"]),
    "there and back": ([Layer("permute", {"order": [1, 2, 0]}),
                        Layer("permute", {"order": [2, 0, 1]})], []),
    "a permutation after a linear layer": ([reshape(144), linear(24, 144), reshape(2, 3, 4),
                                            Layer("permute", {"order": [2, 0, 1]})],
                                           ["reshape", "linear", "reshape"]),
    "a permutation of an axis of one": ([reshape(1, 12, 12),
                                         Layer("permute", {"order": [1, 2, 0]})], ["reshape"]),
    "constants of rows before a linear layer of each": (
        [reshape(12, 12), make_affine(TWO, numbers(12)), linear(3, 12)], ["reshape", "linear"]),
    "constants that differ between rows stay": (
        [reshape(12, 12), make_affine(TWO, numbers(12, 1)), linear(3, 12)],
        ["reshape", "affine", "linear"]),
    "constants of pixels before a linear layer of each row stay": (
        [make_affine(TWO, numbers(4, 1, 1)), reshape(12, 12), linear(3, 12)],
        ["affine", "reshape", "linear"]),
    "a permutation of heads after a linear layer of each row": (
        [reshape(12, 12), linear(6, 12), reshape(12, 2, 3), Layer("permute", {"order": [1, 0, 2]})],
        ["reshape", "linear", "reshape", "permute"]),
    "log of exp": ([Layer("exp"), Layer("log")], []),
    "logit of a sigmoid behind a reshape": ([Layer("sigmoid"), reshape(144), Layer("logit")],
                                            ["reshape"]),
    "logit of pixels from a tanh": ([Layer("tanh"), make_affine(HALF, HALF), Layer("logit")],
                                    ["affine"]),
    "x·sigmoid(x)": ([Layer("product", {}, {}, ((), (Layer("sigmoid"),)))], ["silu"]),
    "GELU by the error function": ([Layer("product", {}, {}, (GATE, ()))], ["gelu"]),
    "a whole slice": ([Layer("slice", {"axis": 1, "start": 0, "stop": 6})], []),
    "a slice of a joined branch": (
        [reshape(144), Layer("concat", {"axis": 0}, {}, ((linear(3, 144),), (linear(2, 144),))),
         cut(3, 5)], ["reshape", "linear"]),
    "an upsampling to the same size": ([Layer("upsample", {"size": [6, 6]})], []),
    "one branch": ([Layer("sum", {}, {}, ((Layer("relu"),),))], ["relu"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_result_stays_and_the_layers_become_fewer(name):
    layers, kinds = CASES[name]
    x = numbers(3, *PICTURE, seed=3)
    fewer = simplify(layers, PICTURE)
    assert [layer.kind for layer in fewer] == kinds
    expected = build_network(layers, PICTURE)(x)
    torch.testing.assert_close(build_network(fewer, PICTURE)(x), expected, rtol=1e-4, atol=1e-4)


def heads(second):
    both = Layer("concat", {"axis": 0}, {}, ((linear(3, 144),), (linear(3, 144), *second)))
    return [reshape(144), both]


def test_two_heads_become_the_one_layer_that_they_are():
    x = numbers(5, *PICTURE)
    straight = straighten_tail(heads((make_affine(TWO, ONE),)), PICTURE)
    assert [layer.kind for layer in straight] == ["reshape", "linear"]
    assert straight[1].tensors["weight"].shape == (6, 144)
    expected = build_network(heads((make_affine(TWO, ONE),)), PICTURE)(x)
    torch.testing.assert_close(build_network(straight, PICTURE)(x), expected, rtol=1e-5, atol=1e-5)


def test_a_bend_in_a_head_keeps_the_heads_apart():
    assert straighten_tail(heads((Layer("exp"),)), PICTURE)[-1].kind == "concat"


def test_interleaved_halves_become_one_layer():
    halves = Layer("concat", {"axis": 0}, {}, ((cut(0, 6, 2),), (cut(1, 6, 2),)))
    layers = [reshape(144), linear(6, 144), halves]
    straight = straighten_tail(layers, PICTURE)
    weight = layers[1].tensors["weight"]
    torch.testing.assert_close(straight[1].tensors["weight"], weight[[0, 2, 4, 1, 3, 5]])


def test_a_large_tail_is_left_as_it_is():
    layers = [Layer("permute", {"order": [1, 0, 2]}), make_affine(TWO, None)]
    assert straighten_tail(layers, (100, 100, 1)) == tuple(layers)
