"""p(z): what codes are drawn from, and what q(z|x) is held against.

Shapes: C components, K latents, M codes, B images. A prior answers for itself what KL to it is:
N(0, I) in closed form and per dimension; a learned mixture of normals in total alone, by draws of q
(Dilokthanakul et al. 2016 and Tomczak and Welling 2018 use such priors); the uniform prior of a
codebook is held against nothing, since its code is certain.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal
from torch.nn import functional

from explorer.models.networks import bound_logvar

START_SPREAD = 1.5
"""Standard deviation of the first means: apart, yet within reach of the first codes."""
LOG_2PI = math.log(2 * math.pi)


class KL(NamedTuple):
    """KL(q‖p) of B images in nats: `per_dim` (B, K), or where there is no such share `sampled`.

    `sampled` (B,) is log q − log p at the draws of q that were handed over, an unbiased estimate.
    """

    per_dim: Tensor | None
    sampled: Tensor | None = None

    @property
    def parts(self) -> Tensor:
        """What adds up to it: per dimension (B, K), or as one part (B, 1)."""
        if self.per_dim is not None:
            return self.per_dim
        assert self.sampled is not None
        return self.sampled[:, None]

    @property
    def total(self) -> Tensor:
        """KL over all dimensions, (B,)."""
        return self.parts.sum(1)


class Prior(nn.Module, ABC):
    """Base: p(z) over codes of `latent_dim` numbers."""

    name: ClassVar[str]
    has_shares: ClassVar[bool] = False
    """KL(q‖p) of a diagonal normal q is known in closed form, and per dimension."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    @abstractmethod
    def distribution(self) -> Distribution:
        """Return p(z) as a `torch.distributions` object, event shape (K,)."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Return log p(z), (…,), in nats, for codes z (…, K) in their own precision."""

    @abstractmethod
    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return draws (count, K); `generator` lives on the prior's device."""

    def kl(self, mean: Tensor, logvar: Tensor, z: Tensor | None = None) -> KL:
        """Return KL(N(mean, e^logvar)‖p) for mean, logvar (B, K), from draws z of q (L·B, K).

        z is copy-major; the L draws of an image are averaged. A closed form needs none.
        """
        if z is None:
            raise ValueError(f"KL to a {self.name} prior is estimated at draws of q: hand over z.")
        copies = z.view(-1, *mean.shape)
        return KL(None, (log_normal(copies, mean, logvar) - self.log_prob(copies)).mean(0))

    def normal_kl(self, mean: Tensor, cholesky: Tensor) -> Tensor | None:
        """Return KL(N(mean, LLᵀ)‖p), (N,), for L (N, K, K); None where it has no closed form."""
        return None

    def log_ratio(self, z: Tensor, noise: Tensor) -> Tensor:
        """Return log p(z) − log N(ε; 0, I), (…,), for codes z = μ + Lε and their noise (…, K).

        Less ln|L| this is log p(z) − log q(z), with q's density written in its own noise.
        """
        squares = noise.square().sum(-1)
        return self.log_prob(z) + 0.5 * (squares + z.shape[-1] * LOG_2PI)

    def largest_precision(self) -> float:
        """Return the largest precision 1/s² that p(z) has anywhere, along any axis."""
        return 1.0

    def describe(self) -> dict[str, Any] | None:
        """Return its numbers as the browser's counterpart reads them; None for N(0, I)."""
        return None


class StandardNormal(Prior):
    """N(0, I)."""

    name = "standard"
    has_shares = True

    def __init__(self, latent_dim: int) -> None:
        super().__init__(latent_dim)
        # Says where and in which precision draws are wanted.
        self.register_buffer("place", torch.zeros(()), persistent=False)
        self.place: Tensor

    def distribution(self) -> Distribution:
        """Return N(0, I), event shape (K,)."""
        zeros = self.place.expand(self.latent_dim)
        return Independent(Normal(zeros, torch.ones_like(zeros), validate_args=False), 1)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return −½(‖z‖² + K ln 2π)."""
        return -0.5 * (z.square().sum(-1) + z.shape[-1] * LOG_2PI)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return standard normal draws (count, K)."""
        shape, place = (count, self.latent_dim), self.place
        return torch.randn(shape, generator=generator, dtype=place.dtype, device=place.device)

    def kl(self, mean: Tensor, logvar: Tensor, z: Tensor | None = None) -> KL:
        """Return KL per dimension in closed form; draws are not needed."""
        return KL(gaussian_kl(mean, logvar))

    def normal_kl(self, mean: Tensor, cholesky: Tensor) -> Tensor:
        """Return ½(‖L‖² + ‖m‖² − K) − ln|L|."""
        return normal_kl(mean, cholesky)

    def log_ratio(self, z: Tensor, noise: Tensor) -> Tensor:
        """Return ½(‖ε‖² − ‖z‖²): the 2π cancel exactly."""
        return 0.5 * (noise.square() - z.square()).sum(-1)


