"""A log point's KL: from codes, per dimension or as a total, refused where it cannot be."""

from typing import Any

import numpy as np

from explorer.codes import kl_of_codes
from explorer.errors import ExplorerError
from explorer.runs.arrays import as_floats

ROUNDING = 1e-3
"""Nats by which a computed KL may lie below 0 in half precision."""


def find_kl(
    latent_dim: int, mean: Any, logvar: Any, kl_per_dim: Any, kl: float | None
) -> dict[str, Any]:
    """Return `kl`, and `kl_per_dim` where it is known; nothing where there is no KL.

    ExplorerError for codes that are not (B, latent_dim), for shares of another number, and for a
    KL per dimension that is negative, which none to N(0, I) can be.
    """
    if mean is not None and logvar is not None:
        kl_per_dim = _kl_of_batch(latent_dim, mean, logvar)
    if kl_per_dim is None:
        return {} if kl is None else {"kl": float(kl)}
    per_dim = as_floats(kl_per_dim)
    if per_dim.shape != (latent_dim,):
        raise ExplorerError(
            f"KL per dimension has shape {per_dim.shape}; this run has {latent_dim} latent "
            "dimensions."
        )
    if (per_dim < -ROUNDING).any():
        raise ExplorerError(
            f"A KL per dimension of {per_dim.min():.4g} is negative, which no KL to N(0, I) is: "
            "log it without the minus sign; an estimate against another prior goes in as kl=…"
        )
    return {"kl": float(per_dim.sum()), "kl_per_dim": [float(value) for value in per_dim]}


def _kl_of_batch(latent_dim: int, mean: Any, logvar: Any) -> Any:
    mu, lv = as_floats(mean), as_floats(logvar)
    if mu.ndim != 2 or mu.shape != lv.shape or mu.shape[1] != latent_dim or not len(mu):
        raise ExplorerError(
            f"mean and logvar of a batch are both (B, {latent_dim}); mean is {mu.shape}, logvar "
            f"{lv.shape}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        return kl_of_codes(mu, lv).mean(0)
