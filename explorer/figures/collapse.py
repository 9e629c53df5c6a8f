"""Collapse in pictures: where active and passive dimensions separate."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from explorer.figures.labels import LINE, label_corner
from explorer.figures.marks import Box, place_names
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style
from explorer.figures.words import WORDS, Words

SYMBOLS = {
    "active": "circle",
    "weak": "circle-open",
    "mixed": "diamond",
    "collapsed": "x",
    "empty": "square-open",
    "ignored": "triangle-down",
    "uncertain": "star-open",
}
SIGNS = {
    "circle": "●",
    "circle-open": "○",
    "diamond": "◆",
    "x": "✕",
    "square-open": "□",
    "triangle-down": "▼",
    "star-open": "☆",
}
"""Plotly's symbols as letters."""
SLEEPING = ("collapsed", "empty", "ignored")

PLOT_WIDTH = 260.0
"""Pixels of the plot at least, a phone's: where it is wider, names lie further apart."""
CORNER_WIDTH = 110.0
"""Of the list of symbols in its upper right corner."""
MOST_NAMED = 12
MARGINS = 46
"""Pixels of a figure's height above and below its plot (`style.apply_style`)."""


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
        x=[0, 1],
        y=[1, 0],
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": roles.gap, "width": 1, "dash": "dot"},
    )
    spans = (max([1.0, *var_mean]), max([1.0, *mean_var]))
    for verdict in dict.fromkeys(verdicts):
        chosen = [i for i, found in enumerate(verdicts) if found == verdict]
        figure.add_scatter(
            x=[var_mean[i] for i in chosen],
            y=[mean_var[i] for i in chosen],
            mode="markers",
            customdata=[names[i] for i in chosen],
            name=shown_as[verdict],
            marker={"symbol": SYMBOLS[verdict], "size": 10, "color": _colour(verdict, roles)},
            hovertemplate="%{customdata}: Var μ %{x:.3f}, E σ² %{y:.3f}<extra></extra>",
        )
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
    if len(names) <= MOST_NAMED:
        _name_points(figure, names, var_mean, mean_var, verdicts, height - MARGINS, roles)
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def _name_points(
    figure: go.Figure,
    names: Sequence[str],
    x: Sequence[float],
    y: Sequence[float],
    verdicts: Sequence[str],
    tall: float,
    roles: Roles,
) -> None:
    """Write the names of points beside them, with a line where one must stand off."""
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    points = [
        (PLOT_WIDTH * (a - left) / (right - left), tall * (high - b) / (high - low))
        for a, b in zip(x, y, strict=True)
    ]
    corner = Box(PLOT_WIDTH - CORNER_WIDTH, 0, PLOT_WIDTH, LINE * len(set(verdicts)))
    frame = Box(0, 0, PLOT_WIDTH, tall)
    for name in place_names(points, names, verdicts, frame, [corner]):
        across, down = points[name.index]
        figure.add_annotation(
            x=x[name.index], y=y[name.index], text=name.text, ax=name.x - across, ay=name.y - down,
            xanchor="left" if name.left else "right", yanchor="middle", font={"size": 12},
            showarrow=True, arrowhead=0, arrowwidth=1, borderpad=0, standoff=5,
            arrowcolor=roles.caption if name.leads else "rgba(0,0,0,0)",
        )  # fmt: skip


def _colour(verdict: str, roles: Roles) -> str:
    return roles.kl if verdict in SLEEPING else roles.latent
