"""256 grey values: the mass that a logistic density puts on each (IAF, PixelCNN++)."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, constraints
from torch.nn import functional

from explorer.models.likelihoods.base import LOGVAR_FLOOR, Likelihood, bound_below

LEVELS = 256
HALF = 0.5 / (LEVELS - 1)
"""Half the distance between two grey values in [0, 1]."""
LOWEST = -0.5
TABLE = torch.linspace(LOWEST, 0.5, 4081, dtype=torch.float64)
"""Centres at which the Fisher information is tabulated, sixteen between two grey values."""
SHARES = torch.linspace(0, 1, 257, dtype=torch.float64)
"""Values of e^{(centre − LOWEST)/s}, of centres below those, at which it is tabulated too."""


class DiscretizedLogistic(Distribution):
    """The grey values k/255 with the mass of a logistic between k − ½ and k + ½.

    `centre` and `scale` of one shape; the outermost values take the tails (Salimans et al. 2017,
    Sect. 2.1), so that the 256 masses sum to one.
    """

    arg_constraints = {"centre": constraints.real, "scale": constraints.positive}
    support = constraints.unit_interval

    def __init__(self, centre: Tensor, scale: Tensor) -> None:
        shape = (centre + scale).shape
        self.centre, self.scale = centre.expand(shape), scale.expand(shape)
        super().__init__(self.centre.shape, validate_args=False)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "DiscretizedLogistic":
        """Return the same distribution over a larger batch."""
        return DiscretizedLogistic(self.centre.expand(batch_shape), self.scale.expand(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log mass of grey values in [0, 1], each rounded to the nearest level."""
        return log_mass(value, self.centre, 1 / self.scale)

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        """Return grey values k/255."""
        with torch.no_grad():
            uniform = torch.rand(
                self._extended_shape(torch.Size(sample_shape)),
                dtype=self.centre.dtype,
                device=self.centre.device,
            )
            drawn = self.centre + self.scale * torch.logit(uniform, eps=1e-7)
            return (drawn * (LEVELS - 1)).round().clamp(0, LEVELS - 1) / (LEVELS - 1)

    @property
    def mean(self) -> Tensor:
        """Σ_k P(x > k)/255, exactly; near `centre` where no tail is cut off."""
        return self._moment(lambda level: torch.ones_like(level))

    @property
    def variance(self) -> Tensor:
        """E[x²] − E[x]², from Σ_k (2k + 1) P(x > k)/255²."""
        square = self._moment(lambda level: (2 * level + 1) / (LEVELS - 1))
        return (square - self.mean.square()).clamp_min(0)

    def _moment(self, weigh: Any) -> Tensor:
        total = torch.zeros_like(self.centre)
        for level in torch.arange(LEVELS - 1, dtype=self.centre.dtype, device=self.centre.device):
            edge = (level + 0.5) / (LEVELS - 1)
            total += weigh(level) * torch.sigmoid((self.centre - edge) / self.scale)
        return total / (LEVELS - 1)


