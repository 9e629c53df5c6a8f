"""White shapes on black, 32 × 32 pixels, one for every combination of five known factors.

After dSprites (Matthey et al. 2017), with fewer values per factor and soft edges.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.datasets.images import ImageDataset, split_rows
from explorer.datasets.rows import Bytes

Floats = npt.NDArray[np.float64]

SIDE = 32
SHAPES = ("square", "ellipse", "heart")
SCALES = (0.55, 0.7, 0.85, 1.0)
# Nine turns, not ten: steps of 40° bring neither the square nor the ellipse back onto itself, so
# that no picture occurs twice.
ROTATIONS = tuple(40.0 * step for step in range(9))
POSITIONS = tuple(16 + 1.5 * (step - 5.5) for step in range(12))

# Every pixel is the mean of 8 × 8 points; a shape reaches at most 8 pixels from its centre.
FINE = 8
REACH = 8 * FINE


def load_shapes() -> ImageDataset:
    """Return the full factorial of 3 × 4 × 9 × 12 × 12 = 15,552 shapes, split 80/10/10.

    Factors: shape (0 square, 1 ellipse, 2 heart; also the label), scale (1 is the largest),
    rotation in degrees to the left, x and y of the centre in pixels from the upper left corner.
    Row numbers count through the combinations in this order, y fastest.
    """
    grid = np.meshgrid(range(3), SCALES, ROTATIONS, POSITIONS, POSITIONS, indexing="ij")
    shape, scale, rotation, x, y = (values.ravel() for values in grid)
    labels = shape.astype(np.int64)
    images = [
        _place(_stencil(name, size, turn))
        for name in SHAPES
        for size in SCALES
        for turn in ROTATIONS
    ]
    return ImageDataset(
        name="shapes",
        images=np.concatenate(images),
        labels=labels,
        class_names=SHAPES,
        factors={"shape": labels, "scale": scale, "rotation": rotation, "x": x, "y": y},
        splits=split_rows(labels, seed=0),
    )


def is_inside(shape: str, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return whether points x to the right of and y above the centre lie in one of SHAPES.

    Pixels of 32 × 32 pictures, at scale 1 and unturned.
    """
    if shape == "square":
        return np.maximum(abs(x), abs(y)) <= 4.6
    if shape == "ellipse":
        return (x / 6.8) ** 2 + (y / 3.4) ** 2 <= 1
    # The sextic heart, moved so that it turns about its centre of mass.
    x, y = x / 5.4, y / 5.4 + 0.293
    squares = x * x
    rest = squares + y * y - 1
    return rest * rest * rest <= squares * y * y * y


def _stencil(shape: str, scale: float, rotation: float) -> npt.NDArray[np.bool_]:
    """Return which points of a fine grid around the centre lie inside, (2 REACH, 2 REACH)."""
    axis = (np.arange(-REACH, REACH) + 0.5) / FINE / scale
    right, down = np.meshgrid(axis, axis)
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    return is_inside(shape, right * cos - down * sin, -right * sin - down * cos)


def _place(stencil: npt.NDArray[np.bool_]) -> Bytes:
    """Return a stencil at every position, (144, 1, 32, 32), x slowest."""
    # Sums over any rectangle are four look-ups in the table of sums over corners.
    corners = np.zeros((2 * REACH + 1, 2 * REACH + 1), np.int64)
    corners[1:, 1:] = stencil.cumsum(axis=0).cumsum(axis=1)
    edges = np.arange(SIDE + 1) - np.array(POSITIONS)[:, None]
    at = np.clip(np.rint(edges * FINE).astype(np.int64) + REACH, 0, 2 * REACH)
    tables = corners[at[None, :, :, None], at[:, None, None, :]]
    inside = np.diff(np.diff(tables, axis=2), axis=3)
    images = np.rint(inside * (255 / FINE**2)).astype(np.uint8)
    return images.reshape(-1, 1, SIDE, SIDE)
