"""What holds wherever training of q's spread has come to rest, and the β that follows.

With z = μ + σε and ∂_i the derivative of −log p(x|z), the loss E_q[−log p(x|z)] + β·KL(q‖N(0, I))
changes with ln σ_i by E[ε_i σ_i ∂_i] − β(1 − σ_i²). The last bias of the encoder's spread head
moves ln σ_i of all images at once, so that at rest Σ_n E[ε_i σ_i ∂_i] = β Σ_n (1 − σ_i²): β is
read off the weights, for each dimension and for any group of images that the head tells apart.
With the curvature C_i = E[ε_i ∂_i]/σ_i of −log p(x|z) this is 1/σ_i² = 1 + C_i/β.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
GROUPS = 4
"""Images of a dimension are told apart by their spread into so many groups of equal size."""
FEWEST = 8
"""Images in a group."""
FAR = 5.0
"""|ln| of a group's share of β that counts as its worst: it has another sign, or none."""
QUIET = 0.01
"""Variance of a dimension's means below which it tells nothing of β."""
CHUNK_VALUES = 8_000_000


@dataclass(frozen=True)
class Balance:
    """Per image and dimension, (N, K): what reconstruction asks of ln σ, and what KL gives."""

    pull: Floats
    """E[ε_i σ_i ∂_i] in nats."""
    room: Floats
    """1 − σ_i²."""
    logvar: Floats
    active: NDArray[np.bool_]
    """(K,): dimensions whose means vary."""

    def beta_per_dim(self) -> Floats:
        """Return β of each active dimension, from all images together."""
        return self.pull[:, self.active].sum(0) / _away(self.room[:, self.active].sum(0))

    def beta(self) -> float | None:
        """Return the median β over active dimensions, None without any."""
        found = self.beta_per_dim()
        return float(np.median(found)) if found.size else None

    def beta_per_group(self) -> Floats:
        """Return β of every group of images with alike spread in every active dimension."""
        found = []
        groups = max(1, min(GROUPS, len(self.pull) // FEWEST))
        for dim in np.flatnonzero(self.active):
            order = np.argsort(self.logvar[:, dim], kind="stable")
            for rows in np.array_split(order, groups):
                room = _away(self.room[rows, dim].sum())
                found.append(float(self.pull[rows, dim].sum() / room))
        return np.array(found)

    def incoherence(self) -> float | None:
        """Return how far the groups disagree about β: the root mean square of ln(β_g/β).

        Near 0 for the right reading of a trained model; None where no dimension is active.
        """
        found = self.beta_per_group()
        if not found.size:
            return None
        middle = np.median(found)
        if middle <= 0:
            return FAR
        logs = np.log(np.clip(found / middle, np.exp(-FAR), np.exp(FAR)))
        return float(np.sqrt(np.mean(logs**2)))


def _away(values: Floats) -> Floats:
    """Return values that may be divided by."""
    return np.where(np.abs(values) < 1e-12, 1e-12, values)


def measure_balance(
    nll: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    mean: Tensor,
    logvar: Tensor,
    *,
    pairs: int = 8,
    seed: int = 0,
) -> Balance:
    """Return the balance of codes mean, logvar (N, K) of targets x (N, C, H, W).

    `nll(z, x)` gives −log p(x|z) (B,) with gradients in z. Each of `pairs` draws is taken with its
    mirror image.
    """
    generator = torch.Generator(mean.device).manual_seed(seed)
    sd = torch.exp(0.5 * logvar)
    pull = torch.zeros_like(mean, dtype=torch.float64)
    step = max(1, CHUNK_VALUES // max(1, x[0].numel() * 8))
    for _ in range(pairs):
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
        for epsilon in (noise, -noise):
            for at in range(0, len(x), step):
                part = slice(at, at + step)
                z = (mean[part] + sd[part] * epsilon[part]).detach().requires_grad_(True)
                with torch.enable_grad():
                    (slope,) = torch.autograd.grad(nll(z, x[part]).sum(), z)
                pull[part] += (epsilon[part] * sd[part] * slope).double()
    pull /= 2 * pairs
    return Balance(
        pull.cpu().numpy(),
        -torch.expm1(logvar.double()).cpu().numpy(),
        logvar.double().cpu().numpy(),
        (mean.double().var(0, correction=0) > QUIET).cpu().numpy(),
    )
