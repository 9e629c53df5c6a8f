"""Graphs of values as nested layer lists, and noise as a value of its own."""

import pytest
import torch

from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer, walk
from explorer.models.adopted.layers.sketch import (
    Noisy,
    NotLayers,
    Value,
    add,
    concat,
    cut,
    divide,
    elementwise,
    multiply,
    power,
    reshape,
    to_layers,
)
from tests.helpers import of_kind

SHAPE = (2, 3)


def act(value, kind):
    return elementwise(value, Layer(kind), kind)


def run(value, start, x):
    return build_network(to_layers(value, start), start.shape)(x)


@pytest.fixture
def start():
    return Value(SHAPE)


@pytest.fixture
def x():
    return torch.randn((4, *SHAPE), generator=torch.Generator().manual_seed(0))


def test_a_chain_is_a_list(start):
    layers = to_layers(act(act(start, "tanh"), "relu"), start)
    assert [layer.kind for layer in layers] == ["tanh", "relu"]


def test_a_residual_block_is_a_sum_of_branches(start, x):
    inner = act(start, "tanh")
    total = add(act(act(inner, "relu"), "exp"), inner)
    layers = to_layers(act(total, "relu"), start)
    assert [layer.kind for layer in layers] == ["tanh", "sum", "relu"]
    assert [[part.kind for part in branch] for branch in layers[1].branches] == [
        ["relu", "exp"],
        [],
    ]
    t = x.tanh()
    torch.testing.assert_close(run(act(total, "relu"), start, x), (t.relu().exp() + t).relu())


def test_blocks_in_blocks_and_joins_of_them(start, x):
    first = add(act(start, "tanh"), start)
    second = multiply(first, act(first, "sigmoid"))
    third = concat([second, first, start], 0)
    a = x.tanh() + x
    expected = torch.cat([a * a.sigmoid(), a, x], 1)
    torch.testing.assert_close(run(third, start, x), expected)


def test_what_is_no_nest_of_branches_is_still_computed(start, x):
    """Two values that cross over: a feeds both sums, so parts of it are written twice."""
    a, b = act(start, "tanh"), act(start, "exp")
    left, right = add(a, b), multiply(a, b)
    total = add(add(left, right), a)
    t, e = x.tanh(), x.exp()
    torch.testing.assert_close(run(total, start, x), t + e + t * e + t)


def test_a_graph_that_would_grow_without_end_is_refused(start):
    one, other = act(start, "tanh"), act(start, "exp")
    for _ in range(40):  # Each round doubles what is written out.
        one, other = add(act(one, "relu"), act(other, "tanh")), multiply(one, other)
    with pytest.raises(NotLayers):
        to_layers(of_kind(Value, add(one, other)), start)


def test_constants_scale_and_shift(start, x):
    weight = torch.tensor([1.0, 2.0, 3.0])
    value = divide(add(multiply(start, weight), torch.ones(1, 2, 1), -1.0), torch.tensor(2.0))
    torch.testing.assert_close(run(value, start, x), (x * weight - 1) / 2)
    torch.testing.assert_close(run(add(torch.ones(()), start, -1.0), start, x), 1 - x)


def test_divisions_and_powers(start, x):
    positive = act(start, "exp")
    torch.testing.assert_close(run(divide(start, positive), start, x), x / x.exp())
    torch.testing.assert_close(run(power(positive, -0.5, "a root"), start, x), (-0.5 * x).exp())
    for whole in (-3.0, -2.0, -1.0, 3.0, 5.0, 6.0):
        torch.testing.assert_close(run(power(start, whole, "a power"), start, x), x**whole)


def test_a_constant_stands_beside_what_is_computed(start, x):
    token = torch.arange(3.0).expand(1, 1, 3)
    expected = torch.cat([token.expand(4, 1, 3), x], 1)
    torch.testing.assert_close(run(concat([token, start], 0), start, x), expected)


def test_noise_is_carried_through_as_mean_and_scale(start, x):
    noise = Noisy(torch.zeros(()), torch.ones(()))
    z = of_kind(Noisy, add(act(start, "tanh"), multiply(act(start, "exp"), noise)))
    torch.testing.assert_close(run(z.mean, start, x), x.tanh())
    torch.testing.assert_close(run(z.scale, start, x), x.exp())
    flat = of_kind(Noisy, reshape(add(z, torch.tensor(1.0)), (6,)))
    torch.testing.assert_close(run(flat.mean, start, x), (x.tanh() + 1).flatten(1))
    torch.testing.assert_close(run(flat.scale, start, x), x.exp().flatten(1))


def test_a_zero_ends_a_product_and_leaves_no_layer(start):
    assert not of_kind(torch.Tensor, multiply(start, torch.zeros(()))).any()
    assert add(start, torch.zeros(3)) is start


@pytest.mark.parametrize(
    "draw",
    [
        lambda start, noise: multiply(noise, noise),
        lambda start, noise: act(noise, "tanh"),
        lambda start, noise: divide(start, noise),
        lambda start, noise: add(start, torch.zeros(5, 2, 3)),
        lambda start, noise: add(start, torch.ones(4, 2, 3)),
        lambda start, noise: reshape(start, (5,)),
        lambda start, noise: cut(start, -1, 0, 1),
        lambda start, noise: cut(start, 0, 2, 2),
        lambda start, noise: add(start, Value((6,), Layer("flatten"), (start,))),
        lambda start, noise: to_layers(Value(SHAPE), start),
    ],
)
def test_what_has_no_counterpart_is_told(start, draw):
    with pytest.raises(NotLayers):
        draw(start, Noisy(torch.zeros(()), torch.ones(())))


def test_slices_count_from_behind_and_end_where_the_array_does(start, x):
    value = cut(start, 1, -2, 2**62)
    assert value.shape == (2, 2)
    torch.testing.assert_close(run(value, start, x), x[:, :, -2:])
    assert [layer.settings["stop"] for layer in walk(to_layers(value, start))] == [3]
