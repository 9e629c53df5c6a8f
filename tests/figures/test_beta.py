"""Figures over β: the square that small maps share, and what stands beside the points."""

import numpy as np
import pytest

from explorer.figures.beta import (
    LARGEST_RANGE,
    LEAST_RANGE,
    choose_range,
    count_outside,
    kl_bars,
    rate_distortion_plane,
    small_maps,
    units_over_beta,
)
from explorer.figures.collapse import variance_plane
from explorer.figures.marks import merge_marks
from explorer.figures.palette import LIGHT


@pytest.mark.parametrize("largest, outside", [(0.5, 0), (5.64, 0), (-5.64, 0), (40.0, 1)])
def test_the_square_holds_all_codes_or_tells_how_many_it_cuts(largest, outside):
    codes = np.zeros((10, 2))
    codes[3, 1] = largest
    reach = choose_range([np.zeros((10, 2)), codes])
    assert LEAST_RANGE <= reach <= LARGEST_RANGE
    assert count_outside(codes, reach) == outside
    figure = small_maps(["a", "b"], [codes, codes], [None, None], LIGHT, reach=reach, columns=3)
    assert figure.layout.xaxis3.visible is False
    assert figure.layout.xaxis2.range == (-reach, reach)


def test_without_codes_the_square_is_the_least():
    assert choose_range([np.zeros((0, 2))]) == LEAST_RANGE


def test_a_crowd_of_points_has_one_name():
    x, y = [0.0, 0.001, 0.5, 0.0, 0.002], [1.0, 1.0, 1.0, 0.99, 1.01]
    marks = ["z1", "z2", "z3", "z4", "z5"]
    assert merge_marks(x, y, marks, (1.0, 1.0)) == ["z1, z2 +2", "", "z3", "", ""]
    words = {"collapsed": "collapsed", "active": "active"}
    verdicts = ["collapsed"] * 2 + ["active"] + ["collapsed"] * 2
    figure = variance_plane(marks, x, y, verdicts, words, LIGHT)
    collapsed = next(trace for trace in figure.data if trace.name == "collapsed")
    assert collapsed.text == ("z1, z2 +2", "", "", "") and collapsed.customdata[3] == "z5"


def test_a_moved_beta_stands_beside_its_point_and_its_slope_is_what_it_became():
    figure = rate_distortion_plane(
        ["a", "b"], [1.0, 4.0], [3.0, 1.0], [50.0, 60.0], LIGHT, marks=["1", "2 → 4"], selected=1
    )
    assert figure.data[-1].text == ("1", "2 → 4")
    line = next(trace for trace in figure.data if trace.name and "4" in trace.name)
    assert np.diff(line.y)[0] / np.diff(line.x)[0] == pytest.approx(-4.0)
    bars = kl_bars([1.0, 4.0], [50.0, 60.0], np.ones((2, 2)), LIGHT, marks=["1", "2 → 4"])
    assert bars.data[0].x == ("1", "2 → 4")


def test_a_lower_bound_is_marked_and_told_as_one():
    rows = {"information, nats": [7.6, 3.1], "active units": [20.0, 4.0]}
    bounds = {"information, nats": [True, False]}
    figure = units_over_beta([0.1, 4.0], rows, LIGHT, bounds=bounds)
    shown = {trace.name: trace for trace in figure.data}
    assert list(shown["information, nats"].customdata) == ["≥ ", ""]
    assert list(shown["information, nats"].marker.symbol) == ["triangle-up", "circle"]
    assert set(shown["active units"].marker.symbol) == {"circle"}
