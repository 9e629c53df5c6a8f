"""Moving through the latent space: traversals, interpolations and decoded grids."""

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.analysis.checks import Floats, as_array, check_codes
from explorer.errors import ExplorerError
from explorer.models.base import Model

CHUNK_CODES = 1024
INTERPOLATIONS = ("lerp", "slerp")
MAX_GRID = 400


def decode_codes(model: Model, z: ArrayLike | Tensor) -> np.ndarray:
    """Return the mean images x̂ (M, C, H, W), float32, of codes z (M, K)."""
    codes = as_array(z)
    if codes.ndim != 2 or codes.shape[1] != model.latent_dim:
        raise ExplorerError(
            f"Codes have shape (M, {model.latent_dim}) for this model; these are {codes.shape}."
        )
    if not np.isfinite(codes).all():
        raise ExplorerError("The codes hold NaN or infinite values.")
    tensor = torch.from_numpy(codes).to(model.reference)
    with torch.no_grad():
        parts = [
            model.decode(tensor[i : i + CHUNK_CODES]).mean.float().cpu().numpy()
            for i in range(0, len(tensor), CHUNK_CODES)
        ]
    return np.concatenate(parts) if parts else np.zeros((0, *model.shape), np.float32)


def decode_draws(
    model: Model, mean: ArrayLike, sigma: ArrayLike, count: int, seed: int = 0
) -> np.ndarray:
    """Return mean images (count, C, H, W) of the draws z = μ + σε, ε ~ N(0, I), of one q(z|x).

    `mean` (K,) and `sigma` (K,) or one number; the same seed gives the same ε whatever σ is.
    """
    centre = as_array(mean).reshape(-1)
    noise = np.random.default_rng(seed).standard_normal((count, len(centre)))
    return decode_codes(model, centre + as_array(sigma) * noise)


def linear_components(model: Model) -> np.ndarray:
    """Return what one unit of each latent adds to a linear decoder's output, (K, C, H, W)."""
    layers = [layer for layer in model.decoder.modules() if not list(layer.children())]
    layers = [layer for layer in layers if not isinstance(layer, torch.nn.Unflatten)]
    if len(layers) != 1 or not isinstance(layers[0], torch.nn.Linear):
        raise ExplorerError("Only a linear decoder has components.")
    pixels = math.prod(model.shape)
    weight = layers[0].weight.detach().cpu().double().numpy()[:pixels]
    return np.asarray(weight.T.reshape(-1, *model.shape))


def traverse(model: Model, z: ArrayLike | Tensor, dimension: int, values: ArrayLike) -> np.ndarray:
    """Return images (V, C, H, W) of code z (K,) with z_dimension set to each of values (V,)."""
    code = as_array(z).reshape(-1)
    if not 0 <= dimension < model.latent_dim:
        raise ExplorerError(
            f"The dimension must be from 0 to {model.latent_dim - 1}; it is {dimension}."
        )
    steps = np.atleast_1d(as_array(values))
    codes = np.repeat(code[None], len(steps), 0)
    codes[:, dimension] = steps
    return decode_codes(model, codes)


def traverse_aggregate(
    model: Model, mean: ArrayLike, logvar: ArrayLike, dimension: int, count: int = 9
) -> tuple[Floats, np.ndarray]:
    """Return values (V,) and images (V, C, H, W) of one dimension moved over the aggregate's range.

    The aggregate of codes mean, logvar (N, K) has variance Var μ + E σ² in each dimension; the
    values are its mean ± 2 standard deviations, the other dimensions stay at their means. So a
    collapsed dimension is moved as far as a used one: over the whole prior.
    """
    mu, lv = check_codes(mean, logvar)
    centre = mu.mean(0)
    spread = np.sqrt(mu.var(0) + np.exp(lv).mean(0))[dimension]
    values = centre[dimension] + spread * np.linspace(-2, 2, count)
    return values, traverse(model, centre, dimension, values)


def interpolate(start: ArrayLike, end: ArrayLike, steps: int, kind: str = "lerp") -> Floats:
    """Return codes (steps, K) from `start` to `end` (K,), both included.

    lerp is the straight line. slerp follows the great circle (Shoemake 1985; White 2016), which
    keeps the length of codes of equal length; for nearly parallel codes it is the line.

    >>> interpolate([1.0, 0.0], [0.0, 1.0], 3, "slerp").round(4).tolist()
    [[1.0, 0.0], [0.7071, 0.7071], [0.0, 1.0]]
    """
    a, b = as_array(start).reshape(-1), as_array(end).reshape(-1)
    if kind not in INTERPOLATIONS:
        raise ExplorerError(f"kind must be one of {', '.join(INTERPOLATIONS)}; it is {kind!r}.")
    if a.shape != b.shape or steps < 2:
        raise ExplorerError("Interpolation needs two codes of one length and at least 2 steps.")
    t = np.linspace(0, 1, steps)[:, None]
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.clip(a @ b / lengths, -1, 1) if lengths > 0 else 1.0
    angle = float(np.arccos(cosine))
    if kind == "lerp" or np.sin(angle) < 1e-6:
        return (1 - t) * a + t * b
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def grid_codes(
    size: int,
    extent: float = 3.0,
    *,
    dimensions: tuple[int, int] = (0, 1),
    base: ArrayLike | None = None,
    latent_dim: int = 2,
) -> Floats:
    """Return codes (size², latent_dim) of a square grid, top row first, left to right.

    The two chosen dimensions run over ±extent, the others stay at `base` (default 0).
    """
    if not 1 <= size <= MAX_GRID:
        raise ExplorerError(f"A grid has 1 to {MAX_GRID} images a side; {size} were asked for.")
    first, second = dimensions
    within = 0 <= first < latent_dim and 0 <= second < latent_dim
    if latent_dim > 1 and not (within and first != second):
        raise ExplorerError(f"Two different dimensions below {latent_dim} span a grid.")
    origin = np.zeros(latent_dim) if base is None else as_array(base).reshape(-1)
    codes = np.repeat(origin[None], size * size, 0)
    axis = np.linspace(-extent, extent, size) if size > 1 else np.zeros(1)
    horizontal, vertical = np.meshgrid(axis, axis[::-1])
    codes[:, first] = horizontal.ravel()
    if latent_dim > 1:
        codes[:, second] = vertical.ravel()
    return codes


def decode_grid(
    model: Model,
    size: int,
    extent: float = 3.0,
    *,
    dimensions: tuple[int, int] = (0, 1),
    base: ArrayLike | None = None,
) -> np.ndarray:
    """Return the decoded manifold (size, size, C, H, W): rows from +extent down, columns up."""
    codes = grid_codes(size, extent, dimensions=dimensions, base=base, latent_dim=model.latent_dim)
    return decode_codes(model, codes).reshape(size, size, *model.shape)
