"""Models: networks, likelihoods and the VAE that joins them."""

from explorer.models.likelihoods import LIKELIHOODS, Likelihood
from explorer.models.networks import NETWORKS
from explorer.models.vae import VAE

__all__ = ["LIKELIHOODS", "NETWORKS", "VAE", "Likelihood"]
