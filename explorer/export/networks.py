"""torch networks → layer lists that the browser's interpreter reads, and what they cost there."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.export.container import shorten
from explorer.export.layers import draw_network
from explorer.models.adopted.layers.schema import opaque_kind
from explorer.models.adopted.weights import describe_layers


def count_weights(*networks: nn.Module) -> int:
    """Return how many weights the networks have together."""
    return sum(p.numel() for network in networks for p in network.parameters())


def count_multiply_adds(network: nn.Module, shape: Sequence[int]) -> int:
    """Return the multiply-adds of one image of `shape` (without the batch)."""
    return draw_network(network, shape).cost.multiply_adds


def describe_network(
    network: nn.Module, shape: Sequence[int], half: bool = False
) -> list[dict[str, Any]]:
    """Return the layers in order, weights as arrays: half precision where that loses nothing.

    `shape` is what goes in, without the batch. `half=True` stores every weight in half precision,
    for small files. Raises ExplorerError for what the interpreter does not know.
    """
    drawn = draw_network(network, shape)
    if (kind := opaque_kind(drawn.layers)) is not None:
        raise ExplorerError(f"The browser cannot interpret a network that is kept as {kind}.")

    def keep(tensor: Tensor) -> Any:
        values = tensor.detach().cpu().numpy()
        return values.astype(np.float16) if half else shorten(values)

    return describe_layers(drawn.layers, keep)
