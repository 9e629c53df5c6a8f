"""Models whose posterior and log p(x) are known in closed form."""

import math

import numpy as np
import torch
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from torch import nn

from explorer.config import ModelConfig
from explorer.models import VAE
from tests.helpers import of_kind


def digit_pixels():
    """Return scikit-learn's digits as float64 images (1797, 1, 8, 8) in [0, 1]."""
    return load_digits().images[:, None] / 16


def linear_vae(latent_dim=2, sigma2=0.05, rotate=0.0):
    """Return the pPCA optimum on the digits as a VAE, in float64.

    `rotate` (radians) turns the first two latents, so that the exact posterior, still normal, is
    no longer diagonal; the encoder keeps the right means and the best diagonal variances.
    """
    x = digit_pixels().reshape(-1, 64)
    centred = x - x.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    values, vectors = values[::-1][:latent_dim], vectors[:, ::-1][:, :latent_dim]
    turn = np.eye(latent_dim)
    if rotate:
        c, s = math.cos(rotate), math.sin(rotate)
        turn[:2, :2] = [[c, -s], [s, c]]
    decoder = vectors * np.sqrt(values - sigma2) @ turn
    precision = np.eye(latent_dim) + decoder.T @ decoder / sigma2
    encoder = np.linalg.solve(precision, decoder.T) / sigma2
    model = VAE(
        ModelConfig(
            network="linear",
            hidden=(),
            latent_dim=latent_dim,
            likelihood="gaussian",
            sigma2=sigma2,
            precision="float64",
        ),
        (1, 8, 8),
    )
    # Written as buffers and weights of the model itself; log σ² in full double precision.
    model.likelihood.log_sigma2 = torch.tensor(math.log(sigma2), dtype=torch.float64)
    # The best diagonal q matches the precision's diagonal.
    logvar = -np.log(np.diag(precision))
    mean = torch.from_numpy(x.mean(0))
    with torch.no_grad():
        last = of_kind(nn.Linear, model.decoder[0])
        last.weight.copy_(torch.from_numpy(decoder))
        last.bias.copy_(mean)
        first = of_kind(nn.Linear, model.encoder[1])
        first.weight.zero_()
        first.weight[:latent_dim] = torch.from_numpy(encoder)
        first.bias[:latent_dim] = -torch.from_numpy(encoder) @ mean
        raw = 20 * np.arctanh(logvar / 20)
        first.bias[latent_dim:] = torch.from_numpy(raw)
    return model.eval()


def turned_vae(images):
    """A linear model with a turned decoder, and digits: p(z|x) is full, and the encoder is off."""
    model = linear_vae(rotate=0.7)
    with torch.no_grad():
        model.encoder[1].bias[:2] += 0.4
    return model, torch.from_numpy(digit_pixels()[:images])


def exact_posterior(model, x):
    """Return mean (N, K), covariance (K, K) and log p(x) (N,) of a linear Gaussian model."""
    weight = model.decoder[0].weight.detach().numpy()
    bias = model.decoder[0].bias.detach().numpy()
    sigma2 = float(model.likelihood.sigma2())
    flat = np.asarray(x).reshape(len(x), -1)
    covariance = np.linalg.inv(np.eye(weight.shape[1]) + weight.T @ weight / sigma2)
    mean = (flat - bias) @ weight @ covariance / sigma2
    marginal = weight @ weight.T + sigma2 * np.eye(len(bias))
    return mean, covariance, multivariate_normal(bias, marginal).logpdf(flat)


def small_bernoulli(latent_dim=2, seed=0):
    """Return an untrained little Bernoulli VAE on 8 × 8 images, with a lively decoder."""
    torch.manual_seed(seed)
    model = VAE(ModelConfig(hidden=(16,), latent_dim=latent_dim), (1, 8, 8))
    with torch.no_grad():
        for place in (0, 2):
            of_kind(nn.Linear, model.decoder[place]).weight.mul_(3)
    return model.eval()
