"""Names beside the curves that they name, each in its curve's colour: nobody looks up a legend."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

SIZE = 12
LINE = 15
"""Pixels from one label to the next below it."""
WRAP = 16
"""Characters after which a name goes on in a second line."""


def label_ends(figure: go.Figure) -> go.Figure:
    """Return `figure` with the name of each curve at the right of its last point, and no legend.

    Names that would lie on one another are moved apart; a part of a stack is named at its middle.
    Called once the figure has its height and its axes.
    """
    named = [trace for trace in figure.data if _is_named(trace)]
    figure.update_layout(showlegend=False)
    if not named:
        return figure
    margin = figure.layout.margin
    plot = figure.layout.height - margin.t - margin.b
    low, high = _span(figure)
    ends = [_end(figure, trace) for trace in named]
    names = [_wrap(trace.name) for trace in named]
    wanted = [plot * (high - end) / (high - low) for end in ends]
    room = [LINE * (1 + name.count("<br>")) for name in names]
    for trace, name, end, pixels, place in zip(
        named, names, ends, wanted, move_apart(wanted, room, plot), strict=True
    ):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=4, y=end, yref="y", yanchor="middle",
            yshift=pixels - place, text=name, align="left", showarrow=False,
            font={"size": SIZE, "color": _colour(trace)},
        )  # fmt: skip
    widest = max(_width(line) for name in names for line in name.split("<br>"))
    return figure.update_layout(margin={"r": max(margin.r, round(widest) + 10)})


def label_peaks(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Return `figure` with the curves' `names` above their highest points, and no legend.

    Names that would lie on one another are moved apart. The y axis begins at 0; called once the
    figure has its height.
    """
    named = [trace for trace in figure.data if trace.name in names]
    places = [int(np.argmax(trace.y)) for trace in named]
    margin = figure.layout.margin
    plot = figure.layout.height - margin.t - margin.b
    top = max(float(np.max(trace.y)) for trace in figure.data) / (1 - LINE / plot)
    peaks = [float(trace.y[place]) for trace, place in zip(named, places, strict=True)]
    wanted = [plot * (1 - peak / top) - LINE / 2 for peak in peaks]
    lines = move_apart(wanted, [LINE] * len(named), plot)
    for trace, place, line in zip(named, places, lines, strict=True):
        figure.add_annotation(
            x=trace.x[place],
            y=top * (1 - line / plot),
            text=trace.name,
            yanchor="middle",
            showarrow=False,
            font={"size": SIZE, "color": _colour(trace)},
        )
    figure.update_yaxes(range=[0, top])
    return figure.update_layout(showlegend=False)


def label_corner(
    figure: go.Figure, names: Sequence[tuple[str, str]], x: str = "x", y: str = "y"
) -> None:
    """Write names, each with its colour, below one another in the upper right corner of a plot."""
    for line, (name, colour) in enumerate(names):
        figure.add_annotation(
            x=1,
            xref=f"{x} domain",
            xanchor="right",
            y=1,
            yref=f"{y} domain",
            yanchor="top",
            yshift=-LINE * line,
            text=name,
            showarrow=False,
            font={"size": SIZE, "color": colour},
        )


def label_point(
    figure: go.Figure,
    x: float,
    y: float,
    name: str,
    colour: str,
    xanchor: str,
    yanchor: str,
    *,
    apart: int = 0,
    lift: int = 0,
) -> None:
    """Write a name at a point, `apart` pixels beside it and `lift` above or below it.

    The anchors are Plotly's, the name's: "left" is to the right of the point, "bottom" above it.
    """
    figure.add_annotation(
        x=x,
        y=y,
        text=name,
        showarrow=False,
        xanchor=xanchor,
        yanchor=yanchor,
        xshift=apart if xanchor == "left" else -apart,
        yshift=-lift if yanchor == "top" else lift,
        font={"size": SIZE, "color": colour},
    )


def move_apart(wanted: Sequence[float], room: Sequence[float], height: float) -> list[float]:
    """Return places near the `wanted` ones, pixels from the top, that lie `room` apart."""
    order = np.argsort(wanted, kind="stable")
    places = [min(max(float(value), 0.0), height) for value in wanted]
    for above, below in zip(order, order[1:], strict=False):
        least = places[above] + (room[above] + room[below]) / 2
        places[below] = max(places[below], least)
    # What was pushed out at the bottom comes back, and pushes those above it.
    places[order[-1]] = min(places[order[-1]], height)
    for below, above in zip(order[::-1], order[-2::-1], strict=False):
        places[above] = min(places[above], places[below] - (room[above] + room[below]) / 2)
    return places


def _is_named(trace: Any) -> bool:
    shown = bool(trace.name) and trace.showlegend is not False
    return shown and trace.x is not None and len(trace.x) > 0


def _end(figure: go.Figure, trace: Any) -> float:
    """Return where a trace ends on the y axis, in the axis's own measure."""
    if trace.stackgroup:
        parts = [other for other in figure.data if other.stackgroup == trace.stackgroup]
        below = sum(_last(other) for other in parts[: parts.index(trace)])
        bottom = max(below, _span(figure)[0])
        return (bottom + below + _last(trace)) / 2
    return float(_measure(figure, np.array([_last(trace)]))[0])


def _last(trace: Any) -> float:
    values = np.asarray(trace.y, dtype=float)
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else 0.0


def _span(figure: go.Figure) -> tuple[float, float]:
    """Return the range of the y axis: what was set, else what the curves take."""
    axis = figure.layout.yaxis
    if axis.range is not None:
        return float(axis.range[0]), float(axis.range[1])
    values = np.concatenate([np.asarray(trace.y, dtype=float) for trace in figure.data])
    values = _measure(figure, values)
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if axis.rangemode == "tozero" and axis.type != "log":
        low, high = min(low, 0.0), max(high, 0.0)
    pad = 0.05 * (high - low) or 1.0
    return low - pad, high + pad


def _measure(figure: go.Figure, values: np.ndarray) -> np.ndarray:
    if figure.layout.yaxis.type != "log":
        return values
    return np.log10(np.where(values > 0, values, np.nan))


def _colour(trace: Any) -> str:
    return str(trace.line.color or trace.marker.color)


def _wrap(name: str) -> str:
    middle = min(
        (i for i, letter in enumerate(name) if letter == " "),
        key=lambda i: abs(i - len(name) / 2),
        default=-1,
    )
    return name if len(name) <= WRAP or middle < 0 else f"{name[:middle]}<br>{name[middle + 1 :]}"


def _width(text: str) -> float:
    """Return about how many pixels a line takes; a Han character is as wide as high."""
    return sum(SIZE if ord(letter) > 0x2E80 else 0.53 * SIZE for letter in text)
