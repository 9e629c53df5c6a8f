"""A log point: its KL, refused where it cannot be, and what a line that somebody wrote lacks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.codes import kl_of_codes
from explorer.errors import ExplorerError
from explorer.runs.arrays import as_floats, as_number, mean_over_images
from explorer.runs.fields import LARGEST_WHOLE, is_number, is_text

NEEDED = ("step", "seconds", "elbo", "reconstruction")
"""What every log point has."""
IF_KNOWN = ("images", "beta", "objective")
"""Figures that may be missing, or null: a β that nobody stated is unknown."""
ROUNDING = 1e-3
"""Nats by which a computed KL may lie below 0 in half precision."""


def check_step(step: Any) -> int:
    """Return a step as a whole number; ExplorerError for what is none from 0."""
    number = as_number(step, "step") if not isinstance(step, int) else step
    if not 0 <= number <= LARGEST_WHOLE or int(number) != number:
        raise ExplorerError(f"A step is a whole number from 0; it is {step!r}.")
    return int(number)


def as_count(images: Any) -> float:
    """Return how many images have been seen, whole where it is."""
    count = as_number(images, "images")
    return int(count) if count.is_integer() else count


def find_kl(latent_dim: int, mean: Any, logvar: Any, kl_per_dim: Any, kl: Any) -> dict[str, Any]:
    """Return `kl`, and `kl_per_dim` where it is known; nothing where there is no KL.

    ExplorerError for codes that are not (B, latent_dim), for shares of another number, and for a
    KL per dimension that is negative, which none to N(0, I) can be.
    """
    if mean is not None and logvar is not None:
        kl_per_dim = _kl_of_batch(latent_dim, mean, logvar)
    if kl_per_dim is None:
        return {} if kl is None else {"kl": mean_over_images(kl, "kl")}
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


def find_costs(
    point: Mapping[str, Any], beta: Any, objective: Any, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `elbo`, `beta` and `objective` where they are known, and further numbers by name."""
    cost = point["reconstruction"], point.get("kl", 0.0)
    found: dict[str, Any] = {"elbo": -sum(cost)}
    if beta is not None:
        found["beta"] = as_number(beta, "beta")
        found["objective"] = cost[0] + found["beta"] * cost[1]
    if objective is not None:
        found["objective"] = as_number(objective, "objective")
    if "elbo" in extra:
        raise ExplorerError("elbo is computed here from reconstruction and KL.")
    for name, value in extra.items():
        found[name] = value if isinstance(value, int) else as_number(value, name)
    return found


def check_finite(point: Mapping[str, Any]) -> None:
    """Refuse a log point of which a figure is not finite."""
    numbers = [value for value in point.values() if type(value) in (int, float)]
    if not all(map(is_number, [*numbers, *point.get("kl_per_dim", [])])):
        raise ExplorerError(f"A figure of step {point['step']} is not finite; it was not logged.")


def _kl_of_batch(latent_dim: int, mean: Any, logvar: Any) -> Any:
    mu, lv = as_floats(mean), as_floats(logvar)
    if mu.ndim != 2 or mu.shape != lv.shape or mu.shape[1] != latent_dim or not len(mu):
        raise ExplorerError(
            f"mean and logvar of a batch are both (B, {latent_dim}); mean is {mu.shape}, logvar "
            f"{lv.shape}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        return kl_of_codes(mu, lv).mean(0)


def find_fault(point: Any, latent_dim: int) -> str | None:
    """Say what a line of a log lacks to be a log point; None of one that pages can show."""
    if not isinstance(point, dict):
        return "it is no table of figures"
    wrong = next((key for key in NEEDED if not is_number(point.get(key))), None)
    if wrong is not None:
        return f"{wrong} must be a finite number"
    step = point["step"]
    if not isinstance(step, int) or step < 0:
        return "step must be a whole number from 0"
    if not is_text(point.get("split", "")):
        return "split must be text"
    known = (key for key in IF_KNOWN if point.get(key) is not None)
    wrong = next((key for key in known if not is_number(point[key])), None)
    if wrong is not None:
        return f"{wrong} must be a finite number, or null"
    wrong = next((key for key in ("kl", "control") if not is_number(point.get(key, 0))), None)
    if wrong is not None:
        return f"{wrong} must be a finite number where it is there"
    if "kl_per_dim" not in point:
        return None
    kl = point["kl_per_dim"]
    if not (isinstance(kl, list) and len(kl) == latent_dim and all(map(is_number, kl))):
        return f"kl_per_dim must be {latent_dim:,} finite numbers, one per latent dimension"
    return None if "kl" in point else "kl_per_dim needs kl, its sum, beside it"