class MixturePrior(Prior):
    """C diagonal normals over K latents with weights π; all of it learned."""

    name = "mixture"

    def __init__(self, components: int, latent_dim: int) -> None:
        super().__init__(latent_dim)
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
        """Return log Σ_c π_c N(z; m_c, s_c²)."""
        mean, logvar = self.mean.to(z), bound_logvar(self.raw_logvar.to(z))
        squared = (z.unsqueeze(-2) - mean).square() * torch.exp(-logvar)
        log_part = -0.5 * (squared + logvar + LOG_2PI).sum(-1)
        return torch.logsumexp(log_part + functional.log_softmax(self.logits.to(z), 0), -1)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return draws (count, K)."""
        chosen = torch.multinomial(self.weights(), count, replacement=True, generator=generator)
        noise = torch.randn(
            (count, self.latent_dim),
            generator=generator,
            dtype=self.mean.dtype,
            device=self.mean.device,
        )
        return self.mean[chosen] + self.scale()[chosen] * noise

    def distribution(self) -> MixtureSameFamily:
        """Return the mixture, event shape (K,)."""
        parts = Independent(Normal(self.mean, self.scale(), validate_args=False), 1)
        return MixtureSameFamily(
            Categorical(logits=self.logits, validate_args=False), parts, validate_args=False
        )

    def largest_precision(self) -> float:
        """Return that of the narrowest component."""
        return float(self.scale().detach().min()) ** -2

    def describe(self) -> dict[str, Any]:
        """Return the weights, means and standard deviations."""
        parts = {"weights": self.weights(), "mean": self.mean, "scale": self.scale()}
        return {name: value.detach().cpu().tolist() for name, value in parts.items()}


class UniformCodes(Prior):
    """Every entry of a codebook of S alike, at each of P positions: a VQ-VAE's prior."""

    name = "uniform"

    def __init__(self, entries: int, positions: int) -> None:
        super().__init__(positions)
        self.entries = entries
        self.register_buffer("place", torch.zeros(()), persistent=False)
        self.place: Tensor

    def distribution(self) -> Distribution:
        """Return the uniform distribution over indices, event shape (P,)."""
        logits = self.place.expand(self.latent_dim, self.entries)
        return Independent(Categorical(logits=logits, validate_args=False), 1)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return −P·ln S, (…,), for indices z (…, P)."""
        each = torch.full(z.shape, float(self.entries), device=z.device)
        return -each.log().sum(-1)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return indices (count, P), each entry as likely as any."""
        shape = (count, self.latent_dim)
        return torch.randint(self.entries, shape, generator=generator, device=self.place.device)


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mean, e^logvar) ‖ N(0, 1)) per dimension, same shape, in nats.

    ½(μ² + e^lv − 1 − lv), with expm1 so that it keeps its digits near 0 (Kingma and Welling 2014,
    App. B); the same in numpy is `codes.kl_of_codes`.
    """
    return 0.5 * (torch.expm1(logvar) - logvar + mean.square())


def log_normal(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return log N(z; mean, e^logvar), (…,), in nats, for codes z (…, K)."""
    squared = (z - mean).square() * torch.exp(-logvar)
    return -0.5 * (squared + logvar + LOG_2PI).sum(-1)


def normal_kl(mean: Tensor, cholesky: Tensor) -> Tensor:
    """Return KL(N(mean, LLᵀ)‖N(0, I)), (N,), nats, from mean (N, K) and L (N, K, K)."""
    diagonal = torch.diagonal(cholesky, dim1=-2, dim2=-1)
    squares = cholesky.square().sum((-2, -1)) + mean.square().sum(-1)
    return 0.5 * (squares - mean.shape[-1]) - diagonal.abs().log().sum(-1)
