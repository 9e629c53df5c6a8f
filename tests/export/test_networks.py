"""Networks in the browser: every kind of layer, and random graphs of them, equal PyTorch."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.export.container import pack, unpack
from explorer.export.layers import draw_network
from explorer.export.networks import count_multiply_adds, describe_network
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import SCHEMAS, walk
from tests.export.network_cases import CASES, RANDOM_GRAPHS, random_graph, settle

SCRIPT = Path(__file__).parents[1] / "js" / "networks.test.mjs"


def all_cases() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    graphs = {f"random graph {seed}": random_graph(seed) for seed in range(RANDOM_GRAPHS)}
    return {**CASES, **graphs}


def test_the_interpreter_equals_pytorch_layer_by_layer(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; the browser tests check the interpreter as well.")
    packed = []
    for seed, (name, (module, shape)) in enumerate(all_cases().items()):
        settle(module, seed)
        x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            y = module(x)
        packed.append(
            {
                "name": name,
                "layers": describe_network(module, shape),
                "shape": list(shape),
                "outputShape": list(y.shape[1:]),
                "multiplyAdds": count_multiply_adds(module, shape),
                "x": x.flatten(1).numpy(),
                "y": y.flatten(1).numpy(),
            }
        )
    fixture = tmp_path / "networks.bin"
    fixture.write_bytes(pack({"cases": packed}))
    done = subprocess.run(
        [node, "--test", str(SCRIPT)],
        env={"NETWORK_CASES": str(fixture)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_kind_of_layer_is_compared() -> None:
    drawn = [draw_network(module.eval(), shape).layers for module, shape in all_cases().values()]
    compared = {layer.kind for layers in drawn for layer in walk(layers)}
    assert compared == set(SCHEMAS) - {"opaque"}


@pytest.mark.parametrize("name", ["residual", "hands z on", "capped variances", "conv, same"])
def test_drawn_layers_compute_what_the_module_does(name: str) -> None:
    module, shape = CASES[name]
    settle(module, 3)
    x = torch.randn(4, *shape)
    with torch.no_grad():
        assert torch.allclose(draw_network(module, shape)(x), module(x), atol=1e-6)


def test_an_adopted_network_is_described_as_it_was_read() -> None:
    drawn = draw_network(settle(nn.Linear(3, 2), 0), (3,))
    network = build_network(drawn.layers, (3,))
    assert draw_network(network, (3,)) is network
    (layer,) = unpack(pack({"layers": describe_network(network, (3,))}))["layers"]
    assert layer["kind"] == "linear" and np.shape(layer["weight"]) == (2, 3)


def test_multiply_adds_of_a_convolution_count_every_tap() -> None:
    assert count_multiply_adds(nn.Conv2d(3, 8, 4, 2, 1), (3, 64, 64)) == 3 * 8 * 16 * 32 * 32
    assert count_multiply_adds(nn.ConvTranspose2d(8, 3, 4, 2, 1), (8, 32, 32)) == 24 * 16 * 1024


def test_pools_of_uneven_windows_are_refused_in_a_sentence() -> None:
    with pytest.raises(ExplorerError, match="evenly"):
        describe_network(nn.AdaptiveAvgPool2d(3), (2, 7, 7))
