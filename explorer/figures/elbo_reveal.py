"""What is known of z, on the map: p(z | visible pixels) from the prior to the posterior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.latent import add_ground
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

INSET = (0.66, 0.985)
"""Where the magnified view stands, in shares of the figure's width and height."""


@dataclass(frozen=True)
class Belief:
    """A density on a raster: axes `x` (X,) and `y` (Y,), `density` (Y, X), and contour `levels`."""

    x: np.ndarray
    y: np.ndarray
    density: np.ndarray
    levels: Sequence[float]


def add_levels(figure: go.Figure, belief: Belief, colour: str, width: float, **axes: str) -> None:
    """Draw a belief's contour levels as lines, on the first axes unless `axes` say otherwise."""
    for level in belief.levels:
        figure.add_contour(
            x=belief.x,
            y=belief.y,
            z=belief.density,
            showscale=False,
            hoverinfo="skip",
            contours={"start": level, "end": level, "size": 1, "coloring": "none"},
            line={"color": colour, "width": width},
            **axes,
        )


def belief_map(
    belief: Belief | None,
    draws: np.ndarray,
    codes: np.ndarray | None,
    labels: np.ndarray | None,
    roles: Roles,
    words: Mapping[str, str],
    *,
    window: tuple[float, float],
    names: tuple[str, str] = ("z₁", "z₂"),
    magnified: Belief | None = None,
    height: int = 400,
) -> go.Figure:
    """Return the map of two latents: faint codes by class, the belief as heat, draws as dots.

    `draws` (N, 2) are where the completions come from. `magnified` is the belief once more, in an
    inset that a rectangle on the map points to. `window` is the range of both axes. `words`: draw.
    """
    figure = go.Figure()
    add_ground(figure, codes, labels, roles)
    for shown, axes in ((belief, {}), (magnified, {"xaxis": "x2", "yaxis": "y2"})):
        if shown is None:
            continue
        figure.add_heatmap(
            x=shown.x,
            y=shown.y,
            z=shown.density,
            zsmooth="best",
            showscale=False,
            zmin=0,
            hoverinfo="skip",
            colorscale=_veil(roles.latent),
            **axes,
        )
        add_levels(figure, shown, roles.latent, 1.3, **axes)
    for axes in ({},) if magnified is None else ({}, {"xaxis": "x2", "yaxis": "y2"}):
        figure.add_scatter(
            x=draws[:, 0],
            y=draws[:, 1],
            mode="markers",
            name=words["draw"],
            marker={
                "color": roles.latent,
                "size": 7,
                "line": {"color": roles.ground, "width": 1.5},
            },
            hovertemplate="z = (%{x:.2f}, %{y:.2f})<extra></extra>",
            **axes,
        )
    apply_style(figure, roles, height)
    low, high = window
    figure.update_layout(showlegend=False, margin={"l": 40, "r": 6, "t": 6, "b": 34})
    figure.update_layout(
        xaxis={
            "title_text": names[0],
            "range": [low, high],
            "zeroline": True,
            "constrain": "domain",
        },
        yaxis={
            "title_text": names[1],
            "range": [low, high],
            "zeroline": True,
            "scaleanchor": "x",
            "constrain": "domain",
        },
    )
    if magnified is not None:
        _place_inset(figure, magnified, roles)
    return figure


def belief_line(
    z: np.ndarray,
    density: np.ndarray,
    prior: np.ndarray,
    draws: np.ndarray,
    roles: Roles,
    words: Mapping[str, str],
    height: int = 400,
) -> go.Figure:
    """Return the belief about one latent, (Z,), over the prior, with the draws (N,) as dots.

    `words`: prior, belief, draw, density.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=z,
        y=prior,
        mode="lines",
        name=words["prior"],
        line={"color": roles.gap, "width": 2, "dash": "dot"},
    )
    figure.add_scatter(
        x=z,
        y=density,
        mode="lines",
        name=words["belief"],
        fill="tozeroy",
        line={"color": roles.latent, "width": 2},
    )
    figure.add_scatter(
        x=draws,
        y=np.zeros(len(draws)),
        mode="markers",
        name=words["draw"],
        marker={"color": roles.latent, "size": 8},
        hovertemplate="z = %{x:.2f}<extra></extra>",
    )
    figure.update_xaxes(title="z₁")
    figure.update_yaxes(title=words["density"], rangemode="tozero")
    return apply_style(figure, roles, height)


def knowledge_curve(
    counts: Sequence[int],
    nats: Sequence[float],
    now: tuple[int, float],
    total: int,
    roles: Roles,
    words: Mapping[str, str],
    height: int = 150,
) -> go.Figure:
    """Return KL(p(z|visible)‖p(z)) over the number of visible pixels, as far as it was visited.

    `now` is the point on screen. `words`: pixels, nats.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(counts),
        y=list(nats),
        mode="lines+markers",
        line={"color": roles.latent, "width": 2},
        marker={"size": 4},
        hovertemplate="%{x}: %{y:.2f} nats<extra></extra>",
    )
    figure.add_scatter(
        x=[now[0]],
        y=[now[1]],
        mode="markers",
        hoverinfo="skip",
        marker={"color": roles.latent, "size": 10, "line": {"color": roles.ground, "width": 2}},
    )
    apply_style(figure, roles, height)
    figure.update_xaxes(title_text=words["pixels"], range=[-0.02 * total, 1.02 * total])
    figure.update_yaxes(title_text=words["nats"], rangemode="tozero")
    figure.update_layout(showlegend=False, margin={"l": 44, "r": 6, "t": 6, "b": 34})
    return figure


def tint_completions(pictures: np.ndarray, visible: np.ndarray, colour: str) -> np.ndarray:
    """Return pictures (N, C, H, W) in [0, 1] as uint8 (N, 3, H, W), what was hidden in `colour`.

    Given pixels stay as they are; black stays black.
    """
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    values = np.repeat(pictures, 3, 1) if pictures.shape[1] == 1 else pictures
    # Towards white at the bright end, so that strokes stay as legible as the given ones.
    tint = np.array([red, green, blue])[:, None, None]
    hidden = values * (0.25 * values + (1 - 0.25 * values) * tint)
    shown = np.where(visible, values, hidden)
    return (255 * np.clip(shown, 0, 1)).round().astype(np.uint8)


def _veil(colour: str) -> list[list[object]]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return [[t, f"rgba({red},{green},{blue},{0.85 * t**0.6:.3f})"] for t in np.linspace(0, 1, 9)]


def _place_inset(figure: go.Figure, magnified: Belief, roles: Roles) -> None:
    left, right = float(magnified.x[0]), float(magnified.x[-1])
    low, high = float(magnified.y[0]), float(magnified.y[-1])
    figure.add_shape(
        type="rect", x0=left, x1=right, y0=low, y1=high, line={"color": roles.text, "width": 1}
    )
    figure.add_shape(
        type="rect",
        xref="x2 domain",
        yref="y2 domain",
        x0=0,
        x1=1,
        y0=0,
        y1=1,
        layer="below",
        fillcolor=roles.ground,
        line={"width": 0},
    )
    axis = {
        "showgrid": False,
        "zeroline": False,
        "mirror": True,
        "showline": True,
        "linecolor": roles.text,
        "tickfont": {"size": 9},
        "nticks": 3,
        "showticklabels": True,
    }
    figure.update_layout(
        xaxis2={**axis, "domain": INSET, "range": [left, right], "anchor": "y2", "side": "bottom"},
        yaxis2={**axis, "domain": INSET, "range": [low, high], "anchor": "x2", "side": "left"},
    )
