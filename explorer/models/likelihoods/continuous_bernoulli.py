"""Grey pixels in [0, 1] by a density with one parameter."""

import math

import torch
from torch import Tensor
from torch.distributions import ContinuousBernoulli, Distribution, Independent
from torch.nn import functional

from explorer.models.likelihoods.base import Likelihood


class ContinuousBernoulliLikelihood(Likelihood):
    """A density on [0, 1] with logit λ (Loaiza-Ganem and Cunningham 2019)."""

    bounded = True

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent continuous-Bernoulli pixels; `.mean` is not sigmoid(logit)."""
        pixels = ContinuousBernoulli(logits=output, validate_args=False)
        return Independent(pixels, 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the Bernoulli cross-entropy less the log normaliser C(logit)."""
        cross_entropy = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
        return (cross_entropy - log_normaliser(output)).flatten(1).sum(1)

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x − mean and the variance."""
        pixels = ContinuousBernoulli(logits=output, validate_args=False)
        return (x - pixels.mean).flatten(1), pixels.variance.flatten(1)

    def output_for(self, mean_image: Tensor, count: int) -> Tensor:
        """Return logits of the mean, clipped to 1/(count + 2): none starts at infinity."""
        edge = 1.0 / (count + 2)
        return torch.logit(mean_image.double().clamp(edge, 1 - edge))

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and Σ C(logit) − softplus(logit)."""
        return output, (log_normaliser(output) - functional.softplus(output)).sum(1)

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and 0."""
        return flat, flat.new_zeros(len(flat))


def log_normaliser(logit: Tensor) -> Tensor:
    """Return C(logit) = ln(logit / tanh(logit / 2)), by series near 0 (their Eq. 6 in logits)."""
    near_zero = logit.abs() < 1e-2
    safe = torch.where(near_zero, torch.ones_like(logit), logit.abs())
    far = torch.log(safe) - torch.log(torch.tanh(safe / 2))
    return torch.where(near_zero, math.log(2) + logit**2 / 12, far)
