"""A report's figures as SVG: KL over the steps, thresholds against β, the plane of the variances.

Colours are the roles' style variables, so that one drawing serves light, dark and print. Sizes are
in units of a view box that the page scales.
"""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.analysis.consultation.consult import SLEEPING, Consultation
from explorer.analysis.consultation.fates import Fate
from explorer.codes import latent_name, threshold_name
from explorer.figures.marks import Box, place_names
from explorer.text import number, say

WIDTH = 640
LEFT, RIGHT, LINE = 44, 12, 15
MOST_ROWS, MOST_COLUMNS = 40, 120
MOST_BARS = 16
MOST_NAMED = 12
"""Points of the plane: the names of more are a cloud."""


def draw_timeline(points: Sequence[Mapping[str, Any]], fates: Sequence[Fate], language: str) -> str:
    """Return KL over dimension and step as SVG, with a mark where each fell asleep or woke.

    "" where no KL per dimension was logged. Steps are spaced by their logarithm; colour follows the
    square root of KL.
    """
    rows = [point for point in points if "kl_per_dim" in point and point["step"] > 0]
    if len(rows) < 2:
        return ""
    rows = [rows[i] for i in _thin(len(rows), MOST_COLUMNS)]
    steps = [int(row["step"]) for row in rows]
    kl = np.sqrt(np.maximum(np.array([row["kl_per_dim"] for row in rows]).T, 0))
    order = np.argsort(-kl.mean(1), kind="stable")[:MOST_ROWS]
    top = max(float(kl.max()), 1e-9)
    height = LINE * len(order)
    edges = _log_edges(steps)
    parts = []
    for place, index in enumerate(order):
        y = place * LINE
        parts.append(draw_label(LEFT - 6, y + 11, latent_name(index), "end"))
        for column, value in enumerate(kl[index] / top):
            if value > 0.02:
                x, wide = edges[column], edges[column + 1] - edges[column]
                parts.append(
                    f'<rect class="kl" x="{x:.1f}" y="{y + 1}" width="{wide + 0.4:.1f}" '
                    f'height="{LINE - 2}" opacity="{value:.2f}"/>'
                )
    places = {int(index): place for place, index in enumerate(order)}
    for fate in fates:
        if fate.step is not None and fate.dimension in places:
            x = _log_place(fate.step, steps)
            mark, role = ("✕", "ink") if fate.kind == "died" else ("★", "z")
            y = places[fate.dimension] * LINE + 12
            if fate.is_coarse and fate.after is not None:
                start = _log_place(fate.after, steps)
                parts.append(draw_bracket(start, x, y - 4))
                x = (start + x) / 2
            parts.append(f'<text class="{role}" x="{x:.1f}" y="{y}" {_MIDDLE}>{mark}</text>')
    parts += _log_axis(steps, height, say(language, "figure.step"))
    return frame_svg(parts, height + 34, say(language, "collapse.timeline"))


def draw_bracket(start: float, end: float, y: float) -> str:
    """Return the interval in which something happened."""
    path = f"M{start:.1f} {y - 4}v8M{end:.1f} {y - 4}v8M{start:.1f} {y}H{end:.1f}"
    return f'<path fill="none" stroke="currentColor" stroke-width="1.5" d="{path}"/>'


