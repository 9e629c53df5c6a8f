"""Codes on the plane, coloured by class."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.codes import latent_name
from explorer.figures.palette import Roles, class_colour, class_colours, class_glyph
from explorer.figures.style import apply_style, as_label
from explorer.figures.words import WORDS, Words

RINGS = ((1.0, "39 %"), (2.0, "86 %"), (3.0, "99 %"))
"""Radii of the standard normal's rings in two dimensions and the mass inside: 1 − e^(−r²/2)."""

FAINT = 0.3
MANY_POINTS = 3000
LEAST_SPREAD = 0.1
"""Classes are named where the codes extend over more than this."""


def add_ground(
    figure: go.Figure, codes: np.ndarray | None, labels: np.ndarray | None, roles: Roles
) -> None:
    """Add what other things are drawn over: rings of N(0, I) and faint codes (N, 2) by class."""
    for radius, _ in RINGS:
        add_ring(figure, radius, roles)
    if codes is not None:
        colour = roles.gap if labels is None else class_colours(labels)
        figure.add_scatter(
            x=codes[:, 0],
            y=codes[:, 1],
            mode="markers",
            hoverinfo="skip",
            marker={"color": colour, "size": 3.5, "opacity": FAINT},
        )


def add_ring(
    figure: go.Figure, radius: float, roles: Roles, points: int = 121, **place: object
) -> None:
    """Draw a ring of N(0, I) of `points`; `place` is the plot's row and column, or the like."""
    angle = np.linspace(0, 2 * np.pi, points)
    figure.add_scatter(
        x=radius * np.cos(angle),
        y=radius * np.sin(angle),
        mode="lines",
        hoverinfo="skip",
        line={"color": roles.gap, "width": 1, "dash": "dot"},
        **place,
    )


def latent_scatter(
    codes: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str],
    roles: Roles,
    *,
    axes: tuple[int, int] = (0, 1),
    glyphs: bool = False,
    rings: bool = True,
    height: int = 420,
    words: Words = WORDS,
) -> go.Figure:
    """Return codes (N, K) on two of their dimensions, with the rings of N(0, I) unless told not to.

    Each class is one trace and is named at its median. A code with one dimension is drawn against
    a small fixed spread, so that points do not overlap.
    """
    figure = go.Figure()
    first, second = axes
    x = codes[:, first]
    if codes.shape[1] > 1:
        y = codes[:, second]
    else:
        y = np.random.default_rng(0).uniform(-0.5, 0.5, len(codes))
    for radius, mass in RINGS if rings else ():
        add_ring(figure, radius, roles, showlegend=False)
        figure.add_annotation(
            x=0.7071 * radius,
            y=0.7071 * radius,
            text=mass,
            showarrow=False,
            font={"size": 10, "color": roles.gap},
        )
    groups = [None] if labels is None else sorted(set(labels.tolist()))
    # In a collapsed model all names would lie on one another.
    named = max(np.ptp(x), np.ptp(y)) > LEAST_SPREAD if len(x) else False
    for label in groups:
        chosen = slice(None) if label is None else labels == label
        name = words["images"]
        if label is not None:
            name = as_label(class_names[label]) if class_names else str(label)
        # WebGL pays off for many points only: its first paint takes seconds on a machine without.
        trace = figure.add_scattergl if len(codes) > MANY_POINTS else figure.add_scatter
        trace(
            x=x[chosen],
            y=y[chosen],
            mode="markers",
            name=name,
            marker={
                "color": class_colour(label or 0),
                "size": 5,
                "opacity": 0.75,
                "symbol": class_glyph(label or 0) if glyphs else "circle",
            },
            hovertemplate=f"{name}: (%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
            showlegend=False,
        )
        if label is not None and named:
            figure.add_annotation(
                x=float(np.median(x[chosen])),
                y=float(np.median(y[chosen])),
                text=f"<b>{name}</b>",
                showarrow=False,
                font={"size": 15, "color": roles.text},
                bgcolor=roles.ground,
                opacity=0.85,
                borderpad=1,
            )
    figure.update_xaxes(title=latent_name(first), zeroline=True)
    figure.update_yaxes(
        title=latent_name(second) if codes.shape[1] > 1 else "",
        zeroline=True,
        scaleanchor="x",
        scaleratio=1,
    )
    return apply_style(figure, roles, height)
