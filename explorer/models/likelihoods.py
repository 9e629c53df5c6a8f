"""p(x|z): from what the decoder puts out to a distribution over images, and to nats.

Every likelihood maps decoder output (B, P·C, H, W), P parameters per pixel, to
- `distribution(output)`: a `torch.distributions` object with event shape (C, H, W),
- `nll(output, x)`: −log p(x|z) in nats per image, shape (B,), summed over pixels,
both from logits or log-variances, never from probabilities.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    Distribution,
    Independent,
    Normal,
)
from torch.nn import functional

from explorer.config import ModelConfig

LOG_2PI = math.log(2 * math.pi)
LOGVAR_FLOOR = -12.0
"""Pixel log-variances stay softly above this, so that constant pixels cannot drive σ to 0."""

OPTIMAL_SIGMA_RATE = 0.02
"""Share of the newest batch in the running mean of ln σ²."""


class Likelihood(nn.Module):
    """Base: `parameters_per_pixel` values for each pixel, one of which is the location."""

    parameters_per_pixel = 1
    is_binary = False

    def distribution(self, output: Tensor) -> Distribution:
        """Return p(x|z) for decoder output (B, P·C, H, W); event shape (C, H, W)."""
        raise NotImplementedError

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x|z), shape (B,), in nats per image."""
        raise NotImplementedError

    def sigma2(self) -> Tensor | None:
        """Return the one variance of a Gaussian decoder, None where there is no such number."""
        return None


class BernoulliLikelihood(Likelihood):
    """Each pixel is 1 with probability sigmoid(logit)."""

    is_binary = True

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent Bernoulli pixels."""
        return Independent(Bernoulli(logits=output, validate_args=False), 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return Σ softplus(logit) − x·logit; for grey x a cross-entropy, not a likelihood."""
        per_pixel = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
        return per_pixel.flatten(1).sum(1)


class ContinuousBernoulliLikelihood(Likelihood):
    """A density on [0, 1] with logit λ (Loaiza-Ganem and Cunningham 2019)."""

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent continuous-Bernoulli pixels; `.mean` is not sigmoid(logit)."""
        pixels = ContinuousBernoulli(logits=output, validate_args=False)
        return Independent(pixels, 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the Bernoulli cross-entropy less the log normaliser C(logit).

        C = ln(logit / tanh(logit / 2)), by series near logit 0 (their Eq. 6 in logit form).
        """
        near_zero = output.abs() < 1e-2
        safe = torch.where(near_zero, torch.ones_like(output), output.abs())
        far = torch.log(safe) - torch.log(torch.tanh(safe / 2))
        log_normaliser = torch.where(near_zero, math.log(2) + output**2 / 12, far)
        cross_entropy = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
        return (cross_entropy - log_normaliser).flatten(1).sum(1)


class GaussianLikelihood(Likelihood):
    """x ~ N(output, σ²) with one σ², fixed or learned."""

    def __init__(self, sigma2: float, learned: bool) -> None:
        super().__init__()
        log_sigma2 = torch.tensor(math.log(sigma2), dtype=torch.float64)
        if learned:
            self.log_sigma2 = nn.Parameter(log_sigma2)
        else:
            # The config holds it: stored weights may be rounded to half precision.
            self.register_buffer("log_sigma2", log_sigma2, persistent=False)
        self.learned = learned

    def _log_sigma2(self) -> Tensor:
        return bound_below(self.log_sigma2, LOGVAR_FLOOR) if self.learned else self.log_sigma2

    def sigma2(self) -> Tensor:
        """Return σ², a scalar."""
        return self._log_sigma2().exp()

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent normal pixels of equal variance."""
        scale = self.sigma2().sqrt().expand_as(output)
        return Independent(Normal(output, scale, validate_args=False), 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return (D/2) ln(2πσ²) + ‖x − output‖² / (2σ²)."""
        squared = (x - output).square().flatten(1)
        log_sigma2 = self._log_sigma2()
        constant = squared.shape[1] * (LOG_2PI + log_sigma2)
        return 0.5 * (squared.sum(1) * torch.exp(-log_sigma2) + constant)


