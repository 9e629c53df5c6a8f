"""Names beside points: one for a heap, none upon another, a line to one that stands off."""

from itertools import combinations

import numpy as np
import pytest

from explorer.codes import latent_name
from explorer.figures.collapse import variance_plane
from explorer.figures.marks import LINE, OFF, Box, place_names
from explorer.figures.palette import LIGHT

FRAME = Box(0, 0, 260, 250)


def test_a_heap_of_points_of_one_kind_has_one_name():
    points = [(10, 20), (11, 20), (12, 21), (10, 22), (11, 21)]
    names, kinds = list("abcde"), ["asleep"] * 4 + ["in use"]
    assert [name.text for name in place_names(points, names, kinds, FRAME)] == ["a, b +2", "e"]


@pytest.mark.parametrize("seed", range(5))
def test_no_name_lies_on_another_or_on_a_point_and_none_beyond_the_frame(seed):
    rng = np.random.default_rng(seed)
    points = [(float(x), float(y)) for x, y in rng.uniform(0, 60, (10, 2)) + [[5, 5]]]
    names = [latent_name(index) for index in range(10)]
    placed = place_names(points, names, names, FRAME)
    assert len(placed) >= 5
    for one, other in combinations(placed, 2):
        assert not one.box.meets(other.box), (one, other)
    for name in placed:
        assert FRAME.holds(name.box)
        assert not any(name.box.meets(Box(x - 5, y - 5, x + 5, y + 5)) for x, y in points)


def test_a_name_stands_off_at_the_end_of_a_line_where_there_is_no_room_beside_its_point():
    """Wide boxes above, below and beside: the first free line is the next one above."""
    point = (30.0, 100.0)
    around = [Box(0, 100 - 1.1 * LINE, 260, 100 + 1.1 * LINE)]
    (name,) = place_names([point], ["z₁"], ["active"], FRAME, around)
    assert name.leads and name.x == point[0] + OFF
    assert name.y == pytest.approx(100 - 1.7 * LINE)
    assert place_names([point], ["z₁"], ["active"], FRAME, [FRAME]) == []


def test_the_plane_names_its_points_and_says_what_symbols_mean():
    x, y = [0.0, 0.001, 0.9, 0.0, 0.002], [1.0, 1.0, 0.1, 0.99, 1.01]
    marks = ["z₁", "z₂", "z₃", "z₄", "z₅"]
    words = {"collapsed": "collapsed", "active": "active"}
    verdicts = ["collapsed"] * 2 + ["active"] + ["collapsed"] * 2
    figure = variance_plane(marks, x, y, verdicts, words, LIGHT)
    told = {label.text: label for label in figure.layout.annotations}
    assert set(told) == {"z₁, z₂ +2", "z₃", "collapsed ✕", "active ●"}
    assert (told["z₃"].x, told["z₃"].y) == (0.9, 0.1)
    assert told["collapsed ✕"].font.color == LIGHT.kl
    collapsed = next(trace for trace in figure.data if trace.name == "collapsed")
    assert collapsed.customdata[3] == "z₅"
    assert figure.layout.showlegend is False


def test_many_points_have_no_names():
    many = [latent_name(index) for index in range(13)]
    values = list(np.linspace(0, 1, 13))
    figure = variance_plane(many, values, values, ["active"] * 13, {"active": "active"}, LIGHT)
    assert [label.text for label in figure.layout.annotations] == ["active ●"]
