"""Two estimators of one gradient: their histograms, and their variance over the draws."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.labels import label_corner
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

BINS = 61
WIDTHS = 4.0
"""The axis shows this many standard deviations of the wider estimator around the gradient."""


def gradient_histograms(
    estimates: Mapping[str, np.ndarray],
    gradient: float,
    spread: float,
    roles: Roles,
    words: Mapping[str, str],
    *,
    height: int = 250,
) -> go.Figure:
    """Return histograms of the estimates of one gradient, on one axis, and the gradient as a line.

    `estimates` maps pathwise and score to their values (R,); `spread` is the largest standard
    deviation among them. `words` has pathwise, score, estimate, share, gradient (with {value}).
    """
    figure = go.Figure()
    low, high = gradient - WIDTHS * spread, gradient + WIDTHS * spread
    edges = np.linspace(low, high, BINS + 1)
    centres = 0.5 * (edges[1:] + edges[:-1])
    tallest = 0.0
    for name, colour in _colours(roles).items():
        counts, _ = np.histogram(np.clip(estimates[name], low, high), edges)
        shares = counts / len(estimates[name])
        tallest = max(tallest, float(shares.max()))
        figure.add_bar(
            x=centres,
            y=shares,
            width=edges[1] - edges[0],
            name=words[name],
            marker={"color": colour, "line": {"width": 0}},
            opacity=0.6,
            hoverinfo="skip",
        )
    shown = f"{gradient:.2f}".replace("-", "−")
    figure.add_vline(x=gradient, line={"color": roles.text, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=gradient,
        y=1.08 * tallest,
        text=words["gradient"].format(value=shown),
        showarrow=False,
        xanchor="right",
        xshift=-5,
        yanchor="top",
        font={"size": 12, "color": roles.text},
        bgcolor=roles.ground,
        opacity=0.85,
    )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title=words["estimate"], range=[low, high])
    figure.update_yaxes(title=words["share"], range=[0, 1.1 * tallest], tickformat=".0%")
    label_corner(figure, [(words[name], colour) for name, colour in _colours(roles).items()])
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def variance_over_draws(
    counts: Sequence[int],
    exact: Mapping[str, float],
    measured: Mapping[str, tuple[np.ndarray, np.ndarray]],
    roles: Roles,
    words: Mapping[str, str],
    *,
    chosen: int,
    height: int = 250,
) -> go.Figure:
    """Return the variance of averages over the number of draws, both axes logarithmic.

    `exact` maps pathwise and score to one draw's variance, whose lines fall as 1/L; `measured` to
    values and standard errors (C,), drawn as points. `words` has pathwise, score, draws, variance.
    """
    figure = go.Figure()
    figure.add_vline(x=chosen, line={"color": roles.gap, "width": 9}, opacity=0.3)
    for name, colour in _colours(roles).items():
        figure.add_scatter(
            x=list(counts),
            y=[exact[name] / count for count in counts],
            mode="lines",
            name=words[name],
            line={"color": colour, "width": 2},
            hoverinfo="skip",
        )
        values, errors = measured[name]
        figure.add_scatter(
            x=list(counts),
            y=values,
            mode="markers",
            showlegend=False,
            error_y={"type": "data", "array": 2 * errors, "thickness": 1, "width": 3},
            marker={"color": colour, "size": 7},
            hovertemplate="L = %{x}: %{y:.3g}<extra></extra>",
        )
    figure.update_xaxes(title=words["draws"], type="log", tickvals=list(counts))
    figure.update_yaxes(title=words["variance"], type="log", dtick=1, exponentformat="power")
    # Every line falls from the left: the corner above them is free.
    label_corner(figure, [(words[name], colour) for name, colour in _colours(roles).items()])
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def _colours(roles: Roles) -> dict[str, str]:
    return {"score": roles.gap, "pathwise": roles.latent}
