"""Models side by side: small maps of equal size, the shares that tell holes, component images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.latent import latent_scatter
from explorer.figures.palette import Roles
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.figures.style import apply_style, as_label
from explorer.figures.words import WORDS, Words

USUAL_PERCENT = 5.0


@dataclass(frozen=True)
class Square:
    """The part of the plane that a map shows: centre and half a side."""

    x: float
    y: float
    half: float

    def axis(self, vertical: bool = False) -> tuple[float, float]:
        """Return the range of one axis."""
        middle = self.y if vertical else self.x
        return middle - self.half, middle + self.half

    def grid(self, size: int) -> np.ndarray:
        """Return the cell centres (size², 2), top row first, left to right."""
        offsets = (np.arange(size) + 0.5) / size * 2 - 1
        x, y = np.meshgrid(self.x + self.half * offsets, self.y - self.half * offsets)
        return np.stack([x.ravel(), y.ravel()], 1)


def fit_square(codes: np.ndarray, ring: float = 3.0) -> Square:
    """Return the square that holds nearly all codes (N, 2) and the prior's ring of 3 σ."""
    low, high = np.quantile(codes, (0.003, 0.997), axis=0)
    low, high = np.minimum(low, -ring), np.maximum(high, ring)
    middle, half = (low + high) / 2, float((high - low).max()) / 2
    return Square(float(middle[0]), float(middle[1]), 1.06 * half)


def common_square(squares: Sequence[Square]) -> Square:
    """Return the square that holds all of them."""
    axes = np.array([[*square.axis(), *square.axis(True)] for square in squares])
    low, high = axes[:, [0, 2]].min(0), axes[:, [1, 3]].max(0)
    middle = (low + high) / 2
    return Square(float(middle[0]), float(middle[1]), float((high - low).max()) / 2)


def small_map(
    codes: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str],
    roles: Roles,
    square: Square,
    *,
    axes: tuple[int, int] = (0, 1),
    drawn: np.ndarray | None = None,
    drawn_name: str = "",
    pictures: np.ndarray | None = None,
    holes: np.ndarray | None = None,
    rings: bool = True,
    height: int = 300,
    words: Words = WORDS,
) -> go.Figure:
    """Return the codes (N, K) of one model on `square`, the same side for every model.

    `drawn` (M, 2) are random codes; behind the points lie decoded `pictures` (S², C, H, W), or grey
    cells where `holes` (S, S) is true, both over the square, top row first.
    """
    figure = latent_scatter(
        codes, labels, class_names, roles, axes=axes, rings=rings, height=height, words=words
    )
    figure.update_traces(marker={"size": 3.5}, selector={"mode": "markers"})
    figure.update_annotations(font={"size": 12}, selector={"bgcolor": roles.ground})
    if pictures is not None:
        size = round(len(pictures) ** 0.5)
        figure.add_layout_image(
            source=data_uri(encode_png(picture_sheet(pictures, size, gap=0))),
            x=square.axis()[0],
            y=square.axis(True)[1],
            sizex=2 * square.half,
            sizey=2 * square.half,
            xref="x",
            yref="y",
            layer="below",
            sizing="stretch",
            opacity=0.85,
        )
        figure.update_traces(opacity=0.5, selector={"mode": "markers"})
    if holes is not None:
        size = len(holes)
        centres = square.grid(size)
        figure.add_heatmap(
            x=centres[:size, 0],
            y=centres[::size, 1],
            z=np.where(holes, 1.0, np.nan),
            colorscale=[[0, roles.gap], [1, roles.gap]],
            showscale=False,
            opacity=0.45,
            hoverinfo="skip",
            name="holes",
        )
        figure.data = (figure.data[-1], *figure.data[:-1])
    if drawn is not None:
        figure.add_scatter(
            x=drawn[:, 0],
            y=drawn[:, 1],
            mode="markers",
            name="drawn",
            showlegend=False,
            marker={
                "symbol": "circle-open",
                "size": 5,
                "color": roles.latent,
                "line": {"width": 1},
            },
            hovertemplate=f"{drawn_name}: (%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
        )
    figure.update_xaxes(range=square.axis(), constrain="domain")
    # In a narrow column the square shrinks: it stays below its title.
    figure.update_yaxes(range=square.axis(True), constrain="domain", constraintoward="top")
    return figure.update_layout(margin={"l": 34, "r": 4, "t": 4, "b": 32})


def share_bars(
    names: Sequence[str],
    shares: Sequence[Sequence[tuple[float, float]]],
    titles: Sequence[str],
    roles: Roles,
    usual: str,
    height: int = 230,
) -> go.Figure:
    """Return one group of points with error bars per share: `shares[g][i]` = (share, error).

    `titles` name the groups, `names` the models; a dotted line, called `usual`, marks 5 %.
    """
    figure, names = go.Figure(), [as_label(name) for name in names]
    colours = (roles.gap, roles.latent)
    for index, (title, values) in enumerate(zip(titles, shares, strict=True)):
        figure.add_scatter(
            x=[100 * share for share, _ in values],
            y=list(range(len(names))),
            mode="markers",
            name=title,
            text=list(names),
            error_x={"array": [100 * error for _, error in values], "thickness": 1.5, "width": 4},
            marker={
                "size": 11,
                "color": colours[index % 2],
                "symbol": ("square", "circle")[index % 2],
            },
            hovertemplate=(
                f"%{{text}}: {title} %{{x:.1f}} ± %{{error_x.array:.1f}} %<extra></extra>"
            ),
        )
    # The groups are named at the first model's points, the farther one to the right of its own.
    firsts = [100 * values[0][0] for values in shares]
    for title, first, colour in zip(titles, firsts, colours, strict=False):
        figure.add_annotation(
            x=first,
            y=0,
            yshift=14,
            text=title,
            showarrow=False,
            xanchor="right" if 10 < first < max(firsts) else "left",
            font={"size": 12, "color": colour},
        )
    figure.add_annotation(
        x=USUAL_PERCENT,
        y=len(names) - 0.5,
        text=usual,
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        xshift=4,
        font={"size": 11, "color": roles.text},
    )
    figure.add_scatter(
        x=[USUAL_PERCENT] * 2,
        y=[-0.5, len(names) - 0.5],
        mode="lines",
        name=usual,
        line={"color": roles.text, "width": 1, "dash": "dot"},
        opacity=0.6,
        hoverinfo="skip",
    )
    figure.update_xaxes(rangemode="tozero", ticksuffix=" %")
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        tickvals=list(range(len(names))),
        ticktext=list(names),
        automargin=True,
    )
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def component_images(components: np.ndarray) -> np.ndarray:
    """Return signed images (K, C, H, W) as uint8: 0 is mid-grey, the largest weight white or black.

    Each is scaled by its own largest weight.
    """
    top = np.abs(components).reshape(len(components), -1).max(1)
    scaled = components / np.maximum(top, 1e-12)[:, None, None, None]
    return np.asarray((127.5 + 127.5 * scaled).round(), np.uint8)
