"""Lattice nodes as a raster: a normal's density, its frame and its levels, all in closed form."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from explorer.analysis.inference.raster import (
    frame_nodes,
    frame_square,
    is_outside,
    mass_levels,
    raster_density,
)


def test_a_lattice_of_a_normal_is_drawn_as_that_normal():
    step = 0.25
    axis = np.arange(-5, 5 + step, step)
    points = np.stack([g.ravel() for g in np.meshgrid(axis, axis, indexing="ij")], 1)
    weights = multivariate_normal([0, 0], np.eye(2)).pdf(points)
    weights /= weights.sum()
    x, y = np.linspace(-3, 3, 61), np.linspace(-2, 2, 41)
    density = raster_density(points, weights, step, x, y)
    exact = multivariate_normal([0, 0], np.eye(2)).pdf(np.dstack(np.meshgrid(x, y)))
    assert density.shape == (41, 61)
    assert density == pytest.approx(exact, abs=0.01)
    assert frame_nodes(points, weights, 0.0228) == pytest.approx(np.array([[-2, 2]] * 2), abs=0.26)


def test_levels_of_a_normal_hold_their_mass():
    axis = np.linspace(-6, 6, 301)
    density = multivariate_normal([0, 0], np.eye(2)).pdf(np.dstack(np.meshgrid(axis, axis)))
    # In two dimensions the level that holds mass m is (1 − m)/2π.
    assert mass_levels(density, [0.5, 0.9]) == pytest.approx(
        [0.5 / (2 * np.pi), 0.1 / (2 * np.pi)], rel=0.01
    )


def test_one_latent_and_nodes_finer_than_the_raster():
    points = np.arange(-6, 6, 0.01)[:, None]
    weights = norm.pdf(points[:, 0]) * 0.01
    axis = np.linspace(-4, 4, 81)
    density = raster_density(points, weights, 0.01, axis)
    assert density == pytest.approx(norm.pdf(axis), abs=2e-3)
    assert density.sum() * 0.1 == pytest.approx(1.0, abs=1e-3)


def test_an_empty_window_has_no_levels():
    assert mass_levels(np.zeros((3, 3)), [0.5, 0.9]) == pytest.approx([0.0, 0.0])


def test_a_square_holds_the_mass_and_tells_what_lies_outside():
    axis = np.linspace(0, 1, 101)
    points = np.stack([axis, 2 + 0.5 * axis], 1)
    weights = np.full(101, 1 / 101)
    x, y = frame_square(points, weights, 5, margin=0.25)
    assert x == pytest.approx(np.linspace(-0.25, 1.25, 5), abs=0.01)
    assert y == pytest.approx(np.linspace(1.5, 3.0, 5), abs=0.01)
    places = [[0.5, 2.2], [0.5, 3.0], [-0.1, 2.2]]
    assert is_outside(places, points, weights).tolist() == [False, True, True]