class DiscretizedLogisticLikelihood(Likelihood):
    """x in 256 grey values around the decoder's output, with one learned scale s.

    s = √(3σ²)/π, so that σ² is the variance of the logistic. Nats are of a probability, not of a
    density: −log₂ p per pixel are the bits that the literature reports.
    """

    is_exponential = False
    scores = "bytes"

    def __init__(self, name: str, sigma2: float) -> None:
        super().__init__(name)
        self.log_sigma2 = nn.Parameter(torch.tensor(math.log(sigma2), dtype=torch.float64))

    def sigma2(self) -> Tensor:
        """Return the logistic's variance s²π²/3, a scalar."""
        return bound_below(self.log_sigma2, LOGVAR_FLOOR).exp()

    def scale(self) -> Tensor:
        """Return s, a scalar."""
        return torch.sqrt(3 * self.sigma2()) / math.pi

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent pixels over 256 grey values."""
        pixels = DiscretizedLogistic(output, self.scale().to(output))
        return Independent(pixels, 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return −Σ log mass of each pixel's grey value."""
        return -log_mass(x, output, (1 / self.scale()).to(output)).flatten(1).sum(1)

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (σ(b) − σ(−a))/s, tails apart, and E[score²] over the 256 grey values."""
        inverse = (1 / self.scale()).to(output)
        score = score_centre(x, output, inverse)
        return score.flatten(1), self._fisher(output).flatten(1)

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return the score and Fisher information where every pixel is put at its mean."""
        centre = flat.mean(0)
        inverse = (1 / self.scale()).detach().to(flat).cpu()
        return score_centre(flat, centre.expand_as(flat), inverse), self._fisher(centre)

    def _fisher(self, centre: Tensor) -> Tensor:
        """Return E[score²] at centres of any shape, by interpolation in tables over them.

        Both ends are alike, so the upper half is folded down. Below the table only grey values
        above 0 tell anything, each with the mass of a tail: the information dies off like
        e^{(centre − LOWEST)/s}, and over that it has a limit, e^{(LOWEST − ½/255)/s}/s².
        """
        inverse = (1 / self.scale()).detach().double().cpu()
        given = centre.double().cpu()
        folded = torch.minimum(given, 1 - given)
        inside = _interpolate(_sum_squares(TABLE, inverse), (folded - LOWEST) / (0.5 - LOWEST))
        far = _sum_squares(LOWEST + SHARES[1:].log() / inverse, inverse) / SHARES[1:]
        limit = inverse.square() * torch.exp((LOWEST - HALF) * inverse)
        share = torch.exp((folded - LOWEST).clamp_max(0) * inverse)
        below = share * _interpolate(torch.cat([limit[None], far]), share)
        return torch.where(folded < LOWEST, below, inside).to(centre)


def _sum_squares(centre: Tensor, inverse: Tensor) -> Tensor:
    """Return E[score²] at centres (M,), summed over the grey values."""
    levels = torch.linspace(0, 1, LEVELS, dtype=torch.float64)[:, None]
    mass = log_mass(levels, centre, inverse).exp()
    return (mass * score_centre(levels, centre, inverse).square()).sum(0)


def _interpolate(table: Tensor, place: Tensor) -> Tensor:
    """Return what a table (M,) over [0, 1] holds at places of any shape."""
    step = place.clamp(0, 1) * (len(table) - 1)
    left = step.floor().long().clamp_max(len(table) - 2)
    return torch.lerp(table[left], table[left + 1], step - left)


def log_mass(x: Tensor, centre: Tensor, inverse: Tensor) -> Tensor:
    """Return log P(grey value of x), nats, for `inverse` = 1/s; exact far out in the tails.

    σ(a) − σ(b) = σ(a) σ(−b) (1 − e^{b−a}) with a, b = (x ± ½/255 − centre)/s.
    """
    x = _rounded(x)
    upper = (x + HALF - centre) * inverse
    lower = (x - HALF - centre) * inverse
    below, above = functional.logsigmoid(upper), functional.logsigmoid(-lower)
    inside = below + above + torch.log(-torch.expm1(-2 * HALF * inverse))
    return torch.where(x <= 0, below, torch.where(x >= 1, above, inside))


def score_centre(x: Tensor, centre: Tensor, inverse: Tensor) -> Tensor:
    """Return ∂ log P(grey value of x)/∂centre."""
    x = _rounded(x)
    upper = -torch.sigmoid(-(x + HALF - centre) * inverse) * inverse
    lower = torch.sigmoid((x - HALF - centre) * inverse) * inverse
    return torch.where(x <= 0, upper, torch.where(x >= 1, lower, upper + lower))


def _rounded(x: Tensor) -> Tensor:
    return (x * (LEVELS - 1)).round() / (LEVELS - 1)
