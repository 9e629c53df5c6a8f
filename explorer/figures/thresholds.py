"""Why a latent sleeps, in a picture: what the images hold against the β that was used."""

from collections.abc import Sequence
from math import log10

import plotly.graph_objects as go

from explorer.codes import threshold_name
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style
from explorer.text import number

MOST_BARS = 16
ROW, ROOM = 24, 70
"""Pixels of a bar, and of the axis and the names of the lines."""


def threshold_bars(
    thresholds: Sequence[float],
    used: float,
    roles: Roles,
    *,
    name: str,
    target: float | None = None,
    target_name: str = "",
    least: int = 200,
) -> go.Figure:
    """Return a bar for each threshold λ, and β as a line that the bars above it cross.

    The axis is a logarithm. `target` is a β that is proposed, a dashed line; `least` the height in
    pixels.
    """
    values = [value for value in thresholds[:MOST_BARS] if value > 0]
    shown = [*values, used, *([target] if target else [])]
    low = min(shown) / 3
    figure = go.Figure()
    figure.add_bar(
        x=values,
        y=[threshold_name(index) for index in range(len(values))],
        orientation="h",
        marker={"color": [roles.reconstruction if v > used else roles.gap for v in values]},
        text=[number(value, ".3g") for value in values],
        textposition="outside",
        cliponaxis=False,
        showlegend=False,
        hovertemplate="%{y} = %{x:.3g}<extra></extra>",
    )
    lines = [(used, name, "solid")]
    if target:
        lines.append((target, target_name, "dash"))
    for value, words, dash in lines:
        figure.add_vline(x=value, line={"color": roles.beta, "width": 2, "dash": dash})
        figure.add_annotation(
            text=f"{words} {number(value, '.3g')}",
            font={"color": roles.beta, "size": 13},
            x=log10(value),  # Of a log axis annotations want the exponent.
            y=1.0,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
        )
    figure.update_xaxes(type="log", range=[log10(low), log10(max(shown) * 2.5)], dtick=1)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure = apply_style(figure, roles, max(least, ROW * len(values) + ROOM))
    return figure.update_layout(margin={"t": 26}, bargap=0.3)
