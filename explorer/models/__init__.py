"""Models: networks, likelihoods and what joins them, one class for each kind of code."""

from explorer.config import ModelConfig
from explorer.models.base import Model
from explorer.models.likelihoods import LIKELIHOODS, Likelihood
from explorer.models.networks import NETWORKS, Shape
from explorer.models.vae import VAE
from explorer.models.vq import VQVAE

MODELS: dict[str, type[VAE]] = {"gaussian": VAE, "point": VAE, "categorical": VQVAE}
"""By the kind of code."""


def build_model(config: ModelConfig, shape: Shape) -> VAE:
    """Return an untrained model of `config` for images of `shape` (C, H, W)."""
    return MODELS[config.latent](config, shape)


__all__ = [
    "LIKELIHOODS",
    "MODELS",
    "NETWORKS",
    "VAE",
    "VQVAE",
    "Likelihood",
    "Model",
    "build_model",
]
