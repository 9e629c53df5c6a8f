"""Codes of images as arrays: what each dimension costs, and which two show most."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Codes:
    """Encoded images: mean and logvar (N, K), labels (N,) or None, ids (N,) of the images.

    Categorical codes have `indices` (N, P), one entry of the codebook per position, and an empty
    mean (N, 0): category numbers are no coordinates.
    """

    mean: Array
    logvar: Array | None
    labels: Array | None
    ids: Array
    indices: Array | None = None


def kl_of_codes(mean: Array, logvar: Array) -> Array:
    """Return KL(N(mean, e^logvar) ‖ N(0, 1)) per image and dimension, (…, K), in nats.

    ½(μ² + e^lv − 1 − lv), with expm1 so that it keeps its digits near 0 (Kingma and Welling 2014,
    App. B); the same in torch is `models.priors.gaussian_kl`. Beyond what a float holds it is ∞.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        kl: Array = 0.5 * (np.expm1(logvar) - logvar + np.square(mean))
    return kl


def main_dimensions(mean: Array, logvar: Array | None, has_shares: bool = True) -> tuple[int, int]:
    """Return the two dimensions with the most KL, from codes (N, K); of two or fewer, (0, 1).

    Without logvar, or against a prior that gives a dimension no KL of its own (`has_shares`), it is
    the two with the widest means.
    """
    if mean.shape[1] <= 2:
        return 0, 1
    with np.errstate(over="ignore", invalid="ignore"):
        if logvar is None or not has_shares:
            worth = mean.var(0)
        else:
            worth = kl_of_codes(mean, logvar).mean(0)
    first, second = np.argsort(-worth, kind="stable")[:2]
    return int(first), int(second)
