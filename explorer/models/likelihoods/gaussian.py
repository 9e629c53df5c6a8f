"""Real pixels around the decoder's output: one variance, one a pixel, or one a pixel and image."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from explorer.models.likelihoods.base import (
    LOG_2PI,
    LOGVAR_FLOOR,
    Likelihood,
    bound_below,
    unbound_below,
)

SMALLEST_VARIANCE = 1e-4
"""Of a pixel whose variance is estimated from images."""
OPTIMAL_SIGMA_RATE = 0.02
"""Share of the newest batch in the running mean of ln σ²."""


class NormalPixels(Likelihood):
    """Base: every pixel is normal around the decoder's output."""

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x − x̄)/σ² and 1/σ² around the mean image.

        σ² is the model's own where it is one number, else what is best there: the pixels' variance.
        """
        sigma2 = self.sigma2()
        if sigma2 is None:
            variance = flat.var(0, correction=0).clamp_min(SMALLEST_VARIANCE)
        else:
            variance = sigma2.detach().double().cpu().expand(flat.shape[1])
        return (flat - flat.mean(0)) / variance, 1 / variance


class GaussianLikelihood(NormalPixels):
    """x ~ N(output, σ²) with one σ², fixed or learned."""

    def __init__(self, name: str, sigma2: float, *, learned: bool) -> None:
        super().__init__(name)
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

    def held_sigma2(self) -> float | None:
        """Return σ² where it is not learned."""
        return None if self.learned else float(self.sigma2().detach())

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

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x − output)/σ² and 1/σ²."""
        precision = (1 / self.sigma2()).expand_as(output)
        return ((x - output) * precision).flatten(1), precision.flatten(1)

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output and −‖output‖²/(2σ²)."""
        return output, -0.5 * output.square().sum(1) / self.sigma2()

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x/σ² and what depends on x alone."""
        sigma2 = self.sigma2()
        logs = flat.shape[1] * (LOG_2PI + torch.log(sigma2))
        return flat / sigma2, -0.5 * (flat.square().sum(1) / sigma2 + logs)

    @torch.no_grad()
    def set_noise(self, log_variance: Tensor) -> None:
        """Take the first of equal log-variances (D,), where σ² is learned."""
        if self.learned:
            self.log_sigma2.copy_(unbound_below(log_variance, LOGVAR_FLOOR)[0])


class GaussianOptimalLikelihood(GaussianLikelihood):
    """x ~ N(output, σ²) with σ² = the batch's mean squared error, its best value at each update.

    Then the mean of −log p(x|z) is (D/2) ln MSE plus a constant (Rybkin et al. 2021, Eq. 4). A
    running mean over the batches serves wherever no gradient is asked for.
    """

    def __init__(self, name: str, sigma2: float) -> None:
        super().__init__(name, sigma2, learned=False)
        start = torch.tensor(math.log(sigma2), dtype=torch.float64)
        self.register_buffer("log_sigma2", start)

    def held_sigma2(self) -> float | None:
        """Return None: it follows the batches."""
        return None

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


class GaussianDiagonalLikelihood(NormalPixels):
    """x ~ N(output, Ψ): one learned variance per pixel, shared by all images.

    With a linear decoder this is factor analysis, as one shared σ² is probabilistic PCA.
    """

    def __init__(self, name: str, sigma2: float, shape: tuple[int, int, int]) -> None:
        super().__init__(name)
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

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x − output)/Ψ and 1/Ψ."""
        precision = torch.exp(-self.bounded_logvar()).expand_as(output)
        return ((x - output) * precision).flatten(1), precision.flatten(1)

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output and −½ Σ output²/Ψ."""
        return output, -0.5 * (output.square() * self._precision()).sum(1)

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x/Ψ and what depends on x alone."""
        squares = (flat.square() * self._precision()).sum(1)
        logs = flat.shape[1] * LOG_2PI + self.bounded_logvar().sum()
        return flat * self._precision(), -0.5 * (squares + logs)

    def _precision(self) -> Tensor:
        """Return 1/Ψ of each pixel, (D,)."""
        return torch.exp(-self.bounded_logvar()).flatten()

    @torch.no_grad()
    def set_noise(self, log_variance: Tensor) -> None:
        """Take the log-variance of each pixel, (D,)."""
        raw = unbound_below(log_variance, LOGVAR_FLOOR)
        self.log_variance.copy_(raw.view(self.log_variance.shape))

    def describe(self) -> dict[str, Any]:
        """Return its name and numbers, with the pixels' `logvar` (D,)."""
        logvar = self.bounded_logvar().detach().cpu().numpy().ravel()
        return {**super().describe(), "logvar": logvar.astype(np.float32)}


class GaussianPixelLikelihood(NormalPixels):
    """x ~ N(mean, σ²) with a mean and a variance for every pixel of every image."""

    parameters_per_pixel = 2
    output_is_natural = False

    def mean_logvar(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the bounded log-variance, each (B, C, H, W), or flat (B, D)."""
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

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x − mean)/σ² and 1/σ²."""
        mean, logvar = self.mean_logvar(output)
        precision = torch.exp(-logvar)
        return ((x - mean) * precision).flatten(1), precision.flatten(1)

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean/σ², −1/(2σ²)) and −½ Σ [mean²/σ² + ln 2πσ²]."""
        mean, logvar = self.mean_logvar(output)
        precision = torch.exp(-logvar)
        normaliser = -0.5 * (mean.square() * precision + logvar + LOG_2PI).sum(1)
        return torch.cat([mean * precision, -0.5 * precision], 1), normaliser

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x, x²) and 0."""
        return torch.cat([flat, flat.square()], 1), flat.new_zeros(len(flat))
