"""Models that differ in β, side by side: maps, the rate–distortion plane, units over β."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.codes import threshold_name
from explorer.figures.labels import label_ends
from explorer.figures.latent import RINGS, add_ring
from explorer.figures.palette import Roles, class_colours
from explorer.figures.style import apply_style
from explorer.figures.words import WORDS, Words

LEAST_RANGE, LARGEST_RANGE = 3.2, 7.0
"""Small maps all show the same square, which reaches this far in prior standard deviations."""

NEARLY_ALL = 0.97
NEAR = 1.5
"""Eigenvalues in a smaller ratio have names that would lie on one another."""


NO_BOUNDS: Mapping[str, Sequence[bool]] = MappingProxyType({})


def choose_range(codes: Sequence[np.ndarray]) -> float:
    """Return how far a square around 0 must reach to hold nearly all of each (N, 2).

    A few far codes of one model would make the maps of all others small.
    """
    far = [np.quantile(np.abs(points).max(1), NEARLY_ALL) for points in codes if len(points)]
    return float(min(max(1.06 * max(far, default=0.0), LEAST_RANGE), LARGEST_RANGE))


def small_maps(
    titles: Sequence[str],
    codes: Sequence[np.ndarray],
    labels: Sequence[np.ndarray | None],
    roles: Roles,
    *,
    reach: float = LEAST_RANGE,
    columns: int = 6,
    side: int = 196,
) -> go.Figure:
    """Return one small map per model: codes (N, 2) coloured by class on the prior's rings.

    Rows have `columns` places, of which the last may stay empty. All maps show the square from
    −reach to reach (`choose_range`), in prior standard deviations.
    """
    rows = -(-len(titles) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=titles,
        horizontal_spacing=0.012,
        vertical_spacing=0.11 if rows > 1 else 0.0,
    )
    for index, (points, classes) in enumerate(zip(codes, labels, strict=True)):
        row, column = index // columns + 1, index % columns + 1
        for radius, _ in RINGS[:2]:
            add_ring(figure, radius, roles, 49, row=row, col=column)
        colour = roles.latent if classes is None else class_colours(classes)
        figure.add_scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers",
            hoverinfo="skip",
            marker={"color": colour, "size": 3, "opacity": 0.8},
            row=row,
            col=column,
        )
    apply_style(figure, roles, rows * side + 8)
    hidden = {"showticklabels": False, "range": [-reach, reach], "showgrid": False}
    figure.update_xaxes(**hidden, zeroline=True, showline=True, mirror=True)
    figure.update_yaxes(**hidden, zeroline=True, showline=True, mirror=True)
    for index in range(len(titles)):
        suffix = "" if index == 0 else str(index + 1)
        figure.layout[f"yaxis{suffix}"].update(scaleanchor=f"x{suffix}", scaleratio=1)
    for index in range(len(titles), rows * columns):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        figure.update_xaxes(visible=False, **place)
        figure.update_yaxes(visible=False, **place)
    figure.update_layout(showlegend=False, margin={"l": 4, "r": 4, "t": 24, "b": 4})
    figure.update_annotations(font={"size": 12, "color": roles.text})
    return figure


def units_over_beta(
    betas: Sequence[float],
    counts: Mapping[str, Sequence[float]],
    roles: Roles,
    *,
    bounds: Mapping[str, Sequence[bool]] = NO_BOUNDS,
    eigenvalues: Sequence[float] = (),
    height: int = 360,
    words: Words = WORDS,
) -> go.Figure:
    """Return curves over β, such as active units and mutual information, on a logarithmic axis.

    `counts` maps names to one value per β; `bounds` tells of a name which of its values are lower
    bounds: they are marked by a triangle and told with "≥". At each of the `eigenvalues` a further
    latent falls asleep, says the wake-up rule: they are drawn as vertical lines.
    """
    figure = go.Figure()
    styles = ((roles.latent, "solid"), (roles.mean, "dash"), (roles.kl, "dot"))
    for (name, values), (colour, dash) in zip(counts.items(), styles, strict=False):
        least = bounds.get(name, [False] * len(values))
        symbols = ["triangle-up" if bound else "circle" for bound in least]
        figure.add_scatter(
            x=list(betas),
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"size": [10 if bound else 6 for bound in least], "symbol": symbols},
            customdata=["≥ " if bound else "" for bound in least],
            hovertemplate="β = %{x:g}: %{customdata}%{y:.2f}",
        )
    top = 1.05 * max((max(values) for values in counts.values() if len(values)), default=1.0)
    height_of_name = 1.0
    for index, value in enumerate(eigenvalues):
        # Names of near neighbours take turns above and below, so that both can be read.
        near = index > 0 and eigenvalues[index - 1] < NEAR * value
        height_of_name = 0.55 if near and height_of_name == 1.0 else 1.0
        figure.add_scatter(
            x=[value, value],
            y=[0, top],
            mode="lines",
            showlegend=False,
            hoverinfo="skip",
            line={"color": roles.sigma, "width": 1.2, "dash": "dash"},
        )
        figure.add_annotation(
            x=float(np.log10(value)),
            y=height_of_name * top,
            textangle=-90,
            text=f"{threshold_name(index)} = {value:.1f}",
            showarrow=False,
            yanchor="top",
            xanchor="right",
            font={"size": 10, "color": roles.sigma},
        )
    figure.update_xaxes(title="β", type="log", dtick=1)
    figure.update_yaxes(title=words["units"], rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return label_ends(apply_style(figure, roles, height))


def kl_bars(
    betas: Sequence[float],
    reconstruction: Sequence[float],
    kl_per_dim: np.ndarray,
    roles: Roles,
    height: int = 250,
    words: Words = WORDS,
    marks: Sequence[str] = (),
) -> go.Figure:
    """Return for each β its KL, one stacked share per dimension (M, K), largest first.

    `marks` are the bars' names, β unless given.
    """
    figure = go.Figure()
    names = list(marks) or [f"{beta:g}" for beta in betas]
    ordered = -np.sort(-kl_per_dim, axis=1)
    for index in range(ordered.shape[1]):
        figure.add_bar(
            x=names,
            y=ordered[:, index],
            name=words["dimension_by_size"].format(rank=index + 1),
            marker={"color": roles.kl, "opacity": max(0.25, 1 - 0.3 * index)},
            customdata=list(reconstruction),
            hovertemplate=words["kl_bar"] + "<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.3, showlegend=False)
    figure.update_xaxes(title="β", type="category")
    figure.update_yaxes(title=words["kl_nats_per_image"])
    return apply_style(figure, roles, height)
