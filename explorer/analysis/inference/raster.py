"""Weighted lattice nodes as a density on a raster, and the levels that hold a given mass."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats


def raster_density(
    points: ArrayLike, weights: ArrayLike, spacing: float, *axes: ArrayLike
) -> Floats:
    """Return the density of nodes (M, K) with masses (M,) at the raster of K axes, K ≤ 2.

    Shape (len(x),) for one axis, (len(y), len(x)) for two. Each node is a tent as wide as the
    lattice's spacing, or as the raster's where that is wider: on a uniform lattice that is linear
    interpolation, and no mass falls between two nodes of the raster.
    """
    z, mass = np.asarray(points, float), np.asarray(weights, float)
    tents = []
    for k, axis in enumerate(axes):
        places = np.asarray(axis, float)
        width = max(spacing, float(np.diff(places).max())) if len(places) > 1 else spacing
        distance = np.abs(places[:, None] - z[:, k]) / width
        tents.append(np.maximum(1 - distance, 0.0) / width)
    if len(tents) == 1:
        return tents[0] @ mass
    return (tents[1] * mass) @ tents[0].T


def mass_levels(density: ArrayLike, masses: ArrayLike) -> Floats:
    """Return for each mass in (0, 1) the density above which that share of the raster's mass lies.

    Highest-density regions, shape of `masses`; on equal cells.
    """
    values = np.sort(np.asarray(density, float).ravel())[::-1]
    below = np.cumsum(values)
    if not below[-1] > 0:
        return np.zeros(np.shape(masses))
    places = np.searchsorted(below / below[-1], np.asarray(masses, float))
    return np.asarray(values[np.minimum(places, len(values) - 1)])


def frame_nodes(points: ArrayLike, weights: ArrayLike, tail: float = 1e-3) -> Floats:
    """Return the smallest and largest coordinate that matter, (K, 2): `tail` of the mass beyond."""
    z, mass = np.asarray(points, float), np.asarray(weights, float)
    edges = np.empty((z.shape[1], 2))
    for k in range(z.shape[1]):
        order = np.argsort(z[:, k])
        share = np.cumsum(mass[order]) / mass.sum()
        last = len(order) - 1
        edges[k] = (
            z[order[min(int(np.searchsorted(share, tail)), last)], k],
            z[order[min(int(np.searchsorted(share, 1 - tail)), last)], k],
        )
    return edges


def frame_square(
    points: ArrayLike, weights: ArrayLike, nodes: int, *, margin: float = 0.2, least: float = 0.02
) -> tuple[Floats, Floats]:
    """Return the two axes (nodes,) of a square that holds nearly all mass of points (M, 2).

    `margin` is the free share of the side on either side of it, `least` the smallest side.
    """
    (left, right), (low, high) = frame_nodes(points, weights)
    half = (0.5 + margin) * max(right - left, high - low, least)
    offsets = np.linspace(-half, half, nodes)
    return (left + right) / 2 + offsets, (low + high) / 2 + offsets


def is_outside(places: ArrayLike, points: ArrayLike, weights: ArrayLike) -> NDArray[np.bool_]:
    """Return which places (N, K) lie beyond the coordinates between which the nodes' mass lies."""
    edges = frame_nodes(points, weights)
    z = np.asarray(places, float)
    return np.asarray(((z < edges[:, 0]) | (z > edges[:, 1])).any(1))
