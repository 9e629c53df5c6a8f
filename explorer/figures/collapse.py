"""Collapse in pictures: where active and passive dimensions separate."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from explorer.figures.labels import label_corner
from explorer.figures.marks import merge_marks
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style
from explorer.figures.words import WORDS, Words

SYMBOLS = {
    "active": "circle", "weak": "circle-open", "mixed": "diamond", "collapsed": "x",
    "empty": "square-open", "ignored": "triangle-down", "uncertain": "star-open",
}  # fmt: skip
SIGNS = {
    "circle": "●", "circle-open": "○", "diamond": "◆", "x": "✕", "square-open": "□",
    "triangle-down": "▼", "star-open": "☆",
}  # fmt: skip
"""Plotly's symbols as letters."""
SLEEPING = ("collapsed", "empty", "ignored")

NAME_WIDTH = 3.0
"""How much wider than high a point with its name is."""


def variance_plane(
    names: Sequence[str],
    var_mean: Sequence[float],
    mean_var: Sequence[float],
    verdicts: Sequence[str],
    shown_as: Mapping[str, str],
    roles: Roles,
    height: int = 300,
    words: Words = WORDS,
) -> go.Figure:
    """Return the plane of Var μ and E σ², where active and passive dimensions separate.

    At an optimum Var μ + E σ² = 1, the dotted line: active ones lie low on it at the right,
    collapsed ones at its upper left end.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[1, 0], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": roles.gap, "width": 1, "dash": "dot"},
    )  # fmt: skip
    spans = (max([1.0, *var_mean]), max([1.0, *mean_var]))
    # A name stands above its point, to the right, and needs room there.
    marks = merge_marks(var_mean, mean_var, names, (NAME_WIDTH * spans[0], spans[1]))
    for verdict in dict.fromkeys(verdicts):
        chosen = [i for i, found in enumerate(verdicts) if found == verdict]
        figure.add_scatter(
            x=[var_mean[i] for i in chosen], y=[mean_var[i] for i in chosen],
            mode="markers+text" if len(names) <= 12 else "markers",
            text=[marks[i] for i in chosen], customdata=[names[i] for i in chosen],
            textposition="top right", name=shown_as[verdict],
            marker={
                "symbol": SYMBOLS[verdict], "size": 10, "color": _colour(verdict, roles),
            },
            hovertemplate="%{customdata}: Var μ %{x:.3f}, E σ² %{y:.3f}<extra></extra>",
        )  # fmt: skip
    # A dimension in full use lies on the axis: it is to be seen whole.
    ranges = [[-0.05 * span, 1.12 * span] for span in spans]
    figure.update_xaxes(title=words["var_mean"], range=ranges[0], zeroline=False)
    figure.update_yaxes(title=words["mean_var"], range=ranges[1], zeroline=False)
    # Nothing lies far above the dotted line: what the symbols mean stands in that corner.
    label_corner(
        figure,
        [
            (f"{shown_as[verdict]} {SIGNS[SYMBOLS[verdict]]}", _colour(verdict, roles))
            for verdict in dict.fromkeys(verdicts)
        ],
    )
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def _colour(verdict: str, roles: Roles) -> str:
    return roles.kl if verdict in SLEEPING else roles.latent
