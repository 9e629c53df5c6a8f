"""Eigenvalues against the price of a nat: which latent dimensions a β lets live."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.labels import label_corner, label_ends
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

ASLEEP_NATS, FLOOR_NATS = 0.01, 0.002
"""Below the first a dimension is asleep; smaller KL is drawn at the second."""


def eigenvalue_bars(
    eigenvalues: Sequence[float] | np.ndarray,
    price: float,
    roles: Roles,
    words: Mapping[str, str],
    *,
    height: int = 250,
) -> go.Figure:
    """Return bars of the eigenvalues λ_i (K,) on a logarithmic axis, cut at `price` = βσ².

    What lies below the cut stays in the picture as squared error, min(λ_i, βσ²). The part above is
    told through the latent: its length on this axis, ln λ_i − ln βσ², is 2·KL_i. `words` has
    dimension, eigenvalue, kept, lost, price (with {value}).
    """
    values = np.asarray(eigenvalues, float)
    floor = 0.5 * float(min(values.min(), 0.01))
    names = [f"{index + 1}" for index in range(len(values))]
    lost = np.minimum(values, price)
    kl = 0.5 * np.log(np.maximum(values / price, 1.0))
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=lost - floor,
        base=floor,
        name=words["lost"],
        marker={"color": roles.reconstruction},
        opacity=0.75,
        customdata=lost,
        hovertemplate="%{customdata:.3f}",
    )
    figure.add_bar(
        x=names,
        y=np.maximum(values - lost, 0),
        base=lost,
        name=words["kept"],
        marker={"color": roles.kl},
        customdata=np.stack([values, kl], 1),
        hovertemplate="λ = %{customdata[0]:.3f}, KL = %{customdata[1]:.2f} nats",
    )
    figure.add_hline(y=price, line={"color": roles.text, "width": 1.5, "dash": "dash"})
    # Bars fall from left to right: the upper right corner is free.
    price_line = words["price"].format(value=f"{price:g}")
    label_corner(
        figure,
        [
            (words["kept"], roles.kl),
            (price_line, roles.text),
            (words["lost"], roles.reconstruction),
        ],
    )
    ticks = [value for value in (0.01, 0.03, 0.1, 0.3, 1, 3) if value > floor]
    top = 1.5 * max(1.0, price, float(values.max()))
    figure.update_layout(barmode="overlay", bargap=0.25, hovermode="x unified")
    figure.update_xaxes(
        title=words["dimension"], type="category", range=[-0.7, len(values) - 0.3], showgrid=False
    )
    _set_log_axis(figure, words["eigenvalue"], floor, top, ticks)
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def kl_over_beta(
    betas: Sequence[float],
    kl_per_dim: np.ndarray,
    eigenvalues: Sequence[float],
    roles: Roles,
    words: Mapping[str, str],
    *,
    beta: float,
    height: int = 270,
) -> go.Figure:
    """Return KL of each dimension (M, K) over β, with a line where the wake-up rule ends it.

    Row m belongs to `betas[m]`; dimensions are sorted by size in each model. Dimension i should
    live left of `eigenvalues[i]`; `beta` is the model that is looked at. `words` has dimension
    (with {index}), kl and asleep.
    """
    figure = go.Figure()
    ordered = np.maximum(-np.sort(-np.asarray(kl_per_dim, float), axis=1), FLOOR_NATS)
    top = 2.5 * float(ordered.max())
    figure.add_scatter(
        x=[beta, beta],
        y=[FLOOR_NATS, top],
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": roles.gap, "width": 9},
        opacity=0.3,
    )
    figure.add_hline(y=ASLEEP_NATS, line={"color": roles.gap, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=0,
        y=float(np.log10(ASLEEP_NATS)),
        text=words["asleep"],
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"size": 11, "color": roles.gap},
    )
    dashes = ("solid", "dash", "dot", "dashdot")
    for index in range(ordered.shape[1]):
        figure.add_scatter(
            x=list(betas),
            y=ordered[:, index],
            mode="lines+markers",
            marker={"size": 7},
            name=words["dimension"].format(index=index + 1),
            line={"color": roles.kl, "width": 2, "dash": dashes[index % 4]},
            hovertemplate="%{y:.3f} nats",
        )
    for index, value in enumerate(eigenvalues[: ordered.shape[1]]):
        figure.add_scatter(
            x=[value, value],
            y=[FLOOR_NATS, top],
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            line={"color": roles.sigma, "width": 1.5, "dash": dashes[index % 4]},
        )
        figure.add_annotation(
            x=value,
            y=float(np.log10(top)),
            text=f"λ<sub>{index + 1}</sub> = {value:.1f}",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=3,
            font={"size": 12, "color": roles.sigma},
        )
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title="β", range=[-0.5, 1.05 * max(betas)], zeroline=False)
    _set_log_axis(figure, words["kl"], FLOOR_NATS, top, (0.01, 0.1, 1, 10))
    return label_ends(apply_style(figure, roles, height))


def _set_log_axis(
    figure: go.Figure, title: str, low: float, high: float, ticks: Sequence[float]
) -> None:
    figure.update_yaxes(
        title=title,
        type="log",
        range=[np.log10(low), np.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