class GaussianOptimalLikelihood(GaussianLikelihood):
    """x ~ N(output, σ²) with σ² = the batch's mean squared error, its best value at each update.

    Then the mean of −log p(x|z) is (D/2) ln MSE plus a constant (Rybkin et al. 2021, Eq. 4). A
    running mean over the batches serves wherever no gradient is asked for.
    """

    def __init__(self, sigma2: float) -> None:
        super().__init__(sigma2, learned=False)
        start = torch.tensor(math.log(sigma2), dtype=torch.float64)
        self.register_buffer("log_sigma2", start)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return (D/2) ln(2πσ²) + ‖x − output‖² / (2σ²), σ² from this very batch in training."""
        if self.training and output.requires_grad:
            squared = (x - output.detach()).square().mean().clamp_min(math.exp(LOGVAR_FLOOR))
            # Held fixed: at its optimum σ² has no first-order share in the gradient.
            best = squared.log().to(self.log_sigma2)
            per_image = (x - output).square().flatten(1)
            with torch.no_grad():
                self.log_sigma2.lerp_(best, OPTIMAL_SIGMA_RATE)
            constant = per_image.shape[1] * (LOG_2PI + best)
            return 0.5 * (per_image.sum(1) * torch.exp(-best) + constant)
        return super().nll(output, x)


class GaussianDiagonalLikelihood(Likelihood):
    """x ~ N(output, Ψ): one learned variance per pixel, shared by all images.

    With a linear decoder this is factor analysis, as one shared σ² is probabilistic PCA.
    """

    def __init__(self, sigma2: float, shape: tuple[int, int, int]) -> None:
        super().__init__()
        start = torch.full(shape, math.log(sigma2), dtype=torch.float64)
        self.log_variance = nn.Parameter(start)

    def bounded_logvar(self) -> Tensor:
        """Return the bounded log-variance of each pixel, (C, H, W)."""
        return bound_below(self.log_variance, LOGVAR_FLOOR)

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent normal pixels; `.stddev` is the same for all images."""
        scale = (0.5 * self.bounded_logvar()).exp().expand_as(output)
        return Independent(Normal(output, scale, validate_args=False), 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return ½ Σ [ln 2π + ln Ψ + (x − output)²/Ψ]."""
        logvar = self.bounded_logvar()
        per_pixel = LOG_2PI + logvar + (x - output).square() * torch.exp(-logvar)
        return 0.5 * per_pixel.flatten(1).sum(1)


class GaussianPixelLikelihood(Likelihood):
    """x ~ N(mean, σ²) with a mean and a variance for every pixel of every image."""

    parameters_per_pixel = 2

    def mean_logvar(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the bounded log-variance, each (B, C, H, W)."""
        mean, logvar = output.chunk(2, dim=1)
        return mean, bound_below(logvar, LOGVAR_FLOOR)

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent normal pixels; `.stddev` is the σ-map."""
        mean, logvar = self.mean_logvar(output)
        scale = (0.5 * logvar).exp()
        return Independent(Normal(mean, scale, validate_args=False), 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return ½ Σ [ln 2π + ln σ² + (x − mean)²/σ²]."""
        mean, logvar = self.mean_logvar(output)
        per_pixel = LOG_2PI + logvar + (x - mean).square() * torch.exp(-logvar)
        return 0.5 * per_pixel.flatten(1).sum(1)


def bound_below(value: Tensor, floor: float) -> Tensor:
    """Return `value` bounded smoothly from below: floor + softplus(value − floor)."""
    return floor + functional.softplus(value - floor)


def unbound_below(value: Tensor, floor: float) -> Tensor:
    """Return what `bound_below` turns into `value`, which lies above the floor."""
    return value + torch.log(-torch.expm1(floor - value))


LIKELIHOODS: dict[str, Callable[[ModelConfig, tuple[int, int, int]], Likelihood]] = {
    "bernoulli": lambda config, shape: BernoulliLikelihood(),
    "continuous-bernoulli": lambda config, shape: ContinuousBernoulliLikelihood(),
    "gaussian": lambda config, shape: GaussianLikelihood(config.sigma2, learned=False),
    "gaussian-learned": lambda config, shape: GaussianLikelihood(config.sigma2, learned=True),
    "gaussian-optimal": lambda config, shape: GaussianOptimalLikelihood(config.sigma2),
    "gaussian-diagonal": lambda config, shape: GaussianDiagonalLikelihood(config.sigma2, shape),
    "gaussian-pixel": lambda config, shape: GaussianPixelLikelihood(),
}


def build_likelihood(config: ModelConfig, shape: tuple[int, int, int]) -> Likelihood:
    """Return the likelihood that the config names, for images of `shape` (C, H, W)."""
    return LIKELIHOODS[config.likelihood](config, shape)
