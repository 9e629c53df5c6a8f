"""A figure in one paragraph: its axes, and where each curve, bar and cloud of points lies."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.words import WORDS, Words
from explorer.text import number

MANY = 4
"""Clouds of points above this number are told together."""


def describe_figure(figure: go.Figure, words: Words = WORDS) -> str:
    """Return a figure's content in words and numbers, for those who do not see it."""
    shown = [trace for trace in figure.data if _is_told(trace)]
    clouds = [trace for trace in shown if _is_cloud(trace)]
    together = clouds if len(clouds) > MANY else []
    parts = [*_axes(figure, words)]
    parts += [_describe(trace, words) for trace in shown if trace not in together]
    if together:
        names = ", ".join(_plain(trace.name) for trace in together)
        x = np.concatenate([_numbers(trace.x) for trace in together])
        y = np.concatenate([_numbers(trace.y) for trace in together])
        parts.append(words["told_points"].format(name=names, **_frame(x, y)))
    return " ".join(parts)


def _axes(figure: go.Figure, words: Words) -> Iterator[str]:
    x, y = (_plain(axis.title.text or "") for axis in (figure.layout.xaxis, figure.layout.yaxis))
    if x and y:
        yield words["told_axes"].format(x=x, y=y)


def _describe(trace: Any, words: Words) -> str:
    name = _plain(trace.name or "")
    if trace.type == "heatmap":
        values = _numbers(trace.z)
        rows, columns = np.shape(trace.z)
        return words["told_heat"].format(rows=rows, columns=columns, **_ends(values))
    x, y = trace.x, _numbers(trace.y)
    if trace.type == "bar":
        y = y + (_numbers(trace.base) if trace.base is not None else 0.0)
        highest = x[int(np.nanargmax(y))]
        return words["told_bars"].format(
            name=name, count=len(y), highest=_plain(str(highest)), **_ends(y)
        )
    if _is_cloud(trace):
        return words["told_points"].format(name=name, **_frame(_numbers(x), y))
    finite = np.flatnonzero(np.isfinite(y))
    first, last = (number(float(y[i]), ".4g") for i in (finite[0], finite[-1]))
    start, end = (_place(x[i]) for i in (finite[0], finite[-1]))
    return words["told_curve"].format(
        name=name, first=first, last=last, start=start, end=end, **_ends(y)
    )


def _is_told(trace: Any) -> bool:
    """Tell whether a trace says something of its own: a name, or values of a whole plane."""
    if trace.type == "heatmap":
        return trace.z is not None and np.isfinite(_numbers(trace.z)).any()
    if trace.type not in ("scatter", "scattergl", "bar") or not trace.name or trace.y is None:
        return False
    return bool(np.isfinite(_numbers(trace.y)).any())


def _is_cloud(trace: Any) -> bool:
    return trace.type in ("scatter", "scattergl") and "lines" not in (trace.mode or "lines")


def _frame(x: np.ndarray, y: np.ndarray) -> dict[str, str | int]:
    if not np.isfinite(x).any():
        x = np.arange(len(x), dtype=float)
    across = _ends(x)
    return {"count": len(y), "left": across["low"], "right": across["high"], **_ends(y)}


def _ends(values: np.ndarray) -> dict[str, str]:
    return {
        "low": number(float(np.nanmin(values)), ".4g"),
        "high": number(float(np.nanmax(values)), ".4g"),
    }


def _numbers(values: Sequence[Any]) -> np.ndarray:
    """Return values as floats; names, which have no place on a scale, as none."""
    try:
        return np.asarray(values, dtype=float).ravel()
    except (TypeError, ValueError):
        return np.full(len(values), np.nan)


def _place(value: Any) -> str:
    return number(float(value), ".4g") if isinstance(value, int | float | np.number) else str(value)


def _plain(words: str) -> str:
    """Return words without the markup that Plotly reads in them."""
    return html.unescape(re.sub(r"<[^>]*>", " ", words)).strip()
