"""What is believed of z, as the page's maps show it: a density with contours, codes behind it."""

import numpy as np

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import ExactPosterior
from explorer.analysis.inference.raster import frame_square, mass_levels, raster_density
from explorer.app.cached import get_codes
from explorer.app.observation import Observation
from explorer.figures.elbo_reveal import Belief

MASSES = (0.5, 0.9)
"""Mass inside the contours."""
WINDOW = 4.2
"""Half a side of the map, at least."""
MAP_CODES = 1500
CLOSE_UP_NODES = 81


def rasterise(points: Floats, weights: Floats, spacing: float, x: Floats, y: Floats) -> Belief:
    """Return nodes (M, 2) with masses (M,) as a density over the axes x and y, with contours."""
    density = raster_density(points, weights, spacing, x, y)
    return Belief(x, y, density, mass_levels(density, MASSES).tolist())


def close_up(exact: ExactPosterior) -> Belief:
    """Return the exact posterior of one image on a square that holds nearly all of its mass."""
    points, weights = exact.points[0], np.exp(exact.log_weights[0])
    axes = frame_square(points, weights, CLOSE_UP_NODES)
    return rasterise(points, weights, float(exact.spacing[0]), *axes)


def map_codes(
    observation: Observation, axes: tuple[int, int]
) -> tuple[Floats | None, Floats | None]:
    """Return some codes (N, 2) of the run on two latents and their classes (N,), where known."""
    codes = get_codes(observation.run)
    if codes is None:
        return None, None
    labels = None if codes.labels is None else codes.labels[:MAP_CODES]
    return codes.mean[:MAP_CODES][:, axes], labels
