"""What stands for a decoder too large for a page: points, each with its decoded picture."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.export.sheet import pack_sheet

Array = NDArray[Any]

SIDE, REACH = 33, 4.0
"""Points of a grid along each of two latents; of the prior N(0, I) a multiple of ¼ from −4 to 4."""
STEPS, STEPS_REACH = 9, 3.0
"""Points of a traversal: those of the page's own, from −3 to 3."""
TRAVERSED = 16
"""Latents that are traversed, the most active first."""
BATCH = 64


def choose_points(
    size: int, order: list[int], low: Array | None, high: Array | None, codes: Array
) -> NDArray[np.float32]:
    """Return the points (M, size) of an atlas: a grid of one or two latents, else traversals.

    `low` and `high` (size,) are the range of the codes, None for that of the prior N(0, I). `order`
    lists the latents, the most active first; `codes` (P, size) of pictures come after traversals.
    """
    if size <= 2:
        left = np.full(size, -REACH) if low is None else low - 0.1 * (np.asarray(high) - low)
        right = np.full(size, REACH) if high is None else high + 0.1 * (high - np.asarray(low))
        axes = [np.linspace(left[i], right[i], SIDE) for i in range(size)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, size).astype(np.float32)
    rows = []
    for latent in order[:TRAVERSED]:
        row = np.zeros((STEPS, size), np.float32)
        start = -STEPS_REACH if low is None else low[latent]
        stop = STEPS_REACH if high is None else high[latent]
        row[:, latent] = np.linspace(start, stop, STEPS)
        rows.append(row)
    return np.concatenate([*rows, codes]).astype(np.float32)


@torch.no_grad()
def build_atlas(
    model: Any, images: Array | None, order: list[int], low: Array | None, high: Array | None
) -> dict[str, Any]:
    """Return an atlas: points and their pictures as a sheet, and the codes of `images`.

    `images` (P, C, H, W) are bytes. `mean` and `logvar` are (P, size), without images None.
    """
    mean, logvar = _encode(model, images)
    size = model.latent_dim
    codes = np.zeros((0, size), np.float32) if mean is None else mean
    points = choose_points(size, order, low, high, codes)
    decoded = [
        model.decode(torch.from_numpy(points[start : start + BATCH])).mean.numpy()
        for start in range(0, len(points), BATCH)
    ]
    pixels = (255 * np.concatenate(decoded).clip(0, 1)).round().astype(np.uint8)
    sheet = pack_sheet(pixels.reshape(-1, *model.shape))
    return {"points": points, "sheet": sheet, "mean": mean, "logvar": logvar}


def _encode(model: Any, images: Array | None) -> tuple[Array | None, Array | None]:
    if images is None or not len(images):
        return None, None
    means, logvars = [], []
    for start in range(0, len(images), BATCH):
        x = torch.from_numpy(images[start : start + BATCH].astype(np.float32) / 255)
        mean, logvar = model.encode_parameters(x)
        means.append(mean.numpy())
        if logvar is not None:
            logvars.append(logvar.numpy())
    return np.concatenate(means), np.concatenate(logvars) if logvars else None
