"""Layers as modules: each kind computes what torch.nn does, and what does not fit is told."""

import itertools

import pytest
import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.models.adopted.layers import network as network_module
from explorer.models.adopted.layers.builders import BUILDERS, JOINS
from explorer.models.adopted.layers.limits import CHUNK_VALUES
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import SCHEMAS, Layer, check_layers, count_weights
from tests.helpers import present

PICTURE = (4, 6, 6)


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def from_module(kind, module, **settings):
    """Return a module's layer, with the module's own weights."""
    tensors = {name: value.detach().clone() for name, value in module.named_parameters()}
    return Layer(kind, settings, tensors), module.eval()


def cases():
    torch.manual_seed(0)
    yield (*from_module("linear", nn.Linear(6, 5)), PICTURE)
    yield (*from_module("linear", nn.Linear(6, 5, bias=False)), (6,))
    yield (*from_module("conv", nn.Conv2d(4, 6, 3)), PICTURE)
    conv = nn.Conv2d(4, 6, (3, 2), (2, 1), (2, 1), (1, 2), groups=2)
    settings = {"stride": [2, 1], "padding": [2, 1], "dilation": [1, 2], "groups": 2}
    yield (*from_module("conv", conv, **settings), PICTURE)
    up = nn.ConvTranspose2d(4, 6, 3, (2, 3), 1, (1, 2), groups=2, bias=False, dilation=1)
    settings = {"stride": [2, 3], "padding": [1, 1], "groups": 2, "extra": [1, 2]}
    yield (*from_module("transposedConv", up, **settings), PICTURE)
    norm = nn.BatchNorm2d(4)
    present(norm.running_mean).normal_()
    present(norm.running_var).uniform_(0.5, 2)
    layer, norm = from_module("batchNorm", norm)
    statistics = {"mean": norm.running_mean.clone(), "variance": norm.running_var.clone()}
    yield Layer("batchNorm", {}, {**layer.tensors, **statistics}), norm, PICTURE
    yield (*from_module("groupNorm", nn.GroupNorm(2, 4), groups=2), PICTURE)
    yield (*from_module("groupNorm", nn.InstanceNorm2d(4, affine=True), groups=4), PICTURE)
    yield (*from_module("layerNorm", nn.LayerNorm([6, 6]), shape=[6, 6]), PICTURE)
    yield (*from_module("prelu", nn.PReLU(4)), PICTURE)
    for kind, module in (
        ("relu", nn.ReLU()),
        ("silu", nn.SiLU()),
        ("tanh", nn.Tanh()),
        ("sigmoid", nn.Sigmoid()),
        ("flatten", nn.Flatten()),
    ):
        yield Layer(kind), module, PICTURE
    yield Layer("leakyRelu", {"slope": 0.3}), nn.LeakyReLU(0.3), PICTURE
    yield Layer("elu", {"alpha": 0.5}), nn.ELU(0.5), PICTURE
    yield Layer("gelu"), nn.GELU(), PICTURE
    yield Layer("gelu", {"approximate": "tanh"}), nn.GELU("tanh"), PICTURE
    yield Layer("softplus", {"beta": 2, "threshold": 5}), nn.Softplus(2, 5), PICTURE
    yield Layer("clamp", {"low": -0.5, "high": 1}), nn.Hardtanh(-0.5, 1), PICTURE
    yield Layer("exp"), torch.exp, PICTURE
    yield Layer("erf"), torch.erf, PICTURE
    pool = {"kernel": [3, 2], "stride": [2, 2], "padding": [1, 0]}
    yield Layer("maxPool", pool), nn.MaxPool2d((3, 2), 2, (1, 0)), PICTURE
    yield Layer("averagePool", pool), nn.AvgPool2d((3, 2), 2, (1, 0)), PICTURE
    outside = {**pool, "countPadding": False, "ceil": True}
    yield Layer("averagePool", outside), nn.AvgPool2d((3, 2), 2, (1, 0), True, False), PICTURE
    sides = (2, 1, 0, 1)
    for mode, border in (
        ("reflect", nn.ReflectionPad2d(sides)),
        ("replicate", nn.ReplicationPad2d(sides)),
        ("circular", nn.CircularPad2d(sides)),
    ):
        yield Layer("pad", {"padding": list(sides), "mode": mode}), border, PICTURE
    constant = {"padding": [2, -1, 0, 1], "value": 0.5}
    yield Layer("pad", constant), nn.ConstantPad2d((2, -1, 0, 1), 0.5), PICTURE
    yield Layer("reshape", {"shape": [2, 72]}), lambda x: x.reshape(-1, 2, 72), PICTURE
    yield Layer("permute", {"order": [1, 2, 0]}), lambda x: x.permute(0, 2, 3, 1), PICTURE
    cut = {"axis": 1, "start": 1, "stop": 6, "step": 2}
    yield Layer("slice", cut), lambda x: x[:, :, 1:6:2], PICTURE
    yield Layer("upsample", {"size": [9, 12]}), nn.Upsample((9, 12)), PICTURE
    for corners in (False, True):
        settings = {"size": [9, 12], "mode": "bilinear", "alignCorners": corners}
        larger = nn.Upsample((9, 12), mode="bilinear", align_corners=corners)
        yield Layer("upsample", settings), larger, PICTURE
    scale = {"weight": numbers(4, 1, 1), "bias": numbers(6)}
    affine = lambda x: x * scale["weight"] + scale["bias"]  # noqa: E731
    yield Layer("affine", {}, scale), affine, PICTURE
    branches = ((), (Layer("relu"),), (Layer("tanh"), Layer("exp")))
    yield Layer("sum", {}, {}, branches), lambda x: x + x.relu() + x.tanh().exp(), PICTURE
    yield Layer("product", {}, {}, branches), lambda x: x * x.relu() * x.tanh().exp(), PICTURE
    joined = lambda x: torch.cat([x, x.relu(), x.tanh().exp()], 2)  # noqa: E731
    yield Layer("concat", {"axis": 1}, {}, branches), joined, PICTURE
    turned = (Layer("permute", {"order": [0, 2, 1]}), Layer("softmax", {"axis": 2}))
    seen = lambda x: x @ x.mT.softmax(3)  # noqa: E731
    yield Layer("matmul", {}, {}, ((), turned)), seen, PICTURE
    positive = (Layer("exp"), Layer("log"))
    yield Layer("sum", {}, {}, (positive, ())), lambda x: 2 * x, PICTURE
    odds = (Layer("sigmoid"), Layer("logit"))
    yield Layer("sum", {}, {}, (odds, ())), lambda x: 2 * x, PICTURE


