"""What a run's likelihood scores without latents: the floor above which latents earn their nats.

A decoder that hears nothing says the same of every image. The best it can say is known in closed
form from the training images: their mean (of a Laplace likelihood their median), and where σ² is
learned the variance about it. Held-out images are scored with that; KL is 0, so that the score is
an ELBO. In sums over D pixels, m and v of the training images, E over those that are scored:
- Bernoulli: E Σ x ln m + (1 − x) ln(1 − m);
- Gaussian with one σ²: −½ Σ [ln 2πσ² + E(x − m)²/σ²], σ² as held or the mean of v;
- Gaussian with a σ² for every pixel: the same with v of each;
- Laplace of scale b: −Σ [ln 2b + E|x − m|/b].
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import Floats, as_pixels
from explorer.analysis.representation.baselines import collapsed_nll
from explorer.datasets import ImageDataset
from explorer.runs.run import Run

SMALLEST_VARIANCE = 1e-4
"""Of a pixel whose variance is estimated: one that never moved might."""
MOST_IMAGES = 10_000
"""Of a split, evenly taken: as real numbers images take eight times their bytes."""
Images = NDArray[np.uint8]


def find_floor(run: Run, images: ImageDataset) -> float | None:
    """Return the ELBO of a run's likelihood without latents, nats per image.

    It is of the images that the run's own results speak of. None for likelihoods whose best is in
    no closed form, and where the run or the data set does not say enough.
    """
    told, split = run.info.model.likelihood, run.info.best_split
    if told is None or told.name is None or split is None or split not in images.splits:
        return None
    config = run.info.config
    trained = "train" if config is None else config.split
    if trained not in images.splits or told.name not in FLOORS:
        return None
    score = FLOORS[told.name]
    return -score(take_evenly(images, split), take_evenly(images, trained), told.sigma2)


def take_evenly(images: ImageDataset, split: str, most: int = MOST_IMAGES) -> Images:
    """Return the images (N, C, H, W) of a split, N at most `most`, evenly taken."""
    rows = images.split(split).images
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).astype(int)])


def score_mean(shown: Images, reference: Images, sigma2: float | None) -> float:
    """Return −log p of `shown` under a Gaussian around the mean of `reference`, one σ².

    Both uint8 (N, C, H, W). Without `sigma2` it is the reference's mean variance.

    >>> score_mean(np.full((2, 1, 1, 1), 255, np.uint8), np.zeros((2, 1, 1, 1), np.uint8), 0.5)
    1.5723649429247
    """
    x, known = as_pixels(shown), as_pixels(reference)
    variance = known.var(0)
    best = max(SMALLEST_VARIANCE, float(variance.mean())) if sigma2 is None else sigma2
    return _score_normal(x, known.mean(0), np.full(len(variance), best))


def score_pixels(shown: Images, reference: Images, sigma2: float | None) -> float:
    """Return the same with the reference's variance of every pixel; `sigma2` does not count."""
    x, known = as_pixels(shown), as_pixels(reference)
    return _score_normal(x, known.mean(0), np.maximum(known.var(0), SMALLEST_VARIANCE))


def score_median(shown: Images, reference: Images, sigma2: float | None) -> float:
    """Return −log p of `shown` under a Laplace around the median of `reference`, 2b² = `sigma2`."""
    assert sigma2 is not None
    scale = math.sqrt(sigma2 / 2)
    x, middle = as_pixels(shown), np.median(as_pixels(reference), axis=0)
    return float(x.shape[1] * math.log(2 * scale) + np.abs(x - middle).sum(1).mean() / scale)


def _score_normal(x: Floats, mean: Floats, variance: Floats) -> float:
    squares = ((x - mean) ** 2).mean(0)
    return float(0.5 * (np.log(2 * math.pi * variance) + squares / variance).sum())


def _score_learned(shown: Images, reference: Images, sigma2: float | None) -> float:
    """A run states where its σ² began: where it ends is found from the images."""
    return score_mean(shown, reference, None)


def _score_binary(shown: Images, reference: Images, sigma2: float | None) -> float:
    return collapsed_nll(shown, reference)


FLOORS: dict[str, Callable[[Images, Images, float | None], float]] = {
    "bernoulli": _score_binary,
    "gaussian": score_mean,
    "gaussian-learned": _score_learned,
    "gaussian-optimal": _score_learned,
    "gaussian-diagonal": score_pixels,
    "gaussian-pixel": score_pixels,
    "laplace": score_median,
}
"""Likelihoods, each with what scores `shown` by `reference` and the stated σ²."""
