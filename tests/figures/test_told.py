"""What a figure tells in words are its own numbers."""

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.palette import choose_roles
from explorer.figures.pictures import mean_difference
from explorer.figures.told import describe_figure
from explorer.figures.training import elbo_curves, kl_per_dim_map

ROLES = choose_roles(False)


def test_a_curve_tells_where_it_begins_ends_and_between_what_it_lies():
    figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[5, np.nan, -2.5], mode="lines", name="<b>KL</b>"))
    figure.update_layout(xaxis_title="step", yaxis_title="nats")
    assert describe_figure(figure) == (
        "nats, over step. KL: from 5 at 1 to −2.5 at 3, between −2.5 and 5."
    )


def test_bars_tell_which_is_highest():
    figure = go.Figure(go.Bar(x=["a", "b"], y=[1, 2], base=[0, 1], name="λ"))
    assert describe_figure(figure) == "λ: 2 bars from 1 to 3, the highest at b."


def test_many_classes_are_told_as_one_cloud():
    figure = go.Figure()
    for label in range(6):
        figure.add_scatter(x=[label, -1], y=[0, label], mode="markers", name=str(label))
    assert describe_figure(figure) == (
        "0, 1, 2, 3, 4, 5: 12 points, across from −1 to 5, up from 0 to 5."
    )


def test_what_has_no_name_or_no_value_is_not_told():
    figure = go.Figure(go.Scatter(x=[0, 1], y=[1, 0], mode="lines"))
    figure.add_scatter(x=[0], y=[np.nan], name="nothing yet")
    assert describe_figure(figure) == ""


def test_the_curves_and_the_map_of_a_training_are_told_in_numbers():
    points = [
        {"step": step, "reconstruction": 10.0 - step, "kl": 2.0, "elbo": -9.0, "kl_per_dim": [2, 0]}
        for step in (1, 2)
    ]
    told = describe_figure(elbo_curves(points, [], ROLES, 225))
    assert "reconstruction: from 9 at 1 to 8 at 2" in told and "KL: from 2 at 1 to 2 at 2" in told
    told = describe_figure(kl_per_dim_map(points, ROLES))
    assert "2 rows by 2 columns, values from 0 to 2" in told


def test_pictures_differ_by_a_share_of_black_to_white():
    black, white = np.zeros((2, 1, 2, 2), np.uint8), np.full((2, 1, 2, 2), 255, np.uint8)
    half = np.stack([black[0], white[0]])
    assert mean_difference(black, white) == 1
    assert mean_difference(black, half) == pytest.approx(0.5)
    assert mean_difference(white, white) == 0
