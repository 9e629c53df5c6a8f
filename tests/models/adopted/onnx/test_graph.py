"""An ONNX graph as a module: batches, precision, noise read as an input, and what it costs."""

import numpy as np
import pytest
import torch

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import OpenSizes, open_onnx
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.onnx.graph import OnnxGraph
from tests.models.adopted.onnx_writer import (
    digits_decoder,
    digits_encoder,
    digits_model,
    node,
    one_node,
    through,
)


def followed(data, shape):
    graph = OnnxGraph.open(data)
    graph.follow(shape)
    return graph


def digits(count=5, seed=0):
    return torch.rand((count, 1, 8, 8), generator=torch.Generator().manual_seed(seed))


def test_the_encoder_gives_what_the_model_gives():
    x = digits()
    mean, logvar = digits_model().encode_parameters(x)
    graph = followed(digits_encoder(), (1, 8, 8))
    assert graph.segments == (("mean", (2,)), ("logvar", (2,)))
    torch.testing.assert_close(graph(x), torch.cat([mean, logvar], 1), rtol=1e-5, atol=1e-6)


def test_noise_is_an_input_at_0_it_gives_the_mean_and_at_1_the_spread():
    x = digits()
    mean, logvar = digits_model().encode_parameters(x)
    graph = followed(digits_encoder("sample"), (1, 8, 8))
    expected = torch.cat([mean, torch.exp(0.5 * logvar)], 1)
    torch.testing.assert_close(graph(x), expected, rtol=1e-4, atol=1e-6)
    drawn = open_onnx(digits_encoder("sample"))
    assert [part.role for part in drawn.segments] == ["mean", "std"] and drawn.kind == "layers"
    torch.testing.assert_close(drawn.network(x), expected, rtol=1e-4, atol=1e-6)


def test_noise_may_have_a_mean_and_a_spread_of_its_own():
    nodes = [
        node("RandomNormal", [], ["eps"], shape=[3, 2], mean=0.5, scale=2.0),
        node("Add", ["x", "eps"], ["y"]),
    ]
    data = through(nodes, [], (2,), batch=3)
    x = torch.tensor([[1.0, 2.0]] * 3)
    expected = torch.tensor([[1.5, 2.5, 2.0, 2.0]] * 3)
    torch.testing.assert_close(followed(data, (2,))(x), expected)
    torch.testing.assert_close(open_onnx(data).network(x)[:, :2], expected[:, :2])


def test_noise_that_is_squared_stays_a_graph():
    nodes = [
        node("RandomNormalLike", ["x"], ["e"]),
        node("Mul", ["e", "e"], ["q"]),
        node("Add", ["x", "q"], ["y"]),
    ]
    assert open_onnx(through(nodes, [], (2,))).kind == "onnx"


def test_double_precision_has_its_digits_and_gradients():
    graph = followed(digits_decoder("logits"), (2,)).double()
    decoder = digits_model().decoder.double()
    z = torch.randn((4, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(graph(z), decoder(z).flatten(1), rtol=1e-12, atol=1e-12)
    z.requires_grad_(True)
    (slope,) = torch.autograd.grad(graph(z).square().sum(), z)
    (expected,) = torch.autograd.grad(decoder(z).square().sum(), z)
    torch.testing.assert_close(slope, expected, rtol=1e-9, atol=1e-9)


def fixed_batch(size):
    """Return a file whose own reshape binds it to batches of `size`."""
    nodes = [node("Reshape", ["x", "s"], ["a"]), node("Softmax", ["a"], ["y"], axis=-1)]
    return through(nodes, [("s", np.array([size, 4, 1], np.int64))], (2, 2), batch=size)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_file_bound_to_its_batch_takes_any_number_of_images(size):
    graph = followed(fixed_batch(size), (2, 2))
    x = torch.randn((5, 2, 2))
    assert graph.batch == size
    torch.testing.assert_close(graph(x), torch.ones((5, 4)))
    nodes = [node("Reshape", ["x", "s"], ["y"])]
    free = followed(through(nodes, [("s", np.array([-1, 4], np.int64))], (2, 2), batch=1), (2, 2))
    assert free.batch is None
    torch.testing.assert_close(free(x), x.flatten(1))


def test_a_graph_that_was_drawn_from_a_batch_of_one_serves_any_batch():
    weights = [("s", np.array([1, 4], np.int64)), ("w", np.eye(4, dtype=np.float32))]
    nodes = [node("Reshape", ["x", "s"], ["a"]), node("MatMul", ["a", "w"], ["y"])]
    found = open_onnx(through(nodes, weights, (2, 2), batch=1))
    x = torch.randn((5, 2, 2))
    assert found.kind == "layers"
    torch.testing.assert_close(found.network(x), x.flatten(1))


def test_open_sizes_are_asked_for_and_then_taken():
    data = one_node("Relu", shape=("channels", 4))
    with pytest.raises(OpenSizes, match="leaves the size") as caught:
        open_onnx(data)
    assert caught.value.allows((3, 4)) and not caught.value.allows((3, 5))
    assert open_onnx(data, (3, 4)).network.shape_out == (12,)


def test_the_cost_of_one_image_is_counted():
    """64·256 + 256·128 + 128·4 products of matrices, and one for each other value."""
    cost = followed(digits_encoder(), (1, 8, 8)).cost
    products = 64 * 256 + 256 * 128 + 128 * 4
    assert cost.widest == 256 and products <= cost.multiply_adds < products + 1000


def test_a_graph_without_counterpart_serves_as_one_layer_of_its_own():
    data = one_node("Celu", shape=(4,))
    found = open_onnx(data)
    assert found.kind == "onnx" and [layer.kind for layer in found.layers] == ["opaque"]
    x = torch.randn((3, 4))
    torch.testing.assert_close(found.network(x), torch.celu(x))
    assert bytes(found.layers[0].settings["module"].file.numpy()) == data


def test_another_copy_of_a_network_does_not_share_its_precision():
    from explorer.models.adopted.layers.network import build_network

    layer = Layer("opaque", {"module": followed(digits_decoder(), (2,))})
    first, second = build_network([layer], (2,)), build_network([layer], (2,))
    first.double()
    assert second(torch.zeros((1, 2))).dtype == torch.float32


def test_an_index_beyond_its_array_is_an_error_and_no_crash():
    data = one_node("Gather", [("i", np.array([0, 9]))], shape=(4,), axis=1)
    with pytest.raises(ExplorerError, match="Gather"):
        open_onnx(data)
