"""Bad input, met at the door with one clear sentence."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.base import Model

Floats = NDArray[np.float64]
LARGEST_CODE = 1e6
LOGVAR_RANGE = (-60.0, 60.0)


def check_images(model: Model, x: Tensor) -> Tensor:
    """Return target images x (N, C, H, W) in the model's dtype and on its device.

    They are what the model scores: for a Bernoulli decoder `model.target(images, generator)`.
    """
    if not isinstance(x, torch.Tensor):
        x = torch.as_tensor(np.asarray(x))
    if x.ndim != 4 or tuple(x.shape[1:]) != tuple(model.shape):
        raise ExplorerError(
            f"This model reads images of shape (N, {', '.join(map(str, model.shape))}); "
            f"these have shape {tuple(x.shape)}."
        )
    if x.shape[0] == 0:
        raise ExplorerError("There are no images to analyse: the batch is empty.")
    if not x.is_floating_point():
        raise ExplorerError(
            "Pass the images that the model scores, in [0, 1]: model.target(images, generator)."
        )
    if not bool(torch.isfinite(x).all()):
        raise ExplorerError("The images hold NaN or infinite pixels.")
    return x.detach().to(model.reference)


def check_gaussian(model: Model) -> None:
    """Raise unless q(z|x) has a density: other codes have no KL and no log p(x) here."""
    if not model.is_continuous:
        raise ExplorerError(
            "This is a VQ-VAE: its code is a grid of categories, so there is no density q(z|x); "
            "KL to its uniform prior is a constant, and the Models page shows its codebook."
        )
    if not model.has_density:
        raise ExplorerError(
            "This is a plain autoencoder: its code has no density, so there is no KL, no ELBO "
            "and no log p(x) to compute."
        )


def check_standard_prior(model: Model) -> None:
    """Raise unless KL is to N(0, I), the only prior here that gives each dimension its share."""
    check_gaussian(model)
    if not model.prior.has_shares:
        raise ExplorerError(
            "This model has learned a mixture as its prior: KL to it has no share per dimension, "
            "so no single dimension can be said to have collapsed."
        )


def check_codes(mean: ArrayLike | Tensor, logvar: ArrayLike | Tensor) -> tuple[Floats, Floats]:
    """Return codes as float64 arrays (N, K) with finite, sensible entries."""
    mu, lv = as_array(mean), as_array(logvar)
    if mu.ndim != 2 or mu.shape != lv.shape:
        raise ExplorerError(
            f"Codes are two arrays of one shape (N, K); mean is {mu.shape}, logvar {lv.shape}."
        )
    if mu.size == 0:
        raise ExplorerError("There are no codes to analyse: the arrays are empty.")
    if not (np.isfinite(mu).all() and np.isfinite(lv).all()):
        raise ExplorerError("The codes hold NaN or infinite values.")
    if np.abs(mu).max() > LARGEST_CODE:
        raise ExplorerError(f"Posterior means beyond ±{LARGEST_CODE:g} are not supported.")
    low, high = LOGVAR_RANGE
    if lv.min() < low or lv.max() > high:
        raise ExplorerError(
            f"Posterior log-variances must lie between {low:g} and {high:g}; these reach "
            f"{lv.min():.4g} to {lv.max():.4g}. Is it a variance or a standard deviation?"
        )
    return mu, lv


def as_array(values: ArrayLike | Tensor) -> Floats:
    """Return values as a float64 NumPy array."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ExplorerError("These values are not an array of numbers.") from error


def as_pixels(images: NDArray[Any] | Tensor) -> Floats:
    """Return images (N, …) as float64 pixels (N, D) in [0, 1]; uint8 is divided by 255."""
    array = images.detach().cpu().numpy() if isinstance(images, Tensor) else np.asarray(images)
    if array.ndim < 2 or not array.size:
        raise ExplorerError("Images are an array (N, …) with at least one image.")
    flat = array.reshape(len(array), -1).astype(np.float64)
    if array.dtype == np.uint8:
        flat /= 255
    if not np.isfinite(flat).all():
        raise ExplorerError("The images hold NaN or infinite pixels.")
    return flat


class Record:
    """What is nothing but its fields, as its public form too."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, JSON-compatible, by field."""
        return plain(vars(self))


def plain(value: Any) -> Any:
    """Return arrays, NumPy scalars and nested dataclasses as JSON-compatible values.

    A number that is not finite becomes None, since JSON has no NaN.
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
