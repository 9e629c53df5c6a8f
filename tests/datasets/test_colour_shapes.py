"""Coloured shapes: each picture is what its factors say, and is drawn once."""

import colorsys

import numpy as np
import pytest

from explorer.datasets import DATASETS, colour_shapes
from explorer.datasets.colour_shapes import FACTORS, SATURATION, load_colour_shapes, to_rgb
from explorer.datasets.mapped import find_map
from explorer.datasets.shapes import SHAPES
from tests.helpers import present

COUNT = 600
LARGEST = 2.8
"""Times as large as the shapes of `shapes`, whose area is known."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drawings")


@pytest.fixture(scope="module")
def data(folder):
    return load_colour_shapes(folder, COUNT)


@pytest.fixture(scope="module")
def cover(data):
    """How much of each pixel is covered: the brightest channel, as all colours have one at 1."""
    return data.images.max(axis=1) / 255


def test_a_shape_has_one_colour_which_is_its_hue(data):
    inside = data.images.max(axis=1) == 255
    assert inside.any(axis=(1, 2)).all()
    for row in range(COUNT):
        known = colorsys.hsv_to_rgb(data.factors["hue"][row] / 360, SATURATION, 1)
        assert np.ptp(data.images[row][:, inside[row]], axis=1).max() == 0
        assert data.images[row][:, inside[row]][:, 0] / 255 == pytest.approx(known, abs=0.006)


def test_hues_become_colours_as_pythons_own_do():
    hues = np.linspace(0, 359, 77)
    known = [colorsys.hsv_to_rgb(hue / 360, SATURATION, 1) for hue in hues]
    assert to_rgb(hues) == pytest.approx(np.array(known), abs=1e-12)


def test_the_centre_of_mass_is_at_x_and_y(data, cover):
    along = np.arange(64) + 0.5
    total = cover.sum(axis=(1, 2))
    assert np.allclose(cover.sum(axis=1) @ along / total, data.factors["x"], atol=0.2)
    assert np.allclose(cover.sum(axis=2) @ along / total, data.factors["y"], atol=0.2)


def test_the_area_follows_shape_and_size_alone(data, cover):
    known = {"square": 9.2**2, "ellipse": np.pi * 6.8 * 3.4}
    for name, area in known.items():
        rows = data.labels == SHAPES.index(name)
        expected = area * (LARGEST * data.factors["size"][rows]) ** 2
        assert np.allclose(cover[rows].sum(axis=(1, 2)), expected, rtol=0.03)


def test_rotation_turns_the_ellipse_to_the_left(data, cover):
    along = np.arange(64) + 0.5
    for row in np.flatnonzero(data.labels == SHAPES.index("ellipse")):
        right = along - data.factors["x"][row]
        up = data.factors["y"][row] - along
        xx, yy = (cover[row].sum(axis=at) @ way**2 for at, way in ((0, right), (1, up)))
        xy = up @ cover[row] @ right
        angle = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180
        # An angle just below 0 comes back as one just below 180.
        assert abs((angle - data.factors["rotation"][row] + 90) % 180 - 90) < 2


def test_nothing_is_cut_and_the_ground_is_black(data):
    assert data.images[:, :, [0, -1]].max() == data.images[:, :, :, [0, -1]].max() == 0
    assert (data.images == 0).all(axis=1).mean() > 0.7


def test_factors_fill_their_ranges_and_the_label_is_the_shape(data):
    for name, (low, high) in FACTORS.items():
        values = data.factors[name]
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high
    assert np.array_equal(data.factors["shape"], present(data.labels))
    assert np.bincount(present(data.labels)).tolist() == [COUNT // 3] * 3


def test_splits_are_80_10_10_with_every_shape_in_proportion(data):
    assert [len(data.splits[name]) for name in ("validation", "test")] == [60, 60]
    assert np.ptp(np.bincount(present(data.split("test").labels))) <= 1


def test_drawings_are_kept_and_the_same_when_they_are_drawn_again(
    data, folder, tmp_path, monkeypatch
):
    again = load_colour_shapes(tmp_path, COUNT)
    assert again.fingerprint == data.fingerprint
    monkeypatch.setattr(colour_shapes, "draw_cover", None)
    assert load_colour_shapes(folder, COUNT).fingerprint == data.fingerprint


def test_pictures_stay_in_their_file_until_somebody_looks(tmp_path):
    for _ in ("drawn", "found again"):
        images = load_colour_shapes(tmp_path, 30).images
        assert find_map(images) is not None
    whole = load_colour_shapes(tmp_path, 30).fingerprint
    (kept,) = tmp_path.iterdir()
    del images
    for torn in (b"", b"torn", kept.read_bytes()[:200], kept.read_bytes()[:-100]):
        kept.write_bytes(torn)
        assert load_colour_shapes(tmp_path, 30).fingerprint == whole
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]


def test_a_cache_that_cannot_be_written_only_costs_the_time(data, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    drawn = load_colour_shapes(tmp_path / "file" / "cache", COUNT)
    assert drawn.fingerprint == data.fingerprint
    assert find_map(drawn.images) is None


def test_another_seed_draws_others_and_the_registry_knows_their_shape(data, tmp_path):
    assert load_colour_shapes(tmp_path, 30, seed=1).fingerprint != data.fingerprint
    assert data.shape == DATASETS["colour-shapes"].shape
