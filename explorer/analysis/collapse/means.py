"""What means alone can tell of a code: which dimensions move with the data, never their KL."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.collapse.verdicts import VARIANCE_THRESHOLD
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class MeansDiagnosis:
    """Codes of which only the means are known, arrays (K,).

    `active_units` counts Var_x(μ_i) > 0.01 (Burda et al. 2015), `moving` names them. A sleeping
    dimension's mean is constant; whether a moving one carries many nats its spread alone says.
    `covariance_dimensions` is (Σλ)²/Σλ² of the means' covariance, 0 where nothing moves: how many
    directions they fill. `correlation` is the largest |correlation| between two moving dimensions.
    """

    mean: Floats
    var_mean: Floats
    var_mean_error: Floats
    moving: tuple[int, ...]
    covariance_dimensions: float
    correlation: float
    images: int

    @property
    def active_units(self) -> int:
        """Dimensions whose mean varies by more than the threshold."""
        return len(self.moving)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values; what needs a spread is None."""
        rows = [
            {
                "index": index,
                "kl": None,
                "var_mean": self.var_mean[index],
                "var_mean_error": self.var_mean_error[index],
                "mean_var": None,
                "aggregate_mean": self.mean[index],
                "verdict": "moving" if index in self.moving else "constant",
            }
            for index in range(len(self.mean))
        ]
        return plain(
            {
                "state": "means_alone",
                "active_units": self.active_units,
                "latent_dim": len(self.mean),
                "rate": None,
                "effective_dimensions": None,
                "covariance_dimensions": self.covariance_dimensions,
                "correlation": self.correlation,
                "images": self.images,
                "dimensions": rows,
            }
        )


def diagnose_means(mean: ArrayLike) -> MeansDiagnosis:
    """Return what means (N, K) alone can tell.

    >>> found = diagnose_means(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    >>> found.moving, round(found.covariance_dimensions, 3)
    ((0,), 1.0)
    """
    mu = as_array(mean)
    if mu.ndim != 2 or not mu.size:
        raise ExplorerError(f"Means are an array (N, K) with entries; these are {mu.shape}.")
    if not np.isfinite(mu).all():
        raise ExplorerError("The codes hold NaN or infinite values.")
    centred = mu - mu.mean(0)
    variance = (centred**2).mean(0)
    fourth = (centred**4).mean(0)
    moving = np.flatnonzero(variance > VARIANCE_THRESHOLD)
    covariance = np.atleast_2d(centred.T @ centred / len(mu))
    squares = float((covariance**2).sum())
    filled = float(variance.sum() ** 2 / squares) if len(moving) and squares > 0 else 0.0
    return MeansDiagnosis(
        mean=mu.mean(0),
        var_mean=variance,
        var_mean_error=np.sqrt(np.maximum(fourth - variance**2, 0) / len(mu)),
        moving=tuple(int(index) for index in moving),
        covariance_dimensions=filled,
        correlation=_largest_correlation(covariance, moving),
        images=len(mu),
    )


def _largest_correlation(covariance: Floats, moving: np.ndarray) -> float:
    if len(moving) < 2:
        return 0.0
    part = covariance[np.ix_(moving, moving)]
    deviations = np.sqrt(np.diag(part))
    correlation = np.abs(part / np.outer(deviations, deviations))
    np.fill_diagonal(correlation, 0.0)
    return float(correlation.max())
