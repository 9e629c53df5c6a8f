"""Curves of a training: what was stated is drawn, what was not is left out."""

import pytest

from explorer.figures.palette import choose_roles
from explorer.figures.training import elbo_curves


@pytest.mark.parametrize(("stated", "drawn"), [({}, False), ({"objective": 30.0}, True)])
def test_an_objective_is_drawn_where_it_is_known(stated, drawn):
    points = [
        {"step": step, "reconstruction": 10.0, "kl": 5.0, "elbo": -15.0, **stated}
        for step in (1, 2, 3)
    ]
    figure = elbo_curves(points, [], choose_roles(False), 225)
    assert ("objective" in {trace.name for trace in figure.data}) is drawn
    low, high = figure.layout.yaxis.range
    assert low < 10 and (high > 30) is drawn and high > 15
