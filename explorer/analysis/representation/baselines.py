"""What a score means: the figures of models that have learned nothing, or could not do better."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, as_pixels
from explorer.errors import ExplorerError


def collapsed_nll(
    images: NDArray[Any] | Tensor, reference: NDArray[Any] | Tensor | None = None
) -> float:
    """Return −log p of a Bernoulli model that puts out the pixel means alone, nats per image.

    The expectation over binarisations of `images` (N, …), uint8 or in [0, 1]: Σ_pixels the
    cross-entropy of their means with those of `reference` (default: their own, which gives the
    entropy). A VAE near this figure has collapsed. A pixel that is constant in the reference but
    not in the images is given the probability of 1 in count + 2.

    >>> collapsed_nll(np.full((4, 3), 0.5)) == 3 * float(np.log(2))
    True
    """
    means = pixel_means(images)
    if reference is None:
        return float(_cross_entropy(means, means).sum())
    guess = pixel_means(reference)
    if guess.size != means.size:
        raise ExplorerError("The images and the reference images differ in size.")
    edge = 1 / (len(reference) + 2)
    off = ((guess <= 0) & (means > 0)) | ((guess >= 1) & (means < 1))
    guess = np.where(off, np.clip(guess, edge, 1 - edge), guess)
    return float(_cross_entropy(means, guess).sum())


def grey_floor(images: NDArray[Any] | Tensor) -> float:
    """Return the least cross-entropy that grey targets allow, mean of Σ_pixels H(x), nats.

    Cross-entropy of grey images is no likelihood: even a perfect model pays this. Show the score
    less the floor.

    >>> grey_floor(np.array([[0.0, 1.0], [1.0, 1.0]]))
    0.0
    """
    if isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.size:
        counts = np.bincount(images.ravel(), minlength=256)
        x, weights = np.arange(256) / 255, counts / len(images)
    else:
        pixels = as_pixels(images)
        x, weights = pixels.ravel(), np.full(pixels.size, 1 / len(pixels))
    return float((_cross_entropy(x, x) * weights).sum())


def pixel_means(images: NDArray[Any] | Tensor) -> Floats:
    """Return the mean of each pixel, (D,), in [0, 1]."""
    if isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.size:
        flat = images.reshape(len(images), -1)
        return np.asarray(flat.sum(0, dtype=np.int64) / (255 * len(images)), dtype=np.float64)
    return np.asarray(as_pixels(images).mean(0), dtype=np.float64)


def _cross_entropy(x: Floats, guess: Floats) -> Floats:
    """Return −x log g − (1 − x) log(1 − g), in which 0 · log 0 is 0."""
    on = x * np.log(guess, out=np.zeros_like(guess), where=x > 0)
    off = (1 - x) * np.log1p(-guess, out=np.zeros_like(guess), where=x < 1)
    return np.asarray(0 - (on + off))