CASES = list(cases())


@pytest.mark.parametrize("layer, module, shape", CASES, ids=[c[0].kind for c in CASES])
def test_a_layer_computes_what_torch_does(layer, module, shape):
    x = numbers(3, *shape, seed=1)
    network = build_network([layer], shape)
    with torch.no_grad():
        expected = module(x)
        found = network(x)
    assert network.shape_out == tuple(expected.shape[1:])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


FITS, SIZES = (0, 1, 2, 3, 4), ((4, 6, 6), (2, 4, 6), (4,), (3, 4), (4, 1, 1))


def askew():
    """Layers beside shapes some of which they do not fit."""
    for wide, high in itertools.product(FITS, FITS):
        settings = {"stride": [1 + wide, 1], "padding": [wide, high], "dilation": [1, 1 + high]}
        yield Layer("conv", settings, {"weight": numbers(6, 4, 3, 2)})
        spread = {**settings, "extra": [high, wide]}
        yield Layer("transposedConv", spread, {"weight": numbers(4, 5, 3, 2)})
    for size in FITS[1:]:
        names = ("weight", "bias", "mean", "variance")
        yield Layer("batchNorm", {}, {name: numbers(size) for name in names})
        yield Layer("linear", {}, {"weight": numbers(5, size)})
        cut = Layer("slice", {"axis": 0, "start": 0, "stop": size, "step": 1})
        for axis in (0, 1, 2):
            yield Layer("concat", {"axis": axis}, {}, ((), (cut,)))
        yield Layer("sum", {}, {}, ((), (cut,)))


def shape_or_none(layer, shape):
    try:
        return build_network([layer], shape).shape_out
    except ExplorerError:
        return None


@pytest.mark.parametrize("kind", sorted({layer.kind for layer in askew()}))
def test_shapes_that_are_known_are_those_of_a_run(kind, monkeypatch):
    cases = [(case, shape) for case in askew() if case.kind == kind for shape in SIZES]
    known = [shape_or_none(*case) for case in cases]
    assert None in known and len(set(known)) > 2
    monkeypatch.setattr(network_module, "find_shape", lambda *arguments: None)
    assert known == [shape_or_none(*case) for case in cases]


def test_every_kind_has_a_builder_and_a_test():
    assert set(SCHEMAS) == set(BUILDERS) | set(JOINS)
    inside = {part.kind for case in CASES for b in case[0].branches for part in b}
    assert {case[0].kind for case in CASES} | inside == set(SCHEMAS) - {"opaque"}


