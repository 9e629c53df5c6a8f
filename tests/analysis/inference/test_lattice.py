"""A lattice over known densities: its sum, its stated error, and tails that are settled early."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from explorer.analysis.inference.lattice import Lattice, unique_rows

TOLERANCE = 1e-3
NORMAL = multivariate_normal([0.13, -0.4], [[0.09, 0.02], [0.02, 0.04]])
MIXTURE = [(0.7, NORMAL), (0.3, multivariate_normal([1.9, 0.8], [[0.01, 0.0], [0.0, 0.25]]))]


def log_mixture(z):
    return logsumexp([math.log(share) + part.logpdf(z) for share, part in MIXTURE], axis=0)


def kinked(z):
    """exp(−|z₁| − |z₂|) / 4: what a rectified decoder makes of a peak, in the worst place."""
    return -np.abs(z - 0.0371).sum(-1) - math.log(4)


def begin(spacing, reach=14.0):
    axis = np.arange(-round(reach / spacing), round(reach / spacing) + 1)
    nodes = np.stack(np.meshgrid(2 * axis + 1, 2 * axis + 1), -1).reshape(-1, 2)
    return Lattice(unit=spacing / 2, log_cell=2 * math.log(spacing), fresh=nodes)


def refine(log_density, *, settle, spacing=0.25, tolerance=TOLERANCE):
    lattice = begin(spacing)
    for number in range(12):
        lattice.absorb(log_density(lattice.fresh * lattice.unit))
        if settle:
            lattice.settle(tolerance)
        if lattice.error < tolerance:
            break
        lattice.interleave(early=number < 2)
    return lattice


@pytest.mark.parametrize("settle", [False, True], ids=["whole", "settled"])
@pytest.mark.parametrize("density", [NORMAL.logpdf, log_mixture, kinked])
def test_a_density_holds_mass_one(density, settle):
    lattice = refine(density, settle=settle)
    assert lattice.error < TOLERANCE
    assert abs(lattice.total) < TOLERANCE
    assert np.exp(lattice.log_weights()).sum() == pytest.approx(1, abs=1e-9)


def test_settling_spares_nodes_and_keeps_the_moments():
    whole, settled = refine(kinked, settle=False), refine(kinked, settle=True)
    assert settled.window is not None
    assert len(settled.log_joint) < 0.7 * len(whole.log_joint)
    weights = np.exp(settled.log_weights())
    z = settled.coordinates * settled.unit - 0.0371
    assert weights @ z == pytest.approx([0, 0], abs=5e-3)
    assert weights @ z**2 == pytest.approx([2, 2], abs=2e-2)


@pytest.mark.parametrize("latents", [1, 2])
@pytest.mark.parametrize("width", [5, 50, 100_000], ids=["table", "sparser", "sorted"])
def test_nodes_and_their_neighbours_are_found_once_in_order(latents, width):
    rng = np.random.default_rng(0)
    nodes = rng.integers(-width, width, (300, latents))
    nodes = np.concatenate([nodes, nodes[:40], nodes[:40] + 2])
    offsets = np.concatenate([np.eye(latents), -np.eye(latents)]).astype(np.int64)
    neighbours = (nodes[:, None] + offsets).reshape(-1, latents)
    assert np.array_equal(unique_rows(nodes), np.unique(nodes, axis=0))
    assert np.array_equal(unique_rows(nodes, offsets), np.unique(neighbours, axis=0))


def test_one_agreement_is_not_enough():
    lattice = Lattice(unit=0.5, log_cell=0.0, fresh=np.zeros((1, 2), dtype=np.int64))
    lattice.changes = (1e-6, 4e-3, math.inf)
    assert lattice.error == math.inf
    lattice.changes = (1e-6, 4e-3, 1e-3)
    assert lattice.error == pytest.approx(4e-3 / 2.5)


def test_a_constant_shifts_the_mass_alone():
    lattice = refine(NORMAL.logpdf, settle=True)
    weights = lattice.log_weights()
    lattice.shift(-100.0)
    assert lattice.total == pytest.approx(-100, abs=TOLERANCE)
    assert lattice.log_weights() == pytest.approx(weights, abs=1e-9)
