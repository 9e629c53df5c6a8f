"""A Plotly figure → SVG, for pages that are too small for a plotting library.

Drawn is what the figures of Learn are made of: lines, areas, points, bars, horizontal lines and
annotations on linear, logarithmic and named axes. A role has the colour of the page's theme.
"""

import html
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.figures.palette import LIGHT

WIDTH = 620
ROLES = {value: name for name, value in reversed(vars(LIGHT).items())}
"""Roles by their colour in the theme that a figure must be drawn in: that of LIGHT."""
DASHES = {"dash": "7 5", "dot": "2 4", "dashdot": "7 4 2 4"}
ANCHORS = {"left": "start", "center": "middle", "right": "end", "auto": "middle"}
_RGBA = re.compile(r"rgba\((\d+),\s*(\d+),\s*(\d+),\s*([\d.]+)\)")


def draw_figure(figure: Any, width: int = WIDTH, told: str = "") -> str:
    """Return a figure as one `<svg>`, `told` as its plain name; its roles must be LIGHT's."""
    return _Drawing(figure, width).draw(told.replace("**", ""))


class _Axis:
    """One axis: where its values lie in pixels along it."""

    def __init__(
        self, axis: Any, start: float, length: float, values: Sequence[Any], fixed: Any = None
    ) -> None:
        self.layout = axis
        self.start, self.length = start, length
        self.names: list[str] = []
        if axis.type == "category":
            for value in values:
                if str(value) not in self.names:
                    self.names.append(str(value))
        low, high = fixed if fixed is not None else self._fit(values)
        self.low, self.high = float(low), float(high)

    def _fit(self, values: Sequence[Any]) -> tuple[float, float]:
        numbers = self.measure(values)
        numbers = numbers[np.isfinite(numbers)]
        low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 1.0)
        room = 0.05 * ((high - low) or 1.0)
        if self.layout.rangemode == "tozero" or (low >= 0 and low < room * 4):
            return min(low, 0.0), high + room
        return low - room, high + room

    def measure(self, values: Any) -> Any:
        """Return values in the axis's own measure: logarithms, or places of names."""
        if self.names:
            return np.array([self.names.index(str(value)) for value in values], float)
        numbers = np.asarray([math.nan if v is None else v for v in values], float)
        if self.layout.type == "log":
            return np.log10(np.maximum(numbers, 1e-12))
        return numbers

    def place(self, measured: Any) -> Any:
        """Return pixels for what is measured."""
        return self.start + (measured - self.low) / (self.high - self.low) * self.length

    def ticks(self) -> list[tuple[float, str]]:
        """Return where ticks lie, in pixels, and what they say."""
        if self.names:
            return [(float(self.place(i)), name) for i, name in enumerate(self.names)]
        if self.layout.tickvals is not None:
            words = self.layout.ticktext or [f"{value:g}" for value in self.layout.tickvals]
            measured = self.measure(self.layout.tickvals)
        else:
            values = _nice(self.low, self.high)
            if self.layout.type == "log":
                values = [float(p) for p in range(math.ceil(self.low), math.floor(self.high) + 1)]
                words = [f"{10**value:g}" for value in values]
            else:
                words = [f"{value:g}".replace("-", "−") for value in values]
            measured = np.array(values)
        found = zip(self.place(measured).tolist(), words, strict=True)
        ends = sorted((self.start, self.start + self.length))
        return [(at, word) for at, word in found if ends[0] - 1 <= at <= ends[1] + 1]