def draw_thresholds(found: Consultation, language: str) -> str:
    """Return the thresholds λ as bars and the β that was used as a line, "" where none is known."""
    values = found.thresholds.values[: min(found.latents, MOST_BARS)]
    beta = found.used
    if not values or beta is None or beta <= 0:
        return ""
    target = None if found.prescription is None else found.prescription.beta
    shown = [*values, beta, *([target] if target else [])]
    low = 10 ** math.floor(math.log10(min(shown) / 1.5))
    high = max(shown) * 1.6

    def place(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return LEFT + share * (WIDTH - LEFT - RIGHT - 60)

    tall = 18
    height = tall * len(values)
    parts = []
    for i, value in enumerate(values):
        y, wide = 22 + i * tall, place(value) - LEFT
        parts.append(draw_label(LEFT - 6, y + 12, threshold_name(i), "end"))
        state = "bar" if value > beta else "bar short"
        parts.append(
            f'<rect class="{state}" x="{LEFT}" y="{y + 2}" width="{wide:.1f}" height="{tall - 4}"/>'
        )
        parts.append(draw_label(LEFT + wide + 5, y + 12, number(value, ".3g"), "start"))
    lines = [(beta, "beta", "")]
    if target is not None and abs(math.log(target / beta)) > 0.05:
        lines.append((target, "beta new", "→ "))
    for value, role, sign in lines:
        x = place(value)
        parts.append(f'<line class="{role}" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{height + 24}"/>')
        parts.append(
            f'<text class="{role}" x="{x:.1f}" y="13" {_MIDDLE}>{sign}β {value:.3g}</text>'
        )
    return frame_svg(parts, height + 30, say(language, "why.title"))


def draw_plane(diagnosis: Mapping[str, Any], language: str) -> str:
    """Return the plane of Var μ and mean σ² as SVG, "" where the spreads are not known."""
    rows = [row for row in diagnosis["dimensions"] if row.get("mean_var") is not None]
    if not rows:
        return ""
    wide = max(1.0, *(row["var_mean"] for row in rows)) * 1.1
    tall = max(1.0, *(row["mean_var"] for row in rows)) * 1.1
    height = 200
    across, up = (WIDTH - LEFT - RIGHT) / wide, (height - 18) / tall

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + across * x, 8 + height - up * y

    (x0, y0), (x1, y1) = place(0, 1), place(1, 0)
    parts = [
        f'<path class="axis" fill="none" d="M{LEFT} 8 V{height + 8} H{WIDTH - RIGHT}"/>',
        f'<line class="axis dotted" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>',
        *(
            draw_label(place(tick, 0)[0], height + 22, f"{tick:g}", "middle")
            for tick in (0, 0.5, 1)
        ),
        *(draw_label(LEFT - 6, place(0, tick)[1] + 4, f"{tick:g}", "end") for tick in (0.5, 1)),
        draw_label(WIDTH - RIGHT, height + 38, say(language, "figure.var_mean"), "end"),
        draw_label(LEFT - 6, 12, say(language, "figure.mean_var"), "start"),
    ]
    points = [place(row["var_mean"], row["mean_var"]) for row in rows]
    kinds = ["kl" if row["verdict"] in SLEEPING else "z" for row in rows]
    for (x, y), role in zip(points, kinds, strict=True):
        parts.append(f'<circle class="{role}" cx="{x:.1f}" cy="{y:.1f}" r="4.5" opacity=".8"/>')
    if len(rows) <= MOST_NAMED:
        names = [latent_name(row["index"]) for row in rows]
        frame = Box(LEFT, 0, WIDTH - RIGHT, height + 8)
        for name in place_names(points, names, kinds, frame):
            if name.leads:
                x, y = points[name.index]
                path = f"M{x:.1f} {y:.1f}L{name.x:.1f} {name.y:.1f}"
                parts.append(f'<path class="axis" fill="none" d="{path}"/>')
            side = "start" if name.left else "end"
            parts.append(draw_label(name.x, name.y + 4, name.text, side))
    return frame_svg(parts, height + 44, say(language, "collapse.plane"))


_MIDDLE = 'text-anchor="middle"'


def _thin(count: int, most: int) -> list[int]:
    return np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()


def _log_place(step: float, steps: Sequence[int]) -> float:
    span = math.log(steps[-1] / steps[0]) or 1.0
    share = math.log(max(step, steps[0]) / steps[0]) / span
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _log_edges(steps: Sequence[int]) -> list[float]:
    """Return where each column begins, and where the last one ends."""
    middles = [math.sqrt(a * b) for a, b in zip(steps, steps[1:], strict=False)]
    return [_log_place(step, steps) for step in (steps[0], *middles, steps[-1])]


def _log_axis(steps: Sequence[int], height: float, title: str) -> list[str]:
    powers = range(math.ceil(math.log10(steps[0])), math.floor(math.log10(steps[-1])) + 1)
    parts = [
        draw_label(_log_place(10**power, steps), height + 14, f"{10**power:,}", "middle")
        for power in powers
    ]
    return [*parts, draw_label(WIDTH - RIGHT, height + 29, title, "end")]


def draw_label(x: float, y: float, words: str, anchor: str) -> str:
    """Return words at a place; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def frame_svg(parts: Sequence[str], height: float, title: str) -> str:
    """Return an image of its parts, WIDTH wide."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{html.escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
