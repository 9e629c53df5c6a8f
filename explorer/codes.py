"""Codes of images as arrays: what each dimension is called and costs, which show most."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Codes:
    """Encoded images: mean and logvar (N, K), labels (N,) or None, ids (N,) of the images.

    Categorical codes have `indices` (N, P), one entry of the codebook per position, and an empty
    mean (N, 0): category numbers are no coordinates.
    """

    mean: Array
    logvar: Array | None
    labels: Array | None
    ids: Array
    indices: Array | None = None


LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def latent_name(index: int) -> str:
    """Return what latent `index`, from 0, is called wherever a reader meets it: z₁, z₂, …

    Tables to be read by programs keep the plain `z1` in their headings.

    >>> latent_name(0), latent_name(11)
    ('z₁', 'z₁₂')
    """
    return f"z{index + 1}".translate(LOW)


def threshold_name(index: int) -> str:
    """Return what the β below which direction `index`, from 0, earns its KL is called: λ₁, λ₂, …

    >>> threshold_name(1)
    'λ₂'
    """
    return f"λ{index + 1}".translate(LOW)


def kl_of_codes(mean: Array, logvar: Array) -> Array:
    """Return KL(N(mean, e^logvar) ‖ N(0, 1)) per image and dimension, (…, K), in nats.

    ½(μ² + e^lv − 1 − lv), with expm1 so that it keeps its digits near 0 (Kingma and Welling 2014,
    App. B); the same in torch is `models.priors.gaussian_kl`. Beyond what a float holds it is ∞.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        kl: Array = 0.5 * (np.expm1(logvar) - logvar + np.square(mean))
    return kl


def main_dimensions(mean: Array, logvar: Array | None, has_shares: bool = True) -> tuple[int, int]:
    """Return the two dimensions with the most KL, from codes (N, K); of two or fewer, (0, 1).

    Without logvar, or against a prior that gives a dimension no KL of its own (`has_shares`), it is
    the two with the widest means.
    """
    if mean.shape[1] <= 2:
        return 0, 1
    with np.errstate(over="ignore", invalid="ignore"):
        if logvar is None or not has_shares:
            worth = mean.var(0)
        else:
            worth = kl_of_codes(mean, logvar).mean(0)
    first, second = np.argsort(-worth, kind="stable")[:2]
    return int(first), int(second)


def match_latents(reference: Array, other: Array) -> tuple[Array, Array]:
    """Return (order (K,), sign (K,)) such that other[:, order] · sign lies closest to reference.

    Both are codes (N, K) of the same images. The assignment maximises the sum of absolute
    correlations (Hungarian method); latents without variance are left over.
    """
    _, order, sign = _assign(reference, other)
    return order, sign


def _assign(reference: Array, other: Array) -> tuple[Array, Array, Array]:
    """Return which dimensions of `reference` have a match, which one, and its sign."""

    def standardise(codes: Array) -> Array:
        spread = codes.std(0)
        return (codes - codes.mean(0)) / np.where(spread > 1e-8, spread, np.inf)

    correlation = standardise(reference).T @ standardise(other) / max(1, len(reference))
    rows, order = assign(-np.abs(correlation))
    sign = np.sign(correlation[rows, order])
    return rows, order, np.where(sign == 0, 1.0, sign).astype(np.float32)


def assign(cost: Array) -> tuple[Array, Array]:
    """Return (rows, columns) of the one-to-one assignment whose sum over `cost` (R, C) is least.

    Rows ascend, and min(R, C) of them have a column. By shortest augmenting paths (Jonker and
    Volgenant 1987), one row after the other: SciPy's does the same, and takes 40 MB of a server.
    """
    if not np.isfinite(cost).all():
        raise ValueError("A cost is NaN or infinite.")
    if cost.shape[0] > cost.shape[1]:
        columns, rows = assign(cost.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    cost = np.asarray(cost, np.float64)
    height, width = cost.shape
    of_row, of_column = np.zeros(height), np.zeros(width)  # What each costs less than it might.
    holder = np.full(width, -1)
    for row in range(height):
        shortest, before = np.full(width, np.inf), np.full(width, -1)
        is_open = np.ones(width, bool)
        at, way, column = row, 0.0, -1
        path: list[tuple[int, int]] = []
        while at >= 0:
            path.append((at, column))
            reach = way + cost[at] - of_row[at] - of_column
            nearer = is_open & (reach < shortest)
            shortest[nearer], before[nearer] = reach[nearer], column
            column = int(np.where(is_open, shortest, np.inf).argmin())
            way, is_open[column], at = float(shortest[column]), False, int(holder[column])
        for passed, entered in path:
            of_row[passed] += way - (shortest[entered] if entered >= 0 else 0.0)
        closed = ~is_open
        of_column[closed] -= way - shortest[closed]
        while column >= 0:
            former = int(before[column])
            holder[column] = row if former < 0 else holder[former]
            column = former
    columns = np.flatnonzero(holder >= 0)
    order = np.argsort(holder[columns])
    return holder[columns][order], columns[order]


def lay_on_axes(
    target: Array, main: tuple[int, int], codes: Array
) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return the dimensions of `codes` that lie closest to two of `target`, and their signs.

    Both are codes (N, K) of the same images; K may differ. −1 stands where a model has no dimension
    for an axis. Dimensions are put in order, never turned: that would be another posterior.
    """
    axes = [axis for axis in main if axis < target.shape[1]]
    if codes.shape[1] == target.shape[1]:
        order, sign = match_latents(target, codes)
        found = {axis: (int(order[axis]), float(sign[axis])) for axis in axes}
    else:
        rows, order, sign = _assign(target[:, axes], codes)
        places = zip(rows, order, sign, strict=True)
        found = {axes[row]: (int(column), float(way)) for row, column, way in places}
    (first, one), (second, other) = (found.get(axis, (-1, 1.0)) for axis in main)
    return (first, second), (one, other)
