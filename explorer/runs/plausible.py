"""Whether a logged reconstruction can be a sum over pixels: a mean beside a summed KL is told.

Only what no sum is likely to be is told, so that a small cost of a good model passes: a Bernoulli
of half a thousandth of a nat per pixel, a Gaussian whose error is below one of 255 grey levels, and
where no likelihood is stated a cost per pixel at which either would be so.
"""

import math
from collections.abc import Mapping
from typing import Any

from explorer.runs.info import ModelInfo

BERNOULLI_NATS = 5e-4
GREY_LEVEL = 1 / 255
SMALLEST_NATS = 1e-5
"""Of half a grey level's square at σ² = 1, which is the largest that is in use."""


def doubt_reconstruction(model: ModelInfo, point: Mapping[str, Any]) -> str | None:
    """Say by which factor a log point's reconstruction is too small, None where it may be right.

    The number of pixels must be known (`model.shape`), and the point must have a larger KL.
    """
    cost, kl = point["reconstruction"], point.get("kl", 0.0)
    if model.shape is None or not 0 < cost < kl:
        return None
    pixels = math.prod(model.shape)
    if pixels == 1 or cost / pixels >= _least_nats(model):
        return None
    return (
        f"A reconstruction of {cost:.3g} nats for {pixels:,} pixels beside a KL of {kl:.3g} looks "
        "like a mean over pixels, where the KL is a sum over dimensions: multiply it by "
        f"{pixels:,} for −log p(x|z) of an image in nats."
    )


def _least_nats(model: ModelInfo) -> float:
    """Return the cost of a pixel below which none is believed."""
    likelihood = model.likelihood
    if likelihood is None:
        return SMALLEST_NATS
    if likelihood.name == "bernoulli":
        return BERNOULLI_NATS
    if likelihood.name == "gaussian" and likelihood.sigma2 is not None:
        return 0.5 * GREY_LEVEL**2 / likelihood.sigma2
    return SMALLEST_NATS
