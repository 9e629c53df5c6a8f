"""Grey pixels in [0, 1] by a density with one parameter."""

import math

import torch
from torch import Tensor
from torch.distributions import ContinuousBernoulli, Distribution, Independent

from explorer.models.likelihoods.base import Likelihood
from explorer.models.likelihoods.bernoulli import cross_entropy, sum_softplus

SERIES = 1e-2
"""Logits nearer to 0 than this are taken by their series."""
LARGEST_LOGIT = 1e4
"""Of a pixel that is nearly constant: its mean lies 1e-4 from the end."""
HALVINGS = 60


class ContinuousBernoulliLikelihood(Likelihood):
    """A density on [0, 1] with logit λ (Loaiza-Ganem and Cunningham 2019)."""

    bounded = True

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent continuous-Bernoulli pixels; `.mean` is not sigmoid(logit)."""
        pixels = ContinuousBernoulli(logits=output, validate_args=False)
        return Independent(pixels, 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the Bernoulli cross-entropy less the log normaliser C(logit)."""
        logits = output.flatten(1)
        return cross_entropy(logits, x.flatten(1)) - log_normaliser(logits).sum(1)

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x − mean and the variance."""
        return (x - mean_of(output)).flatten(1), variance_of(output).flatten(1)

    def output_for(self, mean_image: Tensor, count: int) -> Tensor:
        """Return logits of the mean, clipped to 1/(count + 2): none starts at infinity."""
        edge = 1.0 / (count + 2)
        return torch.logit(mean_image.double().clamp(edge, 1 - edge))

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x − x̄ and the variance of the density whose mean is x̄, in logits."""
        mean = flat.mean(0)
        return flat - mean, variance_of(logit_for(mean))

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and Σ C(logit) − softplus(logit)."""
        return output, log_normaliser(output).sum(1) - sum_softplus(output)

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and 0."""
        return flat, flat.new_zeros(len(flat))


def mean_of(logit: Tensor) -> Tensor:
    """Return the mean at logits λ, 1/(1 − e^−λ) − 1/λ (their Eq. 8), by series near 0.

    torch's own clips probabilities, and so logits beyond 16 (float32) or 36 (float64).
    """
    near_zero = logit.abs() < SERIES
    safe = torch.where(near_zero, torch.ones_like(logit), logit)
    far = 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe
    return torch.where(near_zero, 0.5 + logit / 12, far)


def variance_of(logit: Tensor) -> Tensor:
    """Return the variance at logits λ, the mean's slope 1/λ² − 1/(4 sinh²(λ/2))."""
    near_zero = logit.abs() < SERIES
    safe = torch.where(near_zero, torch.ones_like(logit), logit.abs())
    decay = torch.exp(-safe)
    far = safe**-2 - decay / torch.expm1(-safe).square()
    return torch.where(near_zero, 1 / 12 - logit**2 / 240, far)


def logit_for(mean: Tensor) -> Tensor:
    """Return the logits at which the density's mean is `mean`, by halving.

    The mean rises with the logit from 0 to 1 and has no inverse in closed form.
    """
    low = torch.full_like(mean, -LARGEST_LOGIT)
    high = -low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_below = mean_of(middle) < mean
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
    return (low + high) / 2


def log_normaliser(logit: Tensor) -> Tensor:
    """Return C(logit) = ln(logit / tanh(logit / 2)), by series near 0 (their Eq. 6 in logits)."""
    near_zero = logit.abs() < SERIES
    safe = torch.where(near_zero, torch.ones_like(logit), logit.abs())
    far = torch.log(safe) - torch.log(torch.tanh(safe / 2))
    return torch.where(near_zero, math.log(2) + logit**2 / 12, far)
