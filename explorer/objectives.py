"""What training minimises, term by term, in nats per image.

Signs: `reconstruction` = −log p(x|z) ≥ or ≤ 0, elbo = −(reconstruction + kl) and
objective = reconstruction + β·kl (+ what a remedy adds). Shapes: B images, K latents.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from explorer.config import ObjectiveConfig
from explorer.models.vae import VAE


class Terms(NamedTuple):
    """One batch: the scalar to minimise and what it is made of.

    `reconstruction` (B,) and `kl_per_dim` (B, K) in nats; `kl_per_dim` is None where the model
    has no KL. `bound` (B,) is the bound on log p(x) that is optimised (the ELBO, or IWAE's).
    """

    objective: Tensor
    reconstruction: Tensor
    kl_per_dim: Tensor | None
    bound: Tensor


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mean, e^logvar) ‖ N(0, 1)) per dimension, same shape, in nats.

    ½(μ² + e^lv − 1 − lv), with expm1 so that it keeps its digits near 0 (Kingma and Welling 2014,
    App. B).
    """
    return 0.5 * (torch.expm1(logvar) - logvar + mean.square())


def price_kl(kl_per_dim: Tensor, beta: float, config: ObjectiveConfig) -> Tensor:
    """Return the scalar that KL (B, K) costs in the objective.

    β·KL (Higgins et al. 2017); with free bits β·Σ_i max(λ, mean_batch KL_i), or over all
    dimensions as one group β·max(λ, mean_batch KL) (Kingma et al. 2016, Eq. 15); with a capacity
    target γ·|mean_batch KL − C| (Burgess et al. 2018, Eq. 8). What is priced is not what is
    reported: KL stays KL.
    """
    mean_kl = kl_per_dim.mean(0)
    if config.capacity:
        return config.capacity_weight * (mean_kl.sum() - config.capacity).abs()
    if config.free_bits:
        mean_kl = mean_kl.clamp_min(config.free_bits)
    total = mean_kl.sum()
    return beta * (total.clamp_min(config.free_bits_total) if config.free_bits_total else total)


def elbo_terms(
    model: VAE, x: Tensor, beta: float, config: ObjectiveConfig, generator: torch.Generator | None
) -> Terms:
    """Return the β-ELBO's terms for target images x (B, C, H, W), with L samples of z per image."""
    mean, logvar = model.encode_parameters(x)
    copies = config.samples
    if logvar is None:
        noise = model.config.noise
        copies = copies if noise else 1
        z = stack_copies(mean, copies)
        z = z + noise * draw_noise(mean, copies, generator) if noise else z
    else:
        z = sample_codes(mean, logvar, copies, generator)
    repeated = x if copies == 1 else x.repeat(copies, 1, 1, 1)
    return price_terms(model.nll(z, repeated).view(copies, len(x)), mean, logvar, beta, config)


def price_terms(
    nll: Tensor, mean: Tensor, logvar: Tensor | None, beta: float, config: ObjectiveConfig
) -> Terms:
    """Return the terms of one model from its −log p(x|z) (L, B) and its codes (B, K).

    This is all that β and the remedies touch, so that models trained together share it.
    """
    reconstruction = nll[0] if len(nll) == 1 else nll.mean(0)
    if logvar is None:
        return Terms(reconstruction.mean(), reconstruction, None, -reconstruction)
    kl_per_dim = gaussian_kl(mean, logvar)
    objective = reconstruction.mean() + price_kl(kl_per_dim, beta, config)
    return Terms(objective, reconstruction, kl_per_dim, -(reconstruction + kl_per_dim.sum(1)))


def iwae_terms(
    model: VAE, x: Tensor, beta: float, config: ObjectiveConfig, generator: torch.Generator | None
) -> Terms:
    """Return the importance-weighted bound with k samples (Burda et al. 2015, Eq. 8).

    log (1/k) Σ_j p(x, z_j)/q(z_j|x); reconstruction and KL are reported as for the ELBO.
    """
    mean, logvar = model.encode_parameters(x)
    assert logvar is not None
    batch, k = x.shape[0], config.importance_samples
    noise = draw_noise(mean, k, generator)
    scale = torch.exp(0.5 * logvar).repeat(k, 1)
    z = mean.repeat(k, 1) + scale * noise
    nll = model.nll(z, x.repeat(k, 1, 1, 1)).view(k, batch)
    # log p(z) − log q(z|x), with q's density written in its own noise: the 2π cancel.
    log_prior_ratio = 0.5 * (noise.square() - z.square()).sum(1).view(k, batch)
    log_weights = log_prior_ratio + 0.5 * logvar.sum(1) - nll
    bound = torch.logsumexp(log_weights, 0) - math.log(k)
    return Terms(-bound.mean(), nll.mean(0), gaussian_kl(mean, logvar), bound)


def sample_codes(
    mean: Tensor, logvar: Tensor, copies: int, generator: torch.Generator | None
) -> Tensor:
    """Return reparameterised z = μ + σε, shape (copies·B, K), copy-major."""
    return reparameterise(mean, logvar, draw_noise(mean, copies, generator))


def reparameterise(mean: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """Return z = μ + σε (…, copies·B, K) for codes (…, B, K) and noise ε (copies·B, K)."""
    copies = noise.shape[-2] // mean.shape[-2]
    scale = torch.exp(0.5 * logvar)
    return torch.addcmul(stack_copies(mean, copies), stack_copies(scale, copies), noise)


def stack_copies(codes: Tensor, copies: int) -> Tensor:
    """Return codes (…, B, K) as (…, copies·B, K), copy-major."""
    return codes if copies == 1 else torch.cat([codes] * copies, dim=-2)


def draw_noise(mean: Tensor, copies: int, generator: torch.Generator | None) -> Tensor:
    """Return standard normal noise (copies·B, K) for codes (…, B, K)."""
    shape = (mean.shape[-2] * copies, mean.shape[-1])
    return torch.randn(shape, generator=generator, dtype=mean.dtype, device=mean.device)


def choose_objective(config: ObjectiveConfig) -> Callable[..., Terms]:
    """Return the terms function that the config asks for."""
    return OBJECTIVES["iwae" if config.importance_samples > 1 else "elbo"]


OBJECTIVES: dict[str, Callable[..., Terms]] = {"elbo": elbo_terms, "iwae": iwae_terms}
