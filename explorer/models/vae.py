"""The variational autoencoder: `encode(x)` and `decode(z)` return distributions.

Shapes: images x (B, C, H, W) in [0, 1], codes z (B, K).
"""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models.likelihoods import build_likelihood
from explorer.models.mixture import MixturePrior
from explorer.models.networks import NETWORKS, Shape, bound_logvar
from explorer.models.point import Point

MAX_PARAMETERS = 200_000_000


class VAE(nn.Module):
    """An encoder, a decoder and a likelihood built from a `ModelConfig` for images of `shape`.

    `latent_kind` is "gaussian" (q(z|x) a diagonal normal) or "point" (a plain autoencoder, whose
    code has no density and no KL). The prior is N(0, I) unless `mixture` holds a learned one.
    """

    def __init__(self, config: ModelConfig, shape: Shape) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        self.latent_dim = config.latent_dim
        self.latent_kind = config.latent
        self.likelihood = build_likelihood(config, shape)
        with torch.device("meta"):
            sizes = self.build_networks()
        count = sum(p.numel() for part in sizes for p in part.parameters())
        if count > MAX_PARAMETERS:
            raise ExplorerError(
                f"This network would have {count:,} weights; at most {MAX_PARAMETERS:,} are "
                "supported: choose fewer hidden units or smaller images."
            )
        self.encoder, self.decoder = self.build_networks()
        self.mixture: MixturePrior | None = None
        if config.prior == "mixture":
            self.mixture = MixturePrior(config.prior_components, config.latent_dim)
        self.to(getattr(torch, config.precision))

    def build_networks(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return a fresh encoder and decoder as the config describes them."""
        config = self.config
        code_size = config.latent_dim * (2 if config.latent == "gaussian" else 1)
        output_channels = self.shape[0] * self.likelihood.parameters_per_pixel
        return NETWORKS[config.network](config, self.shape, code_size, output_channels)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return (mean (B, K), logvar (B, K)) of q(z|x); logvar is None for a point code."""
        code = self.encoder(x)
        if self.latent_kind == "point":
            return code, None
        mean, raw = code.chunk(2, dim=1)
        return mean, bound_logvar(raw)

    def encode(self, x: Tensor) -> Distribution:
        """Return q(z|x), batch shape (B,), event shape (K,)."""
        mean, logvar = self.encode_parameters(x)
        if logvar is None:
            return Point(mean, self.config.noise)
        return Independent(
            Normal(mean, torch.exp(0.5 * logvar), validate_args=False), 1, validate_args=False
        )

    def decode(self, z: Tensor) -> Distribution:
        """Return p(x|z), batch shape (B,), event shape (C, H, W)."""
        return self.likelihood.distribution(self.decoder(z))

    def nll(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x|z) in nats per image, shape (B,)."""
        return self.likelihood.nll(self.decoder(z), x)

    def prior(self) -> Distribution:
        """Return p(z), event shape (K,): N(0, I), or the learned mixture."""
        if self.mixture is not None:
            return self.mixture.distribution()
        reference = next(self.decoder.parameters())
        zeros = torch.zeros(self.latent_dim, dtype=reference.dtype, device=reference.device)
        return Independent(Normal(zeros, torch.ones_like(zeros), validate_args=False), 1)

    def log_prior(self, z: Tensor) -> Tensor:
        """Return log p(z), (…,), in nats, for codes z (…, K) in their own precision."""
        if self.mixture is not None:
            return self.mixture.log_prob(z)
        return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))

    def sample_prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return draws of p(z), (count, K); `generator` lives on the model's device."""
        if self.mixture is not None:
            return self.mixture.sample(count, generator)
        reference = next(self.decoder.parameters())
        shape = (count, self.latent_dim)
        return torch.randn(
            shape, generator=generator, dtype=reference.dtype, device=reference.device
        )

    def target(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what is encoded and scored for uint8 or float `images` (B, C, H, W).

        Bernoulli with `binarise`: a fresh draw with P(pixel = 1) = grey value. Otherwise the grey
        values in [0, 1].
        """
        binarise = self.likelihood.is_binary and self.config.binarise
        dtype = getattr(torch, self.config.precision)
        if images.dtype != torch.uint8:
            if not binarise:
                return images.to(dtype)
            draw = torch.rand(images.shape, generator=generator, device=images.device)
            return (draw < images).to(dtype)
        if not binarise:
            return images.to(dtype) / 255
        # A random byte alone gives P(high < v) = v/256; its neighbour breaks the tie, and
        # v/256 + v/256² is v/255 to 1.5e-5. Held below 255, it lets pixels of 255 always win it.
        count = images.numel()
        random = random_bytes(torch.Size([count + 1]), images.device, generator)
        high = random[:-1].view(images.shape)
        low = random[1:].clamp(max=254).view(images.shape)
        draw = (high < images) | ((high == images) & (low < images))
        # Bytes become numbers five times faster than truth values do.
        return draw.view(torch.uint8).to(dtype)

    @torch.no_grad()
    def initialise_output(self, mean_image: Tensor, count: int) -> None:
        """Set the decoder's last bias so that the untrained model puts out the mean image.

        `mean_image` (C, H, W) is the average of `count` images in [0, 1]; Bernoulli logits come
        from the mean clipped to 1/(count + 2), so that no pixel starts at an infinite logit.
        """
        last = [m for m in self.decoder if isinstance(m, nn.Linear | nn.ConvTranspose2d)][-1]
        if last.bias is None:
            return
        edge = 1.0 / (count + 2)
        if self.config.likelihood in ("bernoulli", "continuous-bernoulli"):
            location = torch.logit(mean_image.double().clamp(edge, 1 - edge))
        else:
            location = mean_image.double()
        if isinstance(last, nn.ConvTranspose2d):
            location = location.mean(dim=(1, 2))
        flat = location.flatten().to(last.bias)
        last.bias.zero_()
        last.bias[: flat.numel()] = flat


def random_bytes(
    shape: torch.Size, device: torch.device, generator: torch.Generator | None
) -> Tensor:
    """Return uniform uint8 of `shape`, drawn eight at a time (twice as fast as `bernoulli`)."""
    count = shape.numel()
    words = torch.empty((count + 7) // 8, dtype=torch.int64, device=device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.uint8)[:count].view(shape)
