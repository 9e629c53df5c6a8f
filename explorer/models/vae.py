"""The variational autoencoder that is trained here, built from a `ModelConfig`.

Shapes: images x (B, C, H, W) in [0, 1], codes z (B, K).
"""

import torch
from torch import Tensor, nn

from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.likelihoods import build_likelihood
from explorer.models.networks import LOGVAR_BOUND, NETWORKS, Shape, bound_logvar
from explorer.models.priors import MixturePrior, Prior, StandardNormal

MAX_PARAMETERS = 200_000_000


class VAE(Model):
    """Networks, a prior and a likelihood built from a `ModelConfig` for images of `shape`."""

    logvar_bound = LOGVAR_BOUND

    def __init__(self, config: ModelConfig, shape: Shape) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        self.latent_dim = config.latent_dim
        self.latent_kind = config.latent
        self.noise = config.noise
        self.likelihood = build_likelihood(config, shape)
        with torch.device("meta"):
            sizes = self.build_networks()
        count = sum(p.numel() for part in sizes for p in part.parameters())
        if count > MAX_PARAMETERS:
            raise ExplorerError(
                f"This network would have {count:,} weights; at most {MAX_PARAMETERS:,} are "
                "supported: choose fewer hidden units or smaller images."
            )
        self.encoder: nn.Sequential
        self.decoder: nn.Sequential
        self.encoder, self.decoder = self.build_networks()
        self.prior = self.build_prior()
        self.to(getattr(torch, config.precision))

    def build_prior(self) -> Prior:
        """Return N(0, I), or the mixture that the config asks for."""
        if self.config.prior == "mixture":
            return MixturePrior(self.config.prior_components, self.latent_dim)
        return StandardNormal(self.latent_dim)

    def build_networks(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return a fresh encoder and decoder as the config describes them."""
        config = self.config
        code_size = config.latent_dim * (2 if config.latent == "gaussian" else 1)
        output_channels = self.shape[0] * self.likelihood.parameters_per_pixel
        return NETWORKS[config.network](config, self.shape, code_size, output_channels)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return (mean (B, K), logvar (B, K)) of q(z|x); logvar is None for a point code."""
        code = self.encoder(x)
        if not self.has_density:
            return code, None
        mean, raw = code.chunk(2, dim=1)
        return mean, bound_logvar(raw)

    def untrained(self) -> "VAE":
        """Return a model of the same config with fresh weights."""
        return type(self)(self.config, self.shape)

    def split_decoder(self) -> tuple[nn.Module, nn.Linear | None]:
        """Return the decoder up to its last hidden layer, and the linear layer that widens it."""
        layers = list(self.decoder)
        if len(layers) >= 2 and isinstance(layers[-1], nn.Unflatten):
            last = layers[-2]
            if isinstance(last, nn.Linear) and last.in_features < last.out_features:
                return nn.Sequential(*layers[:-2]), last
        return self.decoder, None

    @torch.no_grad()
    def initialise_output(self, mean_image: Tensor, count: int) -> None:
        """Set the decoder's last bias so that the untrained model puts out the mean image.

        `mean_image` (C, H, W) is the average of `count` images in [0, 1].
        """
        last = [m for m in self.decoder if isinstance(m, nn.Linear | nn.ConvTranspose2d)][-1]
        if last.bias is None:
            return
        location = self.likelihood.output_for(mean_image, count)
        if isinstance(last, nn.ConvTranspose2d):
            location = location.mean(dim=(1, 2))
        flat = location.flatten().to(last.bias)
        last.bias.zero_()
        last.bias[: flat.numel()] = flat
