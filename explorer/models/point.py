"""The code of a plain autoencoder as a distribution object, so that it reads like q(z|x)."""

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints


class Point(Distribution):
    """All mass at `location` (B, K), or a ball of fixed noise around it; it has no density.

    `noise` is the standard deviation added by `rsample`: an autoencoder with fixed noise.
    """

    arg_constraints = {"location": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, location: Tensor, noise: float = 0.0) -> None:
        self.location = location
        self.noise = noise
        super().__init__(location.shape[:-1], location.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """The point itself, (B, K)."""
        return self.location

    @property
    def variance(self) -> Tensor:
        """The fixed noise's variance, (B, K)."""
        return torch.full_like(self.location, self.noise**2)

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Return samples of shape sample_shape + (B, K)."""
        location = self.location.expand(torch.Size(sample_shape) + self.location.shape)
        return location + self.noise * torch.randn_like(location) if self.noise else location
