"""Thresholds against β: bars that reach the line are told from those that do not."""

import math

import pytest

from explorer.figures.palette import LIGHT
from explorer.figures.thresholds import MOST_BARS, threshold_bars


def test_each_threshold_is_a_bar_and_beta_a_line_with_its_name():
    figure = threshold_bars([30.0, 3.0], 24.0, LIGHT, name="your β", target=1.0, target_name="next")
    (bars,) = figure.data
    assert list(bars.x) == [30.0, 3.0] and list(bars.y) == ["λ₁", "λ₂"]
    assert list(bars.marker.color) == [LIGHT.reconstruction, LIGHT.gap]
    assert [line.x0 for line in figure.layout.shapes] == [24.0, 1.0]
    assert [note.text for note in figure.layout.annotations] == ["your β 24", "next 1"]
    # The axis is a logarithm, on which a note stands at the exponent.
    assert figure.layout.annotations[0].x == pytest.approx(math.log10(24))
    low, high = figure.layout.xaxis.range
    assert low < 0 and high > math.log10(30)


def test_of_many_directions_the_leading_ones_are_drawn():
    figure = threshold_bars([float(50 - i) for i in range(40)], 1.0, LIGHT, name="β")
    assert len(figure.data[0].x) == MOST_BARS
