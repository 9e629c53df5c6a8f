"""Shapes: a full factorial whose every picture says where it comes from."""

import numpy as np
import pytest

from explorer.datasets import DATASETS
from explorer.datasets.shapes import POSITIONS, ROTATIONS, SCALES, SHAPES, load_shapes


@pytest.fixture(scope="module")
def data():
    return load_shapes()


@pytest.fixture(scope="module")
def x(data):
    return data.images[:, 0] / 255


def test_every_combination_occurs_once(data):
    sizes = [len(values) for values in (SHAPES, SCALES, ROTATIONS, POSITIONS, POSITIONS)]
    assert len(data) == np.prod(sizes) == 15_552
    assert [len(np.unique(values)) for values in data.factors.values()] == sizes
    assert len(np.unique(np.stack(list(data.factors.values())), axis=1).T) == len(data)
    assert data.shape == DATASETS["shapes"].shape


def test_no_picture_occurs_twice(data):
    assert len({image.tobytes() for image in data.images}) == len(data)


def test_the_centre_of_mass_is_at_x_and_y(data, x):
    along = np.arange(32) + 0.5
    total = x.sum(axis=(1, 2))
    assert np.allclose(x.sum(axis=1) @ along / total, data.factors["x"], atol=0.05)
    assert np.allclose(x.sum(axis=2) @ along / total, data.factors["y"], atol=0.05)


def test_the_area_follows_shape_and_scale_alone(data, x):
    # Sides of 9.2; half axes of 6.8 and 3.4 pixels.
    known = {"square": 9.2**2, "ellipse": np.pi * 6.8 * 3.4}
    for name, area in known.items():
        rows = data.labels == SHAPES.index(name)
        expected = area * data.factors["scale"][rows] ** 2
        assert np.allclose(x[rows].sum(axis=(1, 2)), expected, rtol=0.03)


def test_rotation_turns_the_ellipse_to_the_left(data, x):
    rows = (data.labels == SHAPES.index("ellipse")) & (data.factors["scale"] == 1)
    rows &= (data.factors["x"] == POSITIONS[5]) & (data.factors["y"] == POSITIONS[5])
    along = np.arange(32) + 0.5 - POSITIONS[5]
    right, up = along[None, :], -along[:, None]
    xx, yy, xy = ((x[rows] * m).sum(axis=(1, 2)) for m in (right**2, up**2, right * up))
    angles = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180
    assert np.allclose(angles, data.factors["rotation"][rows] % 180, atol=1)


def test_the_edges_are_soft_and_nothing_is_cut(x):
    assert 0 < np.mean((x > 0) & (x < 1)) < 0.1
    border = np.concatenate([x[:, [0, -1]].ravel(), x[:, :, [0, -1]].ravel()])
    assert border.max() < 0.1


def test_splits_are_80_10_10_with_every_shape_in_proportion(data):
    assert [len(data.splits[name]) for name in ("validation", "test")] == [1555, 1555]
    assert np.ptp(np.bincount(data.split("test").labels)) <= 1
