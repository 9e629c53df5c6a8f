"""The repulsion of t-SNE on a grid: what openTSNE's objective is, with two Fourier transforms.

U(y) = Σ_j 1 / (1 + |y − y_j|²) holds all of it: Z is the sum of U over the points less their own
terms, and the force on a point is −∇U / 2. Points are spread on nodes by cubic B-splines, U comes
from one product of transforms, and is read off by the same splines (Essmann et al. 1995), whose own
transform is divided out twice. Interpolation as Linderman et al. (2019) do it transforms the
kernel and four charges each time, on a finer grid, for a larger error.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

SPACING = 0.4
"""Between nodes. Forces on 10,000 codes are within 2 %, where openTSNE's own grid is within 3.5."""

MOST_NODES = 1024
"""Along a side; a wider embedding has nodes that are further apart."""

MARGIN = 4
STEP = 16
"""Sides grow by so many nodes, so that a kernel's transform is made rarely."""

Array = NDArray[Any]


class GridRepulsion:
    """An objective for openTSNE's `negative_gradient_method`, for two dimensions and dof = 1."""

    def __init__(self) -> None:
        self._kernel: tuple[tuple[int, float], Array] | None = None

    def __call__(
        self,
        embedding: Array,
        P: Any,
        n_jobs: int = 1,
        should_eval_error: bool = False,
        **_: Any,
    ) -> tuple[float, Array]:
        """Return the divergence KL(P‖Q), 0 unless asked for, and its gradient (N, 2)."""
        from openTSNE._tsne import estimate_positive_gradient_nn

        points = np.ascontiguousarray(embedding, np.float64).view(np.ndarray)
        forces, total = self.repel(points)
        gradient = np.ascontiguousarray(-forces / total)
        attracted, divergence = estimate_positive_gradient_nn(
            P.indices,
            P.indptr,
            P.data,
            points,
            points,
            gradient,
            1.0,
            num_threads=n_jobs,
            should_eval_error=should_eval_error,
        )
        if should_eval_error:
            divergence += attracted * np.log(total)
        return divergence, gradient

    def repel(self, points: Array) -> tuple[Array, float]:
        """Return Σ_j d / (1 + |d|²)² (N, 2), d = y_i − y_j, and Z = Σ_{i≠j} 1 / (1 + |d|²)."""
        low, extent = points.min(0), float(np.ptp(points, axis=0).max())
        spacing = max(SPACING, extent / (MOST_NODES - 2 * MARGIN))
        side = STEP * -(-(int(extent / spacing) + MARGIN) // STEP)
        at = (points - low) / spacing
        node = at.astype(np.int32)
        weight, slope = _splines(at - node)
        nearby = np.arange(4)
        where = (node[:, 0, None] + nearby)[:, :, None] * side + (node[:, 1, None] + nearby)[
            :, None
        ]
        share = weight[:, 0, :, None] * weight[:, 1, None, :]
        mass = np.bincount(where.ravel(), share.ravel(), side * side).reshape(side, side)
        kernel = self._transform(side, spacing)
        size = (len(kernel), len(kernel))
        potential = irfft2(rfft2(mass.astype(np.float32), size) * kernel, size)[:side, :side]
        found = np.ascontiguousarray(potential).ravel()[where]
        total = float(np.einsum("nab,nab->", found, share)) - len(points)
        along = np.einsum("nab,nb->na", found, weight[:, 1])
        across = np.einsum("nab,na->nb", found, weight[:, 0])
        forces = np.stack([(along * slope[:, 0]).sum(1), (across * slope[:, 1]).sum(1)], axis=1) / (
            -2 * spacing
        )
        return forces, total

    def _transform(self, side: int, spacing: float) -> Array:
        """Return the transform of the kernel over the splines', on twice the side: none wraps."""
        key = (side, spacing)
        if self._kernel is None or self._kernel[0] != key:
            count = next_fast_len(2 * side, real=True)
            steps = np.arange(count)
            squares = (spacing * np.minimum(steps, count - steps)) ** 2
            kernel = 1 / (1 + squares[:, None] + squares)
            spline = ((2 + np.cos(2 * np.pi * steps / count)) / 3) ** 2
            transform = rfft2(kernel).real / (spline[:, None] * spline[: count // 2 + 1])
            self._kernel = (key, transform.astype(np.float32))
        return self._kernel[1]


def _splines(part: Array) -> tuple[Array, Array]:
    """Return the cubic B-splines (..., 4) at a part of a step in [0, 1), and their slopes."""
    left, square, cube = 1 - part, part**2, part**3
    values = [left**3, 3 * cube - 6 * square + 4, 1 + 3 * (part + square - cube), cube]
    slopes = [-(left**2), 3 * square - 4 * part, 1 + 2 * part - 3 * square, square]
    return np.stack(values, -1) / 6, np.stack(slopes, -1) / 2
