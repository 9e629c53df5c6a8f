"""Names stand at their curves' ends, in their colours, and never on one another."""

import plotly.graph_objects as go
import pytest

from explorer.figures.labels import LINE, label_ends, label_peaks, move_apart
from explorer.figures.palette import choose_roles
from explorer.figures.style import apply_style
from explorer.figures.training import elbo_curves

ROLES = choose_roles(False)


def test_labels_that_have_room_stay_where_their_curves_end():
    assert move_apart([10, 60, 110], [15, 15, 15], 200) == [10, 60, 110]


def test_labels_at_one_place_are_moved_apart_and_stay_inside():
    places = move_apart([100, 100, 100], [15, 15, 15], 100)
    assert places == [70, 85, 100]
    assert move_apart([-20, 0], [15, 15], 100) == [0, 15]


def test_each_curve_is_named_in_its_colour_and_there_is_no_legend():
    figure = go.Figure()
    figure.add_scatter(x=[1, 2], y=[0, 8], mode="lines", name="up", line={"color": ROLES.kl})
    figure.add_scatter(x=[1, 2], y=[8, 0], mode="lines", name="down", line={"color": ROLES.mean})
    figure.add_scatter(x=[1, 2], y=[4, 4], mode="lines", showlegend=False)
    label_ends(apply_style(figure, ROLES, 200))
    named = {note.text: (note.y, note.font.color) for note in figure.layout.annotations}
    assert named == {"up": (8, ROLES.kl), "down": (0, ROLES.mean)}
    assert figure.layout.showlegend is False
    assert all(abs(note.yshift) < 1e-9 for note in figure.layout.annotations)


def test_on_a_logarithmic_axis_a_label_stands_at_the_logarithm():
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1, 100], name="a", line={"color": ROLES.kl}))
    figure.update_yaxes(type="log")
    label_ends(apply_style(figure, ROLES, 200))
    assert figure.layout.annotations[0].y == pytest.approx(2)


def test_the_terms_of_the_elbo_are_named_at_the_middle_of_their_share():
    points = [{"step": step, "reconstruction": 10.0, "kl": 6.0, "elbo": -16.0} for step in (1, 2)]
    figure = elbo_curves(points, [], ROLES, 225)
    places = {note.text: note.y for note in figure.layout.annotations}
    bottom = figure.layout.yaxis.range[0]
    assert places == {"reconstruction": (bottom + 10) / 2, "KL": 13}
    colours = {note.text: note.font.color for note in figure.layout.annotations}
    assert colours == {"reconstruction": ROLES.reconstruction, "KL": ROLES.kl}


def test_names_that_would_touch_keep_a_line_between_them():
    figure = go.Figure()
    for name in "abc":
        figure.add_scatter(x=[1], y=[1], name=name, line={"color": ROLES.kl})
    label_ends(apply_style(figure, ROLES, 200))
    shifts = sorted(note.yshift for note in figure.layout.annotations)
    assert [round(b - a, 6) for a, b in zip(shifts, shifts[1:], strict=False)] == [LINE, LINE]


def test_a_density_is_named_above_its_peak_and_below_the_upper_edge():
    figure = go.Figure()
    for name, y in (("far", [1, 4, 1, 0]), ("near", [0, 1, 8, 1]), ("other", [0, 9, 0, 0])):
        figure.add_scatter(x=[1, 2, 3, 4], y=y, name=name, line={"color": ROLES.kl})
    label_peaks(apply_style(figure, ROLES, 200), ("far", "near"))
    places = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    assert places.keys() == {"far", "near"}
    assert places["far"][0] == 2 and places["near"][0] == 3
    assert places["far"][1] > 4 and 8 < places["near"][1] < figure.layout.yaxis.range[1]
    assert figure.layout.yaxis.range[1] > 9 and figure.layout.showlegend is False


def test_two_equal_densities_have_their_names_a_line_apart():
    figure = go.Figure()
    for name in "ab":
        figure.add_scatter(x=[1, 2, 3], y=[0, 1, 0], name=name, line={"color": ROLES.kl})
    label_peaks(apply_style(figure, ROLES, 200), "ab")
    first, second = (note.y for note in figure.layout.annotations)
    margin = figure.layout.margin
    plot = 200 - margin.t - margin.b
    assert abs(first - second) / figure.layout.yaxis.range[1] * plot == pytest.approx(LINE)
