"""torch networks → layer lists that the browser's interpreter reads."""

from typing import Any

import numpy as np
from torch import nn

from explorer.errors import ExplorerError
from explorer.export.container import shorten

MAX_BROWSER_WEIGHTS = 6_000_000
"""Above this many weights the pictures are decoded on the server."""


def count_weights(*networks: nn.Module) -> int:
    """Return how many weights the networks have together."""
    return sum(p.numel() for network in networks for p in network.parameters())


def describe_network(network: nn.Sequential, half: bool = False) -> list[dict[str, Any]]:
    """Return the layers in order, weights as arrays: half precision where that loses nothing.

    `half=True` stores every weight in half precision, for small files. Raises ExplorerError for a
    layer that the interpreter does not know.
    """
    return [_describe_layer(layer, half) for layer in network]


def _describe_layer(layer: nn.Module, half: bool) -> dict[str, Any]:
    if isinstance(layer, nn.Linear):
        return {"kind": "linear", **_weights(layer, half)}
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        if (layer.kernel_size, layer.stride, layer.padding) != ((4, 4), (2, 2), (1, 1)):
            raise ExplorerError("The browser knows convolutions of kernel 4, stride 2, padding 1.")
        kind = "conv" if isinstance(layer, nn.Conv2d) else "transposedConv"
        return {"kind": kind, **_weights(layer, half)}
    if isinstance(layer, nn.Unflatten):
        return {"kind": "reshape", "shape": list(layer.unflattened_size)}
    simple = {nn.Flatten: "flatten", nn.ReLU: "relu", nn.Tanh: "tanh", nn.SiLU: "silu"}
    if type(layer) in simple:
        return {"kind": simple[type(layer)]}
    raise ExplorerError(f"The browser has no counterpart of the layer {type(layer).__name__}.")


def _weights(layer: Any, half: bool) -> dict[str, Any]:
    weight = layer.weight.detach().cpu().numpy()
    bias = np.zeros(0, np.float32) if layer.bias is None else layer.bias.detach().cpu().numpy()
    if half:
        return {"weight": weight.astype(np.float16), "bias": bias.astype(np.float16)}
    return {"weight": shorten(weight), "bias": shorten(bias)}
