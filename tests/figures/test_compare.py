"""Small maps on one scale, hole cells where they belong, component images around grey."""

import numpy as np
import pytest

from explorer.figures.compare import (
    Square,
    common_square,
    component_images,
    fit_square,
    share_bars,
    small_map,
)
from explorer.figures.palette import choose_roles

ROLES = choose_roles(False)


def test_a_square_holds_the_codes_and_the_ring_of_three_sigma():
    narrow = fit_square(np.zeros((50, 2)))
    assert narrow.axis()[0] < -3 and narrow.axis()[1] > 3
    far = fit_square(np.array([[0.0, 0.0], [40.0, -10.0]] * 50))
    assert far.axis()[1] > 39 and far.axis(True)[0] < -9
    assert np.ptp(far.axis()) == pytest.approx(np.ptp(far.axis(True))), "one scale on both axes"
    both = common_square([narrow, far])
    for square in (narrow, far):
        for vertical in (False, True):
            assert both.axis(vertical)[0] <= square.axis(vertical)[0] + 1e-9
            assert both.axis(vertical)[1] >= square.axis(vertical)[1] - 1e-9


def test_a_grid_runs_from_the_top_left():
    grid = Square(1.0, 2.0, 1.0).grid(2)
    assert grid.tolist() == [[0.5, 2.5], [1.5, 2.5], [0.5, 1.5], [1.5, 1.5]]


def test_hole_cells_are_drawn_where_they_are_true():
    holes = np.array([[True, False], [False, False]])
    square = Square(0.0, 0.0, 4.0)
    figure = small_map(
        np.zeros((5, 2)),
        np.arange(5),
        tuple("01234"),
        ROLES,
        square,
        holes=holes,
        drawn=np.array([[1.0, 1.0]]),
    )
    cells = figure.data[0]
    assert cells.type == "heatmap", "behind the points"
    filled = [
        (x, y)
        for y, row in zip(cells.y, cells.z, strict=True)
        for x, z in zip(cells.x, row, strict=True)
        if z == 1
    ]
    assert filled == [(-2.0, 2.0)]
    assert tuple(figure.layout.xaxis.range) == (-4, 4)
    assert figure.data[-1].name == "drawn"


def test_pictures_fill_the_square():
    pictures = np.zeros((9, 1, 4, 4), np.uint8)
    figure = small_map(np.zeros((5, 2)), None, (), ROLES, Square(1.0, 0.0, 4.0), pictures=pictures)
    (image,) = figure.layout.images
    assert (image.x, image.y, image.sizex) == (-3, 4, 8)


def test_shares_keep_their_errors():
    figure = share_bars(["A", "B"], [[(0.05, 0.01), (0.2, 0.02)]], ["holes"], ROLES, "usual")
    assert list(figure.data[0].x) == [5, 20]
    assert list(figure.data[0].error_x.array) == [1, 2]


def test_components_are_signed_around_grey():
    images = component_images(np.array([[[[0.0, 2.0, -2.0]]], [[[0.0, 0.0, -1.0]]]]))
    assert images.ravel().tolist() == [128, 255, 0, 128, 128, 0]
