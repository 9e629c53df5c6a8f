"""p(x|z): from what the decoder puts out to a distribution over images, and to nats.

Shapes: decoder output (B, P·C, H, W), P parameters per pixel; images x (B, C, H, W) in [0, 1];
D = C·H·W. Everything is computed from logits or log-variances, never from probabilities.

A likelihood answers for itself all that training, analysis and export ask, so that none of them
knows its class. Most are exponential families in the decoder's output,
    log p(x|z) = η(output)·T(x) + S(output) + c(x),
which lets one decoded z serve all images (`analysis.inference.emission`).
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional

from explorer.errors import ExplorerError

LOG_2PI = math.log(2 * math.pi)
LOGVAR_FLOOR = -12.0
"""Pixel log-variances stay softly above this, so that constant pixels cannot drive σ to 0."""


class NoRuleKnown(ExplorerError):
    """A likelihood that does not say what a first latent would see at the collapsed point."""


class Likelihood(nn.Module, ABC):
    """Base: `parameters_per_pixel` values for each pixel, the first of which is the location."""

    parameters_per_pixel: ClassVar[int] = 1
    is_exponential: ClassVar[bool] = True
    """log p(x|z) = η·T(x) + S + c(x), by `natural` and `statistics`."""
    output_is_natural: ClassVar[bool] = True
    """η is the output itself: a last linear layer can be folded into T(x)."""
    scores: ClassVar[str] = "density"
    """What is scored: binary (pixels 0 or 1), bytes (256 grey values), density (real pixels)."""
    bounded: ClassVar[bool] = False
    """Pixels' Fisher information tells in how many images they vary (`wakeup`)."""
    float32_suffices: ClassVar[bool] = False
    """Sums in float32 are good to 1e-5 nats: no small variance multiplies what rounding does."""

    has_slope: ClassVar[bool] = False
    """`nll_and_slope` knows the gradient in closed form, and there is nothing to learn."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @abstractmethod
    def distribution(self, output: Tensor) -> Distribution:
        """Return p(x|z) for decoder output (B, P·C, H, W); event shape (C, H, W)."""

    @abstractmethod
    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x|z), shape (B,), in nats per image."""

    @abstractmethod
    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ∂log p(x|z)/∂location and its Fisher information, each (B, D).

        Location is the logit of a (continuous) Bernoulli and the centre of the others.
        """

    def nll_and_slope(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return −log p(x|z), (…, B), and its gradient, for flat output (…, B, D), x (B, D).

        Where `has_slope` alone.
        """
        raise NotImplementedError

    @property
    def binarises(self) -> bool:
        """Whether `target` draws binary pixels."""
        return False

    def target(
        self, images: Tensor, dtype: torch.dtype, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return what is encoded and scored for uint8 images, or float ones in [0, 1]."""
        return images.to(dtype) / 255 if images.dtype == torch.uint8 else images.to(dtype)

    def output_for(self, mean_image: Tensor, count: int) -> Tensor:
        """Return the location (C, H, W), float64, whose mean is the average of `count` images."""
        return mean_image.double()

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return η (M, f) and S (M,) for flat output (M, P·D); exponential families alone."""
        raise NotImplementedError

    def normalise_(self, output: Tensor) -> Tensor:
        """Return S (M,) as `natural` does, from flat output (M, P·D) that may be written over.

        Exponential families alone; of float32 it may be infinite where S is no number in it.
        """
        return self.natural(output)[1]

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return T (N, f) and c (N,) for flat images (N, D); exponential families alone."""
        raise NotImplementedError

    def sigma2(self) -> Tensor | None:
        """Return the one variance of a pixel, None where there is no such number."""
        return None

    def held_sigma2(self) -> float | None:
        """Return the variance of a pixel that is held fixed, None where it is learned or none."""
        return None

    @torch.no_grad()
    def set_noise(self, log_variance: Tensor) -> None:
        """Take the log-variances (D,) of a model fitted in closed form, where they are learned."""

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return score (N, D) and Fisher information (D,) where every z gives the mean image.

        For flat images (N, D), float64: what a first latent would see (`analysis.collapse.wakeup`).
        NoRuleKnown from a likelihood that does not state it.
        """
        raise NoRuleKnown(
            f"No wake-up rule is known for the likelihood {self.name}: it says nothing of the "
            "collapsed point."
        )

    def score_covariance(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return E[ssᵀ] (D, D) and Fisher information (D,) at collapse, over images (N, D)."""
        score, fisher = self.at_collapse(flat)
        return score.T @ score / len(flat), fisher

    def describe(self) -> dict[str, Any]:
        """Return its name and numbers as the browser's counterpart reads them."""
        sigma2 = self.sigma2()
        return {
            "kind": self.name,
            "binarise": self.binarises,
            "sigma2": None if sigma2 is None else float(sigma2.detach()),
        }


def bound_below(value: Tensor, floor: float) -> Tensor:
    """Return `value` bounded smoothly from below: floor + softplus(value − floor)."""
    return floor + functional.softplus(value - floor)


def unbound_below(value: Tensor, floor: float) -> Tensor:
    """Return what `bound_below` turns into `value`, which lies above the floor."""
    return value + torch.log(-torch.expm1(floor - value))
