"""Curves of a training: what was stated is drawn, what was not is left out."""

import pytest

from explorer.figures.palette import choose_roles
from explorer.figures.training import compare_curves, elbo_curves


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


def test_six_trainings_have_six_colours_and_their_kl_is_dotted():
    points = [{"step": 1, "elbo": -9.0, "kl": 1.0}, {"step": 2, "elbo": -8.0, "kl": 2.0}]
    figure = compare_curves({f"run {i}": points for i in range(6)}, choose_roles(False))
    losses, kls = figure.data[::2], figure.data[1::2]
    assert len({trace.line.color for trace in losses}) == 6
    assert [trace.line.color for trace in kls] == [trace.line.color for trace in losses]
    assert {trace.line.dash for trace in kls} == {"dot"}
    assert len([note for note in figure.layout.annotations if note.text]) == 12, (
        "named at their ends"
    )
