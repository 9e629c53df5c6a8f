"""p(x|z) as features of z times features of x, so that many images share each decoded z.

For every likelihood here log p(x|z) = F(z)·P(x) + S(z) + c(x): F is the decoder's last hidden
layer (or its output where that is smaller), P(x) = W x + …, and S gathers the log-normaliser.
One decoded z then serves all images, and one image costs a dot product per z.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.distributions import ContinuousBernoulli

from explorer.errors import ExplorerError
from explorer.models.likelihoods import (
    LOG_2PI,
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    GaussianDiagonalLikelihood,
    GaussianLikelihood,
    GaussianPixelLikelihood,
)
from explorer.models.vae import VAE

FOLDS = 6
"""Halvings in `sum_softplus`: products of 64 factors of at most 2 fit in fp32."""


class Emission:
    """The decoder and likelihood of one model, in `dtype`, split into features of z and of x."""

    def __init__(
        self, model: VAE, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
    ) -> None:
        known = (
            BernoulliLikelihood,
            ContinuousBernoulliLikelihood,
            GaussianDiagonalLikelihood,
            GaussianLikelihood,
            GaussianPixelLikelihood,
        )
        if not isinstance(model.likelihood, known):
            raise ExplorerError(
                f"Exact inference does not know the likelihood {type(model.likelihood).__name__}."
            )
        self.dtype = dtype
        self.device = torch.device(device)
        self.latent_dim = model.latent_dim
        self.pixels = math.prod(model.shape)
        decoder = copy.deepcopy(model.decoder).to(device=device, dtype=dtype).eval()
        self.likelihood = copy.deepcopy(model.likelihood).to(device=device, dtype=dtype)
        layers = list(decoder)
        self._last: nn.Linear | None = None
        if (
            not isinstance(self.likelihood, GaussianPixelLikelihood)
            and len(layers) >= 2
            and isinstance(layers[-1], nn.Unflatten)
            and isinstance(layers[-2], nn.Linear)
            and layers[-2].in_features < layers[-2].out_features
        ):
            self._last = layers[-2]
            layers = layers[:-2]
        self._body = nn.Sequential(*layers)

    @torch.no_grad()
    def features(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return F (M, f) and S (M,) for codes z (M, K)."""
        hidden = self._body(z.to(device=self.device, dtype=self.dtype)).flatten(1)
        output = hidden if self._last is None else self._last(hidden)
        if isinstance(self.likelihood, GaussianPixelLikelihood):
            mean, logvar = self.likelihood.mean_logvar(output.unsqueeze(-1))
            mean, logvar = mean.flatten(1), logvar.flatten(1)
            precision = torch.exp(-logvar)
            normaliser = -0.5 * (mean.square() * precision + logvar + LOG_2PI).sum(1)
            return torch.cat([mean * precision, -0.5 * precision], 1), normaliser
        if isinstance(self.likelihood, GaussianLikelihood):
            sigma2 = self.likelihood.sigma2()
            normaliser = -0.5 * output.square().sum(1) / sigma2
        elif isinstance(self.likelihood, GaussianDiagonalLikelihood):
            normaliser = -0.5 * (output.square() * self._precision()).sum(1)
        elif isinstance(self.likelihood, BernoulliLikelihood):
            normaliser = -sum_softplus(output)
        else:
            zeros = torch.zeros_like(output)
            normaliser = -self.likelihood.nll(output[:, :, None, None], zeros[:, :, None, None])
        return hidden, normaliser

    @torch.no_grad()
    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return P (N, f) and c (N,) for target images x (N, C, H, W)."""
        flat = x.detach().to(device=self.device, dtype=self.dtype).flatten(1)
        if isinstance(self.likelihood, GaussianPixelLikelihood):
            return torch.cat([flat, flat.square()], 1), flat.new_zeros(flat.shape[0])
        constant = flat.new_zeros(flat.shape[0])
        if isinstance(self.likelihood, GaussianLikelihood):
            sigma2 = self.likelihood.sigma2()
            constant = -0.5 * (
                flat.square().sum(1) / sigma2 + self.pixels * (LOG_2PI + torch.log(sigma2))
            )
            flat = flat / sigma2
        if isinstance(self.likelihood, GaussianDiagonalLikelihood):
            logvar = self.likelihood.bounded_logvar().sum()
            squares = (flat.square() * self._precision()).sum(1)
            constant = -0.5 * (squares + self.pixels * LOG_2PI + logvar)
            flat = flat * self._precision()
        if self._last is None:
            return flat, constant
        return flat @ self._last.weight, constant + flat @ self._last.bias

    def _precision(self) -> Tensor:
        """Return 1/Ψ of each pixel, (D,)."""
        assert isinstance(self.likelihood, GaussianDiagonalLikelihood)
        return torch.exp(-self.likelihood.bounded_logvar()).flatten()

    def log_likelihood(self, z: Tensor, x: Tensor) -> Tensor:
        """Return log p(x_n|z_m), shape (M, N), in nats."""
        features, normaliser = self.features(z)
        projection, constant = self.project(x)
        return features @ projection.T + normaliser[:, None] + constant


def score_and_fisher(model: VAE, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return ∂log p(x|z)/∂location and its Fisher information, each (B, D).

    Location is the logit of a (continuous) Bernoulli and the mean of a Gaussian.
    """
    likelihood = model.likelihood
    if isinstance(likelihood, BernoulliLikelihood):
        probability = torch.sigmoid(output)
        return (x - probability).flatten(1), (probability * (1 - probability)).flatten(1)
    if isinstance(likelihood, ContinuousBernoulliLikelihood):
        pixels = ContinuousBernoulli(logits=output, validate_args=False)
        return (x - pixels.mean).flatten(1), pixels.variance.flatten(1)
    if isinstance(likelihood, GaussianLikelihood):
        sigma2 = likelihood.sigma2()
        precision = (1 / sigma2).expand_as(output)
        return ((x - output) * precision).flatten(1), precision.flatten(1)
    if isinstance(likelihood, GaussianDiagonalLikelihood):
        precision = torch.exp(-likelihood.bounded_logvar()).expand_as(output)
        return ((x - output) * precision).flatten(1), precision.flatten(1)
    if isinstance(likelihood, GaussianPixelLikelihood):
        mean, logvar = likelihood.mean_logvar(output)
        precision = torch.exp(-logvar)
        return ((x - mean) * precision).flatten(1), precision.flatten(1)
    raise ExplorerError(f"The wake-up rule does not know {type(likelihood).__name__}.")


def sum_softplus(logits: Tensor) -> Tensor:
    """Return Σ_pixels softplus(logit), shape (M,), from logits (M, D).

    Σ max(l, 0) + log Π (1 + e^−|l|): the factors lie in (1, 2], so 2^FOLDS of them can be
    multiplied without overflow and share one logarithm.
    """
    factors = torch.exp(-logits.abs()).add_(1)
    for _ in range(FOLDS):
        half, odd = divmod(factors.shape[1], 2)
        if odd or not half:
            break
        factors = factors[:, :half] * factors[:, half:]
    return logits.clamp_min(0).sum(1) + factors.log().sum(1)