class _Drawing:
    def __init__(self, figure: Any, width: int) -> None:
        self.figure, self.layout, self.width = figure, figure.layout, width
        margin = self.layout.margin
        self.height = float(self.layout.height)
        self.left, self.right = float(margin.l), width - float(margin.r)
        self.top, self.bottom = float(margin.t), self.height - float(margin.b)
        self.axes: dict[str, _Axis] = {}
        for name in self._names():
            self.axes[name] = self._axis(name)

    def _names(self) -> list[str]:
        found = dict.fromkeys(
            name for trace in self.figure.data for name in (trace.xaxis or "x", trace.yaxis or "y")
        )
        return list(found)

    def _axis(self, name: str) -> _Axis:
        layout = self.layout[f"{name[0]}axis{name[1:]}"]
        # An axis that goes with another has that one's range.
        led = self.layout[f"{name[0]}axis{layout.matches[1:]}"] if layout.matches else layout
        fixed = layout.range if layout.range is not None else led.range
        first, last = layout.domain or (0.0, 1.0)
        values = [v for trace in self.figure.data for v in self._values(trace, name)]
        if name[0] == "x":
            across = self.right - self.left
            return _Axis(layout, self.left + first * across, (last - first) * across, values, fixed)
        up = self.bottom - self.top
        return _Axis(layout, self.bottom - first * up, -(last - first) * up, values, fixed)

    def _values(self, trace: Any, name: str) -> Sequence[Any]:
        if name not in (trace.xaxis or "x", trace.yaxis or "y"):
            return ()
        values = trace.x if name[0] == "x" else trace.y
        return () if values is None else list(values)

    def draw(self, told: str) -> str:
        parts = []
        for place, trace in enumerate(self.figure.data):
            if place == 0:
                parts += [self._grid(name) for name in self.axes]
            draw = self._bars if trace.type == "bar" else self._lines
            parts.append(draw(trace))
        parts += [self._shape(shape) for shape in self.layout.shapes]
        parts += [self._annotation(each) for each in self.layout.annotations if each.text]
        name = f'role="img" aria-label="{html.escape(told, quote=True)}"' if told else ""
        size = f'viewBox="0 0 {self.width} {self.height:g}"'
        return f'<svg {size} {name} font-size="12">{"".join(parts)}</svg>'

    def _grid(self, name: str) -> str:
        axis, layout = self.axes[name], self.axes[name].layout
        across = name[0] == "x"
        other = self._partner(name)
        first, last = other.start, other.start + other.length
        found = ""
        for at, word in axis.ticks():
            if layout.showgrid is not False:
                ends = (at, first, at, last) if across else (first, at, last, at)
                found += _line(ends, "var(--role-grid)", 1)
            if layout.showticklabels is not False:
                x, y, side = (at, first + 15, "middle") if across else (first - 6, at + 4, "end")
                found += _text(x, y, word, side, 11, "var(--role-text)")
        if layout.title.text:
            middle = axis.start + axis.length / 2
            if across:
                found += _text(middle, first + 31, layout.title.text, "middle", 12)
            else:
                x = max(first - 36, 12.0)
                turned = f' transform="rotate(-90 {x:.0f} {middle:.0f})"'
                found += _text(x, middle, layout.title.text, "middle", 12, more=turned)
        return found

    def _partner(self, name: str) -> _Axis:
        """Return the axis that this one stands at."""
        for trace in self.figure.data:
            pair = (trace.xaxis or "x", trace.yaxis or "y")
            if name in pair:
                return self.axes[pair[1] if name == pair[0] else pair[0]]
        raise KeyError(name)

    def _of(self, trace: Any) -> tuple[_Axis, _Axis]:
        return self.axes[trace.xaxis or "x"], self.axes[trace.yaxis or "y"]

    def _bars(self, trace: Any) -> str:
        across, up = self._of(trace)
        centres = across.place(across.measure(trace.x))
        step = float(np.diff(centres).min()) if len(centres) > 1 else across.length
        wide = step * (1 - (self.layout.bargap or 0.0))
        base = (
            np.zeros(len(centres))
            if trace.base is None
            else np.broadcast_to(np.asarray(trace.base, float), len(centres))
        )
        ends = up.place(up.measure(base + np.asarray(trace.y, float)))
        starts = up.place(up.measure(base))
        low, high = sorted((up.start, up.start + up.length))
        starts, ends = np.clip(starts, low, high), np.clip(ends, low, high)
        bars = "".join(
            f'<rect x="{x - wide / 2:.1f}" y="{min(a, b):.1f}" width="{wide:.1f}" '
            f'height="{abs(b - a):.1f}"/>'
            for x, a, b in zip(centres, starts, ends, strict=True)
            if abs(b - a) > 0.05
        )
        paint = _paint("fill", trace.marker.color)
        return f'<g {paint} opacity="{_or(trace.opacity, 1):g}">{bars}</g>'

    def _lines(self, trace: Any) -> str:
        if trace.x is None or not len(trace.x):
            return ""
        across, up = self._of(trace)
        x, y = across.place(across.measure(trace.x)), up.place(up.measure(trace.y))
        found, mode = "", trace.mode or "lines"
        path = _path(x, y)
        if trace.fill:
            zero_x, zero_y = float(across.place(0.0)), float(up.place(0.0))
            closed = {
                "tozeroy": f"L{x[-1]:.1f} {zero_y:.1f}L{x[0]:.1f} {zero_y:.1f}Z",
                "tozerox": f"L{zero_x:.1f} {y[-1]:.1f}L{zero_x:.1f} {y[0]:.1f}Z",
                "toself": "Z",
            }[trace.fill]
            found += f'<path d="{path}{closed}" {_paint("fill", trace.fillcolor)}/>'
        width = _or(trace.line.width, 2)
        if "lines" in mode and width:
            dash = DASHES.get(trace.line.dash or "")
            found += (
                f'<path d="{path}" fill="none" {_paint("stroke", trace.line.color)} '
                f'stroke-width="{width:g}"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>"
            )
        if "markers" in mode:
            found += self._markers(trace, x, y)
        if trace.error_y.array is not None:
            found += self._errors(trace, x)
        opacity = _or(trace.opacity, 1)
        return found if opacity == 1 else f'<g opacity="{opacity:g}">{found}</g>'

    def _errors(self, trace: Any, x: Any) -> str:
        """Return how far each point may lie from where it is measured, up and down."""
        up = self._of(trace)[1]
        y, error = np.asarray(trace.y, float), np.asarray(trace.error_y.array, float)
        ends = np.array([up.place(up.measure(values)) for values in (y - error, y + error)])
        bottom, top = sorted((up.start, up.start + up.length))
        bars = ends.clip(bottom, top)
        path = "".join(
            f"M{a:.1f} {low:.1f}V{high:.1f}" for a, low, high in zip(x, *bars, strict=True)
        )
        colour = trace.marker.color or trace.line.color
        return f'<path d="{path}" {_paint("stroke", colour)} stroke-width="1.5"/>'

    def _markers(self, trace: Any, x: Any, y: Any) -> str:
        radius = _or(trace.marker.size, 6) / 2
        colour = trace.marker.color or trace.line.color
        colours = [colour] * len(x) if isinstance(colour, str) or colour is None else list(colour)
        if len(set(colours)) == 1:
            dots = "".join(
                f"M{a:.1f} {b:.1f}h0"
                for a, b in zip(x, y, strict=True)
                if math.isfinite(a) and math.isfinite(b)
            )
            return (
                f'<path d="{dots}" {_paint("stroke", colours[0])} stroke-width="{2 * radius:g}" '
                f'stroke-linecap="round" opacity="{_or(trace.marker.opacity, 1):g}"/>'
            )
        points = "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius:g}" {_paint("fill", c)}/>'
            for a, b, c in zip(x, y, colours, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        )
        return f'<g opacity="{_or(trace.marker.opacity, 1):g}">{points}</g>'

    def _shape(self, shape: Any) -> str:
        x0, x1 = (self._at(shape.xref or "x", value, "x", False) for value in (shape.x0, shape.x1))
        y0, y1 = (self._at(shape.yref or "y", value, "y", False) for value in (shape.y0, shape.y1))
        dash = DASHES.get(shape.line.dash or "")
        line = _line((x0, y0, x1, y1), shape.line.color, shape.line.width or 1, dash)
        opacity = _or(shape.opacity, 1)
        return line if opacity == 1 else f'<g opacity="{opacity:g}">{line}</g>'

    def _at(self, ref: str, value: Any, side: str, is_logarithm: bool) -> float:
        if ref == "paper":
            low, high = (self.left, self.right) if side == "x" else (self.bottom, self.top)
            return float(low + float(value) * (high - low))
        name, _, domain = ref.partition(" ")
        axis = self.axes[name]
        if domain:
            return float(axis.start + float(value) * axis.length)
        return float(axis.place(float(value) if is_logarithm else axis.measure([value])[0]))

    def _annotation(self, each: Any) -> str:
        x = self._at(each.xref or "x", each.x, "x", True) + _or(each.xshift, 0)
        y = self._at(each.yref or "y", each.y, "y", True) - _or(each.yshift, 0)
        size = _or(each.font.size, 12)
        lines = each.text.split("<br>")
        anchor = each.yanchor or "middle"
        first = {"top": size, "middle": 0.35 * size, "bottom": -0.3 * size, "auto": 0.35 * size}
        over = {"top": 0.0, "middle": 0.5, "bottom": 1.0, "auto": 0.5}[anchor]
        y += first[anchor] - over * (len(lines) - 1) * 15
        side = ANCHORS[each.xanchor or "auto"]
        return "".join(
            _text(x, y + 15 * i, line, side, size, _colour(each.font.color)[0])
            for i, line in enumerate(lines)
        )


