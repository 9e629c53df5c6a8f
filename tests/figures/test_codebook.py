"""The codebook's figures: what a click selects, and which pixels are tinted."""

import numpy as np

from explorer.figures.codebook import (
    code_grid_figure,
    codebook_figure,
    entry_colours,
    tint_changes,
    usage_bars,
)
from explorer.figures.palette import choose_roles

ROLES = choose_roles(False)
WORDS = {"hover": "", "entry": "entry", "entries": "entries", "share": "share", "even": "even"}


def test_the_nth_point_of_the_grid_is_the_nth_position():
    grid = np.arange(12).reshape(3, 4)
    changed = grid == 7
    figure = code_grid_figure(grid, 12, ROLES, WORDS, chosen=5, changed=changed)
    points = figure.data[0]
    assert list(points.text) == [str(value) for value in range(12)]
    assert (points.x[5], points.y[5]) == (2, 2)
    assert np.flatnonzero(points.marker.line.width).tolist() == [5, 7]
    assert len(set(entry_colours(64))) == 64


def test_the_codebook_has_a_point_per_entry():
    figure = codebook_figure(np.zeros((20, 1, 4, 4)), np.full(20, 0.05), ROLES, WORDS, chosen=3)
    points = figure.data[0]
    assert len(points.x) == 20 and points.customdata[7][0] == 7
    assert len(figure.layout.images) == 1


def test_bars_fall_from_the_most_used_entry():
    figure = usage_bars(np.array([0.1, 0.6, 0.3]), ROLES, WORDS, chosen=2)
    bars = figure.data[0]
    np.testing.assert_allclose(bars.y, [60, 30, 10])
    assert list(bars.customdata) == [1, 2, 0] and bars.marker.color[1] == ROLES.latent


def test_only_changed_pixels_are_tinted():
    before = np.zeros((1, 4, 4))
    after = before.copy()
    after[0, 1, 2] = 1
    tinted = tint_changes(before, after, "#7b3fd1")
    assert tinted.shape == (4, 4, 3) and tinted.dtype == np.uint8
    grey = (tinted == tinted[..., :1]).all(2)
    assert np.argwhere(~grey).tolist() == [[1, 2]]
