"""Figures over β: the square that small maps share, and what stands beside the points."""

import numpy as np
import pytest

from explorer.figures.beta import (
    LARGEST_RANGE,
    LEAST_RANGE,
    choose_range,
    kl_bars,
    small_maps,
    units_over_beta,
)
from explorer.figures.palette import LIGHT


@pytest.mark.parametrize("wide, reach", [(0.5, LEAST_RANGE), (5.0, 5.3), (40.0, LARGEST_RANGE)])
def test_the_square_holds_nearly_all_codes_of_the_widest_model(wide, reach):
    codes = np.full((100, 2), wide)
    codes[3, 1] = 1000.0
    assert choose_range([np.zeros((10, 2)), codes]) == pytest.approx(reach)


def test_small_maps_show_the_square_that_they_are_told():
    codes = np.zeros((10, 2))
    figure = small_maps(["a", "b"], [codes, codes], [None, None], LIGHT, reach=4.0, columns=3)
    assert figure.layout.xaxis3.visible is False
    assert figure.layout.xaxis2.range == (-4.0, 4.0)


def test_without_codes_the_square_is_the_least():
    assert choose_range([np.zeros((0, 2))]) == LEAST_RANGE


def test_a_moved_beta_is_the_name_of_its_bar():
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
