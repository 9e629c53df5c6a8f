"""Figures as SVG: everything lies where its axes say, in the colours of the page's theme."""

import re
import xml.etree.ElementTree as ElementTree

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from explorer.export.learn.svg import draw_figure
from explorer.figures.palette import LIGHT
from explorer.figures.style import apply_style

WIDTH, HEIGHT = 600, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 590, 8, 262
"""The plot within the margins that `apply_style` gives."""


def draw(figure, **x):
    figure.update_xaxes(**x)
    return ElementTree.fromstring(draw_figure(apply_style(figure, LIGHT, HEIGHT), WIDTH, "told"))


def points(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def curve(tree):
    (found,) = [p for p in tree.iter("path") if p.get("stroke") == "var(--role-kl)"]
    return points(found.get("d"))


@pytest.mark.parametrize(
    ("axis", "x"),
    [({"range": [0, 10]}, [0, 10, 5]), ({"type": "log", "range": [0, 2]}, [1, 100, 10])],
)
def test_a_curve_lies_where_its_axes_say(axis, x):
    figure = go.Figure().add_scatter(x=x, y=[0, 4, 1], mode="lines", line={"color": LIGHT.kl})
    figure.update_yaxes(range=[0, 4])
    assert curve(draw(figure, **axis)) == [(LEFT, BOTTOM), (RIGHT, TOP), (319, 198.5)]


def test_bars_begin_at_their_base_and_are_cut_at_the_axis():
    figure = go.Figure().add_bar(x=["a", "b"], y=[1, 9], base=[1, 0], marker={"color": LIGHT.kl})
    figure.update_yaxes(range=[0, 4])
    tree = draw(figure, type="category", range=[-0.5, 1.5])
    first, second = [(float(r.get("y")), float(r.get("height"))) for r in tree.iter("rect")]
    assert first == (135.0, 63.5) and second == (8.0, 254.0)


def test_what_is_not_finite_breaks_a_curve_and_a_level_stretch_keeps_its_ends():
    y = [1, 1, 1, 1, None, 2]
    figure = go.Figure().add_scatter(x=list(range(6)), y=y, mode="lines", line={"color": LIGHT.kl})
    tree = draw(figure)
    (path,) = [p for p in tree.iter("path") if p.get("stroke") == "var(--role-kl)"]
    assert path.get("d").count("M") == 2 and len(points(path.get("d"))) == 3


def test_colours_follow_the_theme_and_faded_ones_too():
    figure = go.Figure().add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        fill="tozeroy",
        fillcolor="rgba(191,53,73,0.3)",
        line={"color": LIGHT.mean},
    )
    text = ElementTree.tostring(draw(figure), encoding="unicode")
    assert 'fill="var(--role-kl)" fill-opacity="0.3"' in text and "#" not in text


def test_annotations_and_the_name_are_text():
    figure = go.Figure().add_scatter(x=[0, 1], y=[0, 1], mode="lines")
    figure.add_annotation(x=1, y=1, text="λ<sub>1</sub> &lt; <b>2</b>", showarrow=False)
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1])
    tree = draw(figure)
    (said,) = [t for t in tree.iter("text") if "λ" in "".join(t.itertext())]
    assert "".join(said.itertext()).startswith("λ1 <") and float(said.get("x")) == RIGHT
    assert tree.get("aria-label") == "told"


def test_an_axis_that_goes_with_another_has_its_range():
    figure = make_subplots(2, 1, shared_xaxes=True)
    for row in (1, 2):
        figure.add_scatter(x=[1.0, 2.0], y=[0.0, 3.0], mode="lines", row=row, col=1)
    figure.update_xaxes(range=[0, 4], row=2)
    figure.update_layout(height=300, margin={"l": 20, "r": 20, "t": 20, "b": 20})
    paths = re.findall(r'd="M([\d.]+) [\d.]+L([\d.]+) [\d.]+" fill="none"', draw_figure(figure))
    assert len(paths) == 2 and paths[0] == paths[1] == ("165.0", "310.0")


def test_errors_reach_as_far_as_they_are():
    figure = go.Figure()
    figure.add_scatter(
        x=[1.0],
        y=[2.0],
        mode="markers",
        error_y={"type": "data", "array": [1.0]},
        marker={"color": "#123456"},
    )
    figure.update_layout(height=300, margin={"l": 20, "r": 20, "t": 20, "b": 20})
    figure.update_yaxes(range=[0, 4])
    assert re.findall(r" ([\d.]+)V([\d.]+)", draw_figure(figure)) == [("215.0", "85.0")]
