"""What the probe is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.facts import LIKELIHOODS
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.reading import Image, Reading, unit_sigma2
from explorer.models.likelihoods import Likelihood, build_likelihood

LOGIT_LIKELIHOODS = ("bernoulli", "continuous-bernoulli")
KNOWN_LIKELIHOODS = (*LOGIT_LIKELIHOODS, "gaussian", "laplace", "discretized-logistic")
"""Those of one output per pixel, whose other parameters a person can tell."""
LEAST_SIGMA2 = 1e-6
TOLD = {"layout", "scale", "shift", "fit", "heads", "spread", "output", "output_layout"}


def told_by(fit: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to tell of a reading so that it is found again, from its `Fit.to_dict()`."""
    entered = fit["input"]
    told = {name: fit[name] for name in ("heads", "spread", "output", "output_layout")}
    return told | {name: entered[name] for name in ("layout", "scale", "shift", "fit")}


def build_adopted_likelihood(
    name: str, sigma2: float | None, binarise: bool | None, image: Image
) -> Likelihood:
    """Return one of `KNOWN_LIKELIHOODS`, with a variance for pixels in [0, 1] where it has one."""
    if name not in KNOWN_LIKELIHOODS:
        raise ExplorerError(
            f"The likelihood of a foreign model is one of {', '.join(KNOWN_LIKELIHOODS)}, not "
            f"{name!r}: a squared error is gaussian, an absolute one laplace, a cross-entropy "
            "bernoulli."
        )
    variance = 1.0 if sigma2 is None else sigma2
    config = ModelConfig(likelihood=name, sigma2=variance, binarise=bool(binarise))
    return build_likelihood(config, image)


@dataclass(frozen=True)
class Question:
    """uint8 images (N, C, H, W) to read a pair on, and what the person told.

    `sigma2` is in the units of the decoder's pixels; without it the mean squared error of each
    reading stands in. `told` fixes fields of the reading, `heads` by how its name begins.
    """

    images: np.ndarray
    likelihood: str
    sigma2: float | None = None
    binarise: bool = False
    told: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        build_adopted_likelihood(self.likelihood, None, False, (1, 1, 1))
        if self.sigma2 is not None and not 0 < self.sigma2 < 1e9:
            raise ExplorerError("sigma2 is the variance of a pixel, a number above 0.")
        if self.binarise and not LIKELIHOODS[self.likelihood].may_binarise:
            raise ExplorerError("Binarised pixels go with the likelihood bernoulli.")
        if unknown := set(self.told) - TOLD:
            raise ExplorerError(
                f"A reading has no {sorted(unknown)[0]!r}; told may hold {', '.join(sorted(TOLD))}."
            )
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or len(self.images) < 2:
            raise ExplorerError(
                "A foreign model is read on at least two uint8 images (N, C, H, W)."
            )

    def build(self, sigma2: float | None, image: Image) -> Likelihood:
        """Return the likelihood with a variance for pixels in [0, 1], where it has one."""
        return build_adopted_likelihood(self.likelihood, sigma2, self.binarise, image)

    def target(self, images: np.ndarray) -> Tensor:
        """Return what is encoded and scored: grey values in [0, 1], or a binary draw of them."""
        generator = torch.Generator().manual_seed(self.seed)
        pixels = torch.from_numpy(np.array(images))
        return self.build(None, images.shape[1:]).target(pixels, torch.float32, generator)

    def score(self, reading: Reading, error: float, image: Image) -> Likelihood:
        """Return the likelihood under a reading whose mean squared error is `error`."""
        if self.sigma2 is not None:
            return self.build(unit_sigma2(reading, self.sigma2), image)
        return self.build(max(LEAST_SIGMA2, error), image)


@dataclass(frozen=True)
class Fit:
    """A reading of `encoder` and `decoder` for images of `shape`, and how well it fits.

    `output_range` is the least and the largest value of the decoder's pixels; `sigma2` a
    pixel's variance for pixels in [0, 1]. `unexplained` is Σ‖x − x̂‖² / Σ‖x − x̄‖² with x̂ decoded
    from the mean; `aggregate` the mean |ln(Var μ_i + E σ_i²)| plus the mean |E μ_i|; `incoherence`
    how far groups of images disagree about `beta`, the β that the reading implies (both None where
    no dimension is awake, or the networks are too large for a guess). `misfit` puts them in one
    number, of which only ratios mean something.
    """

    reading: Reading
    encoder: Foreign
    decoder: Foreign
    shape: Image
    output_range: tuple[float, float]
    sigma2: float | None
    unexplained: float
    aggregate: float
    incoherence: float | None
    beta: float | None
    kl: float
    """Mean KL per image in nats."""
    misfit: float

    def to_dict(self) -> dict[str, Any]:
        """Return the reading and its figures in plain words and numbers."""
        names = ("unexplained", "aggregate", "incoherence", "beta", "kl", "misfit")
        figures = {name: getattr(self, name) for name in names}
        return {**self.reading.to_dict(), "output_range": list(self.output_range), **figures}
