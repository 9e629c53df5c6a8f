"""t-SNE's repulsion on a grid, against the sums over all pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.export.repulsion import MOST_NODES, SPACING, GridRepulsion


def sums(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return what every point is pushed by, and Z, pair by pair."""
    apart = points[:, None] - points
    kernel = 1 / (1 + (apart**2).sum(2))
    return (kernel[..., None] ** 2 * apart).sum(1), float(kernel.sum()) - len(points)


@pytest.mark.parametrize("spread", [0.3, 3.0, 10.0])
def test_forces_and_their_sum_are_those_of_all_pairs(spread: float) -> None:
    points = np.random.default_rng(0).normal(0, spread, (800, 2))
    forces, total = GridRepulsion().repel(points)
    pairs, z = sums(points)
    assert np.linalg.norm(forces - pairs) < 0.03 * np.linalg.norm(pairs)
    assert total == pytest.approx(z, rel=0.003)


def test_a_finer_grid_is_nearer_to_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(1).normal(0, 10, (500, 2))
    pairs, _ = sums(points)

    def error(spacing: float) -> float:
        monkeypatch.setattr("explorer.export.repulsion.SPACING", spacing)
        return float(np.linalg.norm(GridRepulsion().repel(points)[0] - pairs))

    # A spline's slope is exact to the third order.
    assert error(SPACING / 2) < error(SPACING) / 5


def test_a_point_far_away_makes_no_larger_grid() -> None:
    points = np.random.default_rng(2).normal(0, 1, (50, 2))
    points[0] = 1e6, 0
    objective = GridRepulsion()
    forces, total = objective.repel(points)
    assert np.isfinite(forces).all() and np.isfinite(total)
    assert len(objective._transform(MOST_NODES, 1e6 / MOST_NODES)) == 2 * MOST_NODES


@pytest.mark.parametrize("asked", [False, True])
def test_divergence_and_gradient_are_those_of_the_exact_tree(asked: bool) -> None:
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.tsne import kl_divergence_bh

    rng = np.random.default_rng(3)
    points = np.ascontiguousarray(rng.normal(0, 10, (600, 2)))
    P = PerplexityBasedNN(rng.normal(0, 1, (600, 4)), 30, method="exact").P
    exactly = kl_divergence_bh(points, P, 1.0, {"theta": 0.0}, should_eval_error=True)
    divergence, gradient = GridRepulsion()(points, P, should_eval_error=asked)
    assert divergence == pytest.approx(exactly[0] if asked else 0, abs=1e-3)
    assert np.linalg.norm(gradient - exactly[1]) < 0.03 * np.linalg.norm(exactly[1])
