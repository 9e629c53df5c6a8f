"""What a model is to everything that looks at one: `encode(x)` and `decode(z)` give distributions.

Shapes: images x (B, C, H, W) in [0, 1], codes z (B, K). Pages, analysis and exports ask a model
what it can do (`has_density`, `prior.has_shares`, `likelihood.scores`, …), never what it is.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from explorer.errors import ExplorerError
from explorer.facts import LATENTS
from explorer.models.likelihoods import Likelihood
from explorer.models.networks import Shape
from explorer.models.point import Point
from explorer.models.priors import KL, Prior


class Model(nn.Module, ABC):
    """An encoder, a prior, a decoder and a likelihood, whoever made them.

    `latent_kind` is "gaussian" (q(z|x) a diagonal normal), "point" (a plain autoencoder, whose
    code has no density and no KL) or "categorical" (a grid of `latent_dim` entries of a codebook).
    """

    shape: Shape
    """(C, H, W) of its images."""
    latent_dim: int
    latent_kind: str
    likelihood: Likelihood
    prior: Prior
    encoder: nn.Module
    decoder: nn.Module
    noise: float = 0.0
    """Standard deviation added to a point code."""
    logvar_bound: float | None = None
    """What the encoder's log-variances are bounded to, smoothly, by ±bound·tanh(raw/bound)."""

    @abstractmethod
    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return (mean (B, K), logvar (B, K)) of q(z|x); logvar is None without a density."""

    def decode_output(self, z: Tensor) -> Tensor:
        """Return what the likelihood takes, (B, P·C, H, W), for codes z (B, K)."""
        output: Tensor = self.decoder(z)
        return output

    def initialise_output(self, mean_image: Tensor, count: int) -> None:
        """Let an untrained model put out the average (C, H, W) of `count` images, if it can."""

    def untrained(self) -> "Model":
        """Return a model of the same kind with fresh weights; ExplorerError where there is none."""
        raise ExplorerError("This model's networks came from elsewhere: they cannot begin anew.")

    @property
    def has_density(self) -> bool:
        """Whether q(z|x) has a density: only then are there KL, ELBO and log p(x)."""
        return LATENTS[self.latent_kind].has_density

    @property
    def is_continuous(self) -> bool:
        """Whether codes are coordinates, so that they have a map."""
        return LATENTS[self.latent_kind].is_continuous

    @property
    def reference(self) -> Tensor:
        """A tensor in the precision and on the device that the model computes in."""
        return next(self.parameters())

    def encode(self, x: Tensor) -> Distribution:
        """Return q(z|x), batch shape (B,), event shape (K,)."""
        mean, logvar = self.encode_parameters(x)
        if logvar is None:
            return Point(mean, self.noise)
        return Independent(
            Normal(mean, torch.exp(0.5 * logvar), validate_args=False), 1, validate_args=False
        )

    def decode(self, z: Tensor) -> Distribution:
        """Return p(x|z), batch shape (B,), event shape (C, H, W)."""
        return self.likelihood.distribution(self.decode_output(z))

    def nll(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x|z) in nats per image, shape (B,)."""
        return self.likelihood.nll(self.decode_output(z), x)

    def kl(self, mean: Tensor, logvar: Tensor | None, z: Tensor) -> KL | None:
        """Return KL(q(z|x)‖p(z)) of codes (B, K) and draws z (L·B, K); None without a density."""
        return None if logvar is None else self.prior.kl(mean, logvar, z)

    def target(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what is encoded and scored for uint8 or float `images` (B, C, H, W)."""
        return self.likelihood.target(images, self.reference.dtype, generator)

    def split_decoder(self) -> tuple[nn.Module, nn.Linear | None]:
        """Return (body, last): the decoder is last ∘ body, reshaped; last may be None.

        Where the last layer is linear and widens, likelihoods that are exponential families can
        fold it into the image, so that a decoded z costs as many numbers as its last hidden layer.
        """
        return _Decoder(self), None


class _Decoder(nn.Module):
    """A model's decoder as a module of its own."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> Tensor:
        """Return the decoder's output for codes z (M, K)."""
        return self.model.decode_output(z)
