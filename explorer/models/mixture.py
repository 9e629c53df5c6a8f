"""A learned prior: p(z) = Σ_c π_c N(m_c, diag s_c²), trained with the networks.

Shapes: C components, K latents, M codes. KL(q‖p) has no closed form; it is estimated by
log q(z|x) − log p(z) at draws of q (Dilokthanakul et al. 2016 and Tomczak and Welling 2018 use such
priors), so it is known in total and not per dimension.
"""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn import functional

from explorer.models.networks import bound_logvar

START_SPREAD = 1.5
"""Standard deviation of the first means: apart, yet within reach of the first codes."""


class MixturePrior(nn.Module):
    """C diagonal normals over K latents with weights π; all of it learned."""

    def __init__(self, components: int, latent_dim: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(components))
        self.mean = nn.Parameter(START_SPREAD * torch.randn(components, latent_dim))
        self.raw_logvar = nn.Parameter(torch.zeros(components, latent_dim))

    def weights(self) -> Tensor:
        """Return π, (C,)."""
        return functional.softmax(self.logits, 0)

    def scale(self) -> Tensor:
        """Return s, (C, K)."""
        return torch.exp(0.5 * bound_logvar(self.raw_logvar))

    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p(z), (…,), in nats, for codes z (…, K) in their own precision."""
        mean, logvar = self.mean.to(z), bound_logvar(self.raw_logvar.to(z))
        squared = (z.unsqueeze(-2) - mean).square() * torch.exp(-logvar)
        log_normal = -0.5 * (squared + logvar + math.log(2 * math.pi)).sum(-1)
        return torch.logsumexp(log_normal + functional.log_softmax(self.logits.to(z), 0), -1)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return draws (count, K)."""
        chosen = torch.multinomial(self.weights(), count, replacement=True, generator=generator)
        noise = torch.randn(
            (count, self.mean.shape[1]),
            generator=generator,
            dtype=self.mean.dtype,
            device=self.mean.device,
        )
        return self.mean[chosen] + self.scale()[chosen] * noise

    def distribution(self) -> MixtureSameFamily:
        """Return p(z) as a `torch.distributions` object, event shape (K,)."""
        parts = Independent(Normal(self.mean, self.scale(), validate_args=False), 1)
        return MixtureSameFamily(
            Categorical(logits=self.logits, validate_args=False), parts, validate_args=False
        )