def _path(x: Any, y: Any) -> str:
    """Return the path through points; NaN breaks it, the inside of an even stretch is left out."""
    found, is_open = [], False
    inside = np.zeros(len(y), bool)
    for even in (np.round(x, 1), np.round(y, 1)):
        inside[1:-1] |= (even[1:-1] == even[:-2]) & (even[1:-1] == even[2:])
    for a, b in zip(np.asarray(x)[~inside], np.asarray(y)[~inside], strict=True):
        if not (math.isfinite(a) and math.isfinite(b)):
            is_open = False
            continue
        found.append(f"{'L' if is_open else 'M'}{a:.1f} {b:.1f}")
        is_open = True
    return "".join(found)


def _line(ends: Sequence[float], colour: Any, width: float, dash: str | None = None) -> str:
    x0, y0, x1, y1 = ends
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    paint = _paint("stroke", colour)
    return (
        f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" {paint} stroke-width="{width:g}"{dashed}/>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    side: str,
    size: float,
    colour: str = "var(--role-text)",
    more: str = "",
) -> str:
    inner = html.escape(html.unescape(words), quote=False)
    low = r'<tspan baseline-shift="sub" font-size="75%">\1</tspan>'
    inner = re.sub(r"&lt;sub&gt;(.*?)&lt;/sub&gt;", low, inner)
    inner = re.sub(r"&lt;/?\w+&gt;", "", inner)
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{side}" font-size="{size:g}" '
        f'fill="{colour}"{more}>{inner}</text>'
    )


def _paint(what: str, colour: Any) -> str:
    name, opacity = _colour(colour)
    return f'{what}="{name}"' + (f' {what}-opacity="{opacity:g}"' if opacity != 1 else "")


def _colour(colour: Any) -> tuple[str, float]:
    """Return a colour as the page's theme has it, and its opacity."""
    found = _RGBA.match(colour or "")
    if found:
        red, green, blue = (int(found[i]) for i in (1, 2, 3))
        return _colour(f"#{red:02x}{green:02x}{blue:02x}")[0], float(found[4])
    if colour in ROLES:
        return f"var(--role-{ROLES[colour]})", 1.0
    return colour or "var(--role-text)", 1.0


def _or(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _nice(low: float, high: float) -> list[float]:
    """Return about five round numbers between two."""
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]
