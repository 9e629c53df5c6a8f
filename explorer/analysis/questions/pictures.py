"""Blurred, or all alike? What is wrong with reconstructions, by symptoms that each have a test.

- alike: the pictures hardly differ while the images do, Var x̂ < 10 % of Var x: the decoder says
  the same whatever z is.
- blurred: edges are lost, the pictures' gradient energy is below half of the images', though they
  follow them. Its source is told by where the code stands: `wide` where dimensions sleep or are
  weak (β or σ² asks for less than the images hold), `narrow` where all are in full use (more
  latents, or a better decoder).
- unlike: pictures differ, yet explain less than nothing of their own images.
- overdone: their gradient energy is twice the images': the decoder adds noise.
- wide_sigma, narrow_sigma: a fixed σ² beyond twice, or below half of, the error per pixel that is
  left: the nats are weighed as if pixels were noisier, or surer, than they are.

Images are grey values in [0, 1], (N, C, H, W); sums are over pixels, means over images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import Floats, Record
from explorer.analysis.representation.latents import decode_codes
from explorer.elbo.encoding import encode_images
from explorer.errors import ExplorerError
from explorer.models.base import Model

ALIKE = 0.1
BLURRED = 0.5
OVERDONE = 2.0
SIGMA_FACTOR = 2.0
IMAGES = 500
SYMPTOMS = ("alike", "unlike", "blurred", "overdone", "wide_sigma", "narrow_sigma")
SOURCES = ("wide", "narrow")


@dataclass(frozen=True)
class PictureVerdict(Record):
    """The symptoms that were found, of SYMPTOMS, none where reconstructions are as they should be.

    `explained` is 1 − E‖x − x̂‖²/Var x, `spread` Var x̂/Var x, `sharpness` the ratio of gradient
    energies, each with the standard error over images. `left` is the squared error per pixel,
    `sigma2` the variance that a Gaussian likelihood holds fixed. `source` says where blur comes
    from, of SOURCES, None where nothing is blurred or the state of the code is unknown.
    """

    symptoms: tuple[str, ...]
    explained: float
    explained_error: float
    spread: float
    spread_error: float
    sharpness: float
    sharpness_error: float
    left: float
    sigma2: float | None
    source: str | None
    images: int


def judge_model(
    model: Model, images: NDArray[np.uint8], *, verdicts: Sequence[str] = (), seed: int = 0
) -> PictureVerdict:
    """Return the symptoms of a model's reconstructions of uint8 images (N, C, H, W), decoded at q's
    mean.

    `verdicts` are those of its dimensions, where they are known.
    """
    shown = images[:IMAGES]
    pictures = decode_codes(model, encode_images(model, shown, seed=seed)[0])
    sigma2 = model.likelihood.held_sigma2()
    return judge_pictures(shown / np.float32(255), pictures, sigma2=sigma2, verdicts=verdicts)


def judge_pictures(
    images: NDArray[Any],
    pictures: NDArray[Any],
    *,
    sigma2: float | None = None,
    verdicts: Sequence[str] = (),
) -> PictureVerdict:
    """Return the symptoms of `pictures` (N, C, H, W) of `images`, N > 1; see the module."""
    x, y = np.asarray(images, np.float64), np.asarray(pictures, np.float64)
    if x.ndim != 4 or x.shape != y.shape or len(x) < 2:
        raise ExplorerError(
            f"Pictures of at least two images are (N, C, H, W): {x.shape}, {y.shape}."
        )
    squares = ((x - y) ** 2).sum((1, 2, 3))
    own = ((x - x.mean(0)) ** 2).sum((1, 2, 3))
    shown = ((y - y.mean(0)) ** 2).sum((1, 2, 3))
    lost, lost_error = share(squares, own)
    spread, spread_error = share(shown, own)
    sharpness, sharpness_error = share(gradient_energy(y), gradient_energy(x))
    left = float(squares.mean() / x[0].size)
    symptoms = []
    if spread + 2 * spread_error < ALIKE:
        symptoms.append("alike")
    else:
        if 1 - lost + 2 * lost_error < 0:
            symptoms.append("unlike")
        if sharpness + 2 * sharpness_error < BLURRED:
            symptoms.append("blurred")
        if sharpness - 2 * sharpness_error > OVERDONE:
            symptoms.append("overdone")
    if sigma2 is not None and sigma2 > SIGMA_FACTOR * left:
        symptoms.append("wide_sigma")
    if sigma2 is not None and sigma2 * SIGMA_FACTOR < left:
        symptoms.append("narrow_sigma")
    source = _find_source(verdicts) if "blurred" in symptoms else None
    return PictureVerdict(
        tuple(symptoms), 1 - lost, lost_error, spread, spread_error, sharpness, sharpness_error,
        left, sigma2, source, len(x),
    )  # fmt: skip


def gradient_energy(images: NDArray[Any]) -> Floats:
    """Return Σ of squared differences between neighbouring pixels of each image, shape (N,).

    >>> gradient_energy(np.array([[[[0.0, 1.0], [0.0, 1.0]]]])).tolist()
    [2.0]
    """
    x = np.asarray(images, np.float64)
    across, down = np.diff(x, axis=3), np.diff(x, axis=2)
    return np.asarray((across**2).sum((1, 2, 3)) + (down**2).sum((1, 2, 3)))


def share(part: Floats, whole: Floats) -> tuple[float, float]:
    """Return Σ part/Σ whole of paired values (N,), and its standard error by the delta method.

    (0, 0) where the whole is nothing.
    """
    total = float(whole.sum())
    if total <= 0:
        return 0.0, 0.0
    ratio = float(part.sum()) / total
    left = part - ratio * whole
    return ratio, float(left.std(ddof=1) * np.sqrt(len(part)) / total)


def _find_source(verdicts: Sequence[str]) -> str | None:
    if not verdicts:
        return None
    return "narrow" if set(verdicts) == {"active"} else "wide"
