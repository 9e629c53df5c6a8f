"""Real pixels around the decoder's output with heavier tails: what an L1 loss means."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Laplace

from explorer.models.likelihoods.base import Likelihood

SMALLEST_WIDTH = 1.5 / 255
"""Half a window that holds a grey value and its neighbours."""


class LaplaceLikelihood(Likelihood):
    """x ~ Laplace(output, b) with a fixed b = √(σ²/2), so that σ² is a pixel's variance.

    −log p(x|z) = Σ |x − output|/b + D ln 2b: a·Σ|x − x̂| + w·KL has β·b = w/a. Its score is ±1/b,
    however far the pixel; its Fisher information 1/b² is a curvature only on average over noise of
    that scale. At collapse the data's own curvature can be told, and is: see `at_collapse`.
    """

    is_exponential = False

    def __init__(self, name: str, sigma2: float) -> None:
        super().__init__(name)
        scale = torch.tensor(math.sqrt(sigma2 / 2), dtype=torch.float64)
        # The config holds it: stored weights may be rounded to half precision.
        self.register_buffer("scale", scale, persistent=False)
        self.scale: Tensor

    def sigma2(self) -> Tensor:
        """Return 2b², a scalar."""
        return 2 * self.scale.square()

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent Laplace pixels of equal scale."""
        pixels = Laplace(output, self.scale.to(output).expand_as(output), validate_args=False)
        return Independent(pixels, 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return Σ |x − output|/b + D ln 2b."""
        distance = (x - output).abs().flatten(1)
        return distance.sum(1) / self.scale + distance.shape[1] * torch.log(2 * self.scale)

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return sign(x − output)/b and 1/b²."""
        fisher = self.scale.to(output).square().reciprocal().expand_as(output)
        return (torch.sign(x - output) / self.scale).to(output).flatten(1), fisher.flatten(1)

    def output_for(self, mean_image: Tensor, count: int) -> Tensor:
        """Return the mean image; the best start would be the median, which one pass cannot tell."""
        return mean_image.double()

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return signs about the pixels' medians over b, and the curvature of the mean loss, 2f/b.

        f is each pixel's density at its median, by the share of images within a bandwidth of it;
        it stands in the place of the Fisher information, to which it is equal for pixels that are
        Laplace of scale b. So eigenvalues of the wake-up rule are those of the signs' correlation
        over 2fb. Where many images lie at the median itself (a black background) f is as large as
        the bandwidth allows, and rightly so: |x − output| has a kink there, and no small move of
        the output pays.
        """
        centred = flat - flat.median(0).values
        distance = centred.abs()
        width = (distance.mean(0) * len(flat) ** -0.2).clamp_min(SMALLEST_WIDTH)
        density = (distance <= width).to(flat).mean(0) / (2 * width)
        scale = self.scale.to(flat)
        return torch.sign(centred) / scale, 2 * density / scale
