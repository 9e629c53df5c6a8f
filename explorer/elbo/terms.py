"""What training minimises, term by term, in nats per image.

Signs: `reconstruction` = −log p(x|z) ≥ or ≤ 0, elbo = −(reconstruction + kl) and
objective = reconstruction + β·kl (+ what a remedy adds). Shapes: B images, K latents.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from explorer.config import ModelConfig, ObjectiveConfig
from explorer.facts import LATENTS, PRIORS
from explorer.models.base import Model
from explorer.models.priors import KL
from explorer.models.vq import VQVAE, pass_straight_through


class Terms(NamedTuple):
    """One batch: the scalar to minimise and what it is made of.

    `reconstruction` (B,) and `kl_per_dim` (B, K) in nats; `kl_per_dim` is None where the model
    has no KL, or where KL is known in total alone, `kl` (B,): against a learned mixture.
    `importance_bound` (B,) is IWAE's where that is optimised.
    """

    objective: Tensor
    reconstruction: Tensor
    kl_per_dim: Tensor | None
    kl: Tensor | None = None
    importance_bound: Tensor | None = None

    @property
    def bound(self) -> Tensor:
        """The bound on log p(x) that is optimised at β = 1, (B,) in nats: IWAE's, or the ELBO."""
        if self.importance_bound is not None:
            return self.importance_bound
        parts = self.kl_parts
        return -self.reconstruction if parts is None else -(self.reconstruction + parts.sum(1))

    @property
    def kl_parts(self) -> Tensor | None:
        """KL as what adds up to it: per dimension (B, K), as one part (B, 1), or None."""
        return self.kl_per_dim if self.kl is None else self.kl[:, None]


def name_kl(parts: list[float] | None, config: ModelConfig) -> dict[str, Any]:
    """Return a log point's KL by name: kl_per_dim, kl alone, or nothing, from mean `kl_parts`."""
    if parts is None:
        return {}
    return {"kl_per_dim": parts} if PRIORS[config.prior].has_shares else {"kl": parts[0]}


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
    model: Model, x: Tensor, beta: float, config: ObjectiveConfig, generator: torch.Generator | None
) -> Terms:
    """Return the β-ELBO's terms for target images x (B, C, H, W), with L samples of z per image.

    KL is in closed form where the prior has one, else from the same z.
    """
    mean, logvar = model.encode_parameters(x)
    copies = config.samples
    if logvar is None:
        noise = model.noise
        copies = copies if noise else 1
        z = stack_copies(mean, copies)
        z = z + noise * draw_noise(mean, copies, generator) if noise else z
    else:
        z = sample_codes(mean, logvar, copies, generator)
    repeated = x if copies == 1 else x.repeat(copies, 1, 1, 1)
    nll = model.nll(z, repeated).view(copies, len(x))
    return price_terms(nll, model.kl(mean, logvar, z), beta, config)


def price_terms(nll: Tensor, kl: KL | None, beta: float, config: ObjectiveConfig) -> Terms:
    """Return the terms of one model from its −log p(x|z) (L, B) and its KL, where it has one.

    This is all that β and the remedies touch, so that models trained together share it.
    """
    reconstruction = nll[0] if len(nll) == 1 else nll.mean(0)
    if kl is None:
        return Terms(reconstruction.mean(), reconstruction, None)
    objective = reconstruction.mean() + price_kl(kl.parts, beta, config)
    return Terms(objective, reconstruction, *kl)


def iwae_terms(
    model: Model, x: Tensor, beta: float, config: ObjectiveConfig, generator: torch.Generator | None
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
    log_ratio = model.prior.log_ratio(z, noise).view(k, batch)
    bound = torch.logsumexp(log_ratio + 0.5 * logvar.sum(1) - nll, 0) - math.log(k)
    return Terms(-bound.mean(), nll.mean(0), *model.prior.kl(mean, logvar, z), bound)


def vq_terms(
    model: Model, x: Tensor, beta: float, config: ObjectiveConfig, generator: torch.Generator | None
) -> Terms:
    """Return the terms of a VQ-VAE: reconstruction, and the encoder's commitment to its codes.

    van den Oord et al. 2017, Eq. 3, with the codebook as running means in place of its second
    term; the commitment is in the objective alone. KL is the constant P·ln S and left out.
    """
    vq = cast(VQVAE, model)
    vectors = vq.encode_vectors(x)
    _, chosen = vq.quantiser(vectors)
    nll = vq.nll(pass_straight_through(vectors, chosen), x)
    distance = (vectors - chosen).square().flatten(1).sum(1)
    return Terms((nll + vq.config.commitment * distance).mean(), nll, None)


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


def choose_objective(config: ObjectiveConfig, latent: str = "gaussian") -> Callable[..., Terms]:
    """Return the terms function that the config asks for, for this kind of code."""
    return OBJECTIVES["iwae" if config.importance_samples > 1 else LATENTS[latent].objective]


OBJECTIVES: dict[str, Callable[..., Terms]] = {
    "elbo": elbo_terms,
    "iwae": iwae_terms,
    "vq": vq_terms,
}
