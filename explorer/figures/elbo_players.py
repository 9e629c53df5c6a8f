"""Encoder against decoder: the bound, what it bounds, and the gap between them over the steps."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.labels import label_ends
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

BAND = 0.13


def bound_over_steps(
    steps: Sequence[int],
    elbo: Sequence[float],
    log_px: Sequence[float],
    players: Sequence[str],
    roles: Roles,
    words: Mapping[str, str],
    height: int = 330,
) -> go.Figure:
    """Return ELBO and log p(x) over the steps, the gap between them shaded, by who stepped.

    `players[i]` took the steps that end at `steps[i]`: the ground is blue for the encoder, teal
    for the decoder, one above the other for both. `words`: elbo, log_px, step, nats.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(steps),
        y=list(log_px),
        mode="lines+markers",
        name=words["log_px"],
        line={"color": roles.gap, "width": 2.5},
        marker={"size": 6},
        hovertemplate="%{y:.2f} nats",
    )
    figure.add_scatter(
        x=list(steps),
        y=list(elbo),
        mode="lines+markers",
        name=words["elbo"],
        fill="tonexty",
        fillcolor="rgba(138,147,163,0.28)",
        line={"color": roles.objective, "width": 2.5},
        marker={"size": 6},
        hovertemplate="%{y:.2f} nats",
    )
    # Neighbours of one colour are one band.
    start = 0
    for place in range(1, len(steps)):
        last = place == len(steps) - 1
        if last or players[place + 1] != players[place]:
            for colour, low, high in _bands(players[place], roles):
                figure.add_shape(
                    type="rect",
                    xref="x",
                    yref="paper",
                    x0=steps[start],
                    x1=steps[place],
                    y0=low,
                    y1=high,
                    fillcolor=colour,
                    opacity=BAND,
                    line={"width": 0},
                    layer="below",
                )
            start = place
    apply_style(figure, roles, height)
    figure.update_xaxes(title_text=words["step"], rangemode="tozero")
    figure.update_yaxes(title_text=words["nats"])
    if len(steps) == 1:
        # Nothing has moved yet: room for what comes.
        pad = max(1.0, log_px[0] - elbo[0])
        figure.update_xaxes(range=[-1, 10])
        figure.update_yaxes(range=[elbo[0] - pad, log_px[0] + pad])
    figure.update_layout(hovermode="x unified")
    return label_ends(figure)


def heat_picture(values: np.ndarray, colour: str) -> np.ndarray:
    """Return nats per pixel (C, H, W) as a picture (3, H, W) uint8 from black to `colour`.

    Channels are added up; the brightest pixel is the dearest one.
    """
    total = np.maximum(values.sum(0), 0)
    share = total / max(float(total.max()), 1e-12)
    tint = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    return np.asarray(share * tint[:, None, None]).round().astype(np.uint8)


def _bands(player: str, roles: Roles) -> list[tuple[str, float, float]]:
    if player == "both":
        return [(roles.reconstruction, 0.5, 1.0), (roles.mean, 0.0, 0.5)]
    return [(roles.mean if player == "encoder" else roles.reconstruction, 0.0, 1.0)]
