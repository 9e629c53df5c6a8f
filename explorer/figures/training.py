"""How a training goes: the ELBO's two terms, and KL per dimension, over the steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.codes import latent_name
from explorer.figures.labels import label_ends
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style, as_label
from explorer.figures.words import WORDS, Words

Point = Mapping[str, Any]
MAX_ROWS = 40
"""Dimensions shown in the heat map, the most active ones."""


def elbo_curves(
    train: Sequence[Point],
    validation: Sequence[Point],
    roles: Roles,
    height: int = 300,
    words: Words = WORDS,
) -> go.Figure:
    """Return reconstruction and KL stacked to −ELBO over steps, a known objective as a line.

    `train` and `validation` are log points; validation's −ELBO is drawn as markers. The axis is
    cut, and the first points are left out of its scale, which they would flatten.
    """
    figure = go.Figure()
    steps = [point["step"] for point in train]
    if train:
        reconstruction = np.array([point["reconstruction"] for point in train])
        kl = np.array([point.get("kl", np.nan) for point in train])
        has_kl = bool(np.isfinite(kl).any())
        stack = {"stackgroup": "elbo", "mode": "lines"}
        figure.add_scatter(
            x=steps,
            y=reconstruction,
            name=words["reconstruction"],
            **stack,
            line={"width": 0, "color": roles.reconstruction},
            fillcolor=_tint(roles.reconstruction),
            hovertemplate="%{y:.2f} nats",
        )
        if has_kl:
            figure.add_scatter(
                x=steps,
                y=kl,
                name="KL",
                **stack,
                line={"width": 0, "color": roles.kl},
                fillcolor=_tint(roles.kl),
                hovertemplate="%{y:.2f} nats",
            )
        objective = np.array([point.get("objective") for point in train], dtype=float)
        if np.isfinite(objective).any():
            figure.add_scatter(
                x=steps,
                y=objective,
                name=words["objective"],
                mode="lines",
                line={"color": roles.objective, "width": 1.5, "dash": "dot"},
                hovertemplate="%{y:.2f} nats",
            )
        if validation:
            figure.add_scatter(
                x=[point["step"] for point in validation],
                y=[-point["elbo"] for point in validation],
                name=words["held_out" if has_kl else "held_out_reconstruction"],
                mode="markers",
                marker={"color": roles.latent, "size": 5},
                hovertemplate="%{y:.2f} nats",
            )
        total = reconstruction + (np.nan_to_num(kl) if has_kl else 0.0)
        figure.update_yaxes(range=_scale(reconstruction, total, objective))
    figure.update_xaxes(title=words["step"])
    figure.update_yaxes(title=words["nats_per_image_cut"])
    figure.update_layout(hovermode="x unified")
    return label_ends(apply_style(figure, roles, height))


def kl_per_dim_map(
    points: Sequence[Point], roles: Roles, height: int = 300, words: Words = WORDS
) -> go.Figure:
    """Return a heat map dimension × step of KL in nats, the most active dimensions on top."""
    rows = [point for point in points if "kl_per_dim" in point]
    figure = go.Figure()
    if rows:
        values = np.array([point["kl_per_dim"] for point in rows]).T
        order = np.argsort(-values[:, -1], kind="stable")[:MAX_ROWS]
        figure.add_heatmap(
            x=[point["step"] for point in rows],
            y=[latent_name(index) for index in order],
            z=values[order],
            zmin=0,
            colorscale=[[0, "rgba(128,128,128,0.06)"], [1, roles.kl]],
            colorbar={"title": {"text": words["kl_nats"]}, "thickness": 10, "outlinewidth": 0},
            hovertemplate=words["kl_at_step"] + "<extra></extra>",
        )
    figure.update_xaxes(title=words["step"])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return apply_style(figure, roles, height)


def kl_per_dim_lines(
    points: Sequence[Point], roles: Roles, height: int = 300, words: Words = WORDS
) -> go.Figure:
    """Return KL of each dimension over steps as lines, for up to eight dimensions."""
    rows = [point for point in points if "kl_per_dim" in point]
    figure = go.Figure()
    if rows:
        values = np.array([point["kl_per_dim"] for point in rows])
        steps = [point["step"] for point in rows]
        dashes = ("solid", "dash", "dot", "dashdot")
        for index in np.argsort(-values[-1], kind="stable"):
            figure.add_scatter(
                x=steps,
                y=values[:, index],
                name=latent_name(index),
                mode="lines",
                line={
                    "color": roles.kl if index < 4 else roles.gap,
                    "width": 2,
                    "dash": dashes[index % 4],
                },
                hovertemplate="%{y:.3f} nats",
            )
    figure.update_xaxes(title=words["step"])
    figure.update_yaxes(title=words["kl_nats_per_image"], rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return label_ends(apply_style(figure, roles, height))


def kl_over_time(
    points: Sequence[Point], roles: Roles, height: int = 300, words: Words = WORDS
) -> go.Figure:
    """Return lines for up to eight latent dimensions and a heat map for more."""
    counts = [len(point["kl_per_dim"]) for point in points if "kl_per_dim" in point]
    few = not counts or counts[-1] <= 8
    return (kl_per_dim_lines if few else kl_per_dim_map)(points, roles, height, words)


def compare_curves(
    runs: Mapping[str, Sequence[Point]], roles: Roles, height: int = 320, words: Words = WORDS
) -> go.Figure:
    """Return −ELBO over the steps of several runs by name, each in its colour; dotted is KL."""
    figure = go.Figure()
    # Names stand in these colours beside the curves: each of them can be read as text.
    colours = (roles.mean, roles.sigma, roles.latent, roles.reconstruction, roles.beta, roles.gap)
    for index, (run, points) in enumerate(runs.items()):
        name = as_label(run)
        steps = [point["step"] for point in points]
        colour = colours[index % len(colours)]
        figure.add_scatter(
            x=steps,
            y=[-point["elbo"] for point in points],
            name=f"{name} −ELBO",
            mode="lines",
            line={"color": colour, "width": 2},
            hovertemplate="%{y:.2f} nats",
        )
        if points and "kl" in points[-1]:
            figure.add_scatter(
                x=steps,
                y=[point.get("kl") for point in points],
                name=f"{name} KL",
                mode="lines",
                line={"color": colour, "width": 2, "dash": "dot"},
                hovertemplate="%{y:.2f} nats",
            )
    figure.update_xaxes(title=words["step"])
    figure.update_yaxes(title=words["nats_per_image"])
    figure.update_layout(hovermode="x unified")
    return label_ends(apply_style(figure, roles, height))


def _tint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.65)"


def _scale(reconstruction: np.ndarray, total: np.ndarray, objective: np.ndarray) -> list[float]:
    """Return a y range that the later nine tenths of the curves fill, so that KL can be seen.

    Below the lowest reconstruction there is as much room as the ELBO's terms take above it.
    """
    later = slice(len(total) // 10, None)
    low = float(reconstruction[later].min())
    high = float(np.nanmax([*total[later], *objective[later]]))
    span = max(high - low, 1e-3 * abs(high), 1e-6)
    bottom = low - 0.6 * span
    return [0.0 if low >= 0.0 > bottom else bottom, high + 0.08 * span]