def test_a_chain_ends_in_the_modules_that_exact_inference_looks_for():
    layers = [
        Layer("linear", {}, {"weight": numbers(12, 2), "bias": numbers(12)}),
        Layer("reshape", {"shape": [3, 2, 2]}),
        Layer("reshape", {"shape": [12]}),
    ]
    network = build_network(layers, (2,))
    assert [type(part) for part in network] == [nn.Linear, nn.Unflatten, nn.Flatten]


def test_the_cost_counts_products_and_the_widest_array():
    layers = [
        Layer("conv", {"padding": [1, 1]}, {"weight": numbers(8, 4, 3, 3)}),
        Layer("transposedConv", {"stride": [2, 2]}, {"weight": numbers(8, 2, 2, 2)}),
    ]
    cost = build_network(layers, PICTURE).cost
    assert cost.multiply_adds == 8 * 4 * 9 * 36 + 8 * 2 * 4 * 36
    assert (cost.widest, cost.values) == (8 * 36, 8 * 36 + 2 * 144)
    assert count_weights(layers) == 8 * 4 * 9 + 8 * 2 * 4


def test_large_batches_pass_in_parts_and_give_the_same():
    network = build_network([Layer("relu")], PICTURE)
    x = numbers(7, *PICTURE)
    network.cost.widest = CHUNK_VALUES // 3  # Three images at once.
    with torch.no_grad():
        torch.testing.assert_close(network(x), x.relu())


@pytest.mark.parametrize(
    "layers, shape, sentence",
    [
        ([Layer("linear", {}, {"weight": numbers(3, 4)})], (5,), "Layer 1 .* does not fit"),
        ([Layer("conv", {}, {"weight": numbers(3, 4, 9, 9)})], PICTURE, "Layer 1 .*does not fit"),
        ([Layer("relu"), Layer("reshape", {"shape": [7]})], (6,), "Layer 2 .*cannot be reshaped"),
        ([Layer("groupNorm", {"groups": 3})], PICTURE, "do not share 3 groups"),
        ([Layer("slice", {"axis": 0, "start": 4, "stop": 9})], PICTURE, "nothing to cut"),
        ([Layer("permute", {"order": [0, 0, 1]})], PICTURE, "cannot be put in the order"),
        ([Layer("affine", {}, {"weight": numbers(9, 1, 1)})], PICTURE, "does not fit"),
        ([Layer("upsample", {"size": [9999, 9999]})], PICTURE, "at most 8,000,000"),
        ([Layer("conv", {"padding": [9999, 9]}, {"weight": numbers(64, 4, 3, 3)})], PICTURE,
         "at most 8,000,000"),
        ([Layer("concat", {"axis": 3}, {}, ((), ()))], PICTURE, "does not fit"),
        ([Layer("magic")], PICTURE, "no layer of ours"),
        ([Layer("linear")], PICTURE, "lacks its array 'weight'"),
        ([Layer("linear", {}, {"weight": numbers(3)})], (3,), "1 axes in place of 2"),
        ([Layer("linear", {}, {"weight": torch.ones(3, 3, dtype=torch.int64)})], (3,), "floats"),
        ([Layer("relu", {"slope": 1})], PICTURE, "'slope'"),
        ([Layer("elu", {"alpha": float("nan")})], PICTURE, "alpha must be a number"),
        ([Layer("maxPool", {"kernel": [2, 2]})], PICTURE, "lacks its setting 'stride'"),
        ([Layer("maxPool", {"kernel": [0, 2], "stride": [1, 1]})], PICTURE, "whole number from 1"),
        ([Layer("pad", {"padding": [1, 1, 1, 1], "mode": "magic"})], PICTURE, "one of constant"),
        ([Layer("sum")], PICTURE, "lacks its branches"),
        ([Layer("relu", {}, {}, ((), ()))], PICTURE, "has no branches"),
        ([Layer("relu")] * 1001, PICTURE, "more than 1,000 layers"),
        ([Layer("opaque", {"module": print})], PICTURE, "read before"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_its_place(layers, shape, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        build_network(layers, shape, "the encoder")


def test_branches_have_a_deepest():
    layer = Layer("relu")
    for _ in range(40):
        layer = Layer("sum", {}, {}, ((layer,), ()))
    with pytest.raises(ExplorerError, match="deep"):
        check_layers([layer])


def test_a_network_of_too_many_steps_is_refused_before_it_runs():
    weight = torch.zeros(1).expand(512, 512, 31, 31)  # One number in memory.
    layers = [Layer("conv", {"padding": [15, 15]}, {"weight": weight[:, :, :5, :5]})] * 3
    with pytest.raises(ExplorerError, match="billion multiply-adds"):
        build_network(layers * 3, (512, 64, 64))
