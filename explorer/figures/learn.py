"""The pictures of Learn: densities, their mixtures, and the areas that are a KL."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.labels import label_corner, label_peaks, label_point
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

BESIDE = 6
"""Pixels between a peak and its name."""
MANY_PARTS = 50
"""More Gaussians than this are not drawn one by one."""


def kl_areas(
    z: np.ndarray,
    q: np.ndarray,
    p: np.ndarray,
    curves: tuple[np.ndarray, np.ndarray],
    titles: tuple[str, str],
    marks: tuple[float, float],
    roles: Roles,
    *,
    height: int = 372,
) -> go.Figure:
    """Return densities q and p over z (M,), and below them the two curves whose areas are KLs.

    `curves` are q ln(q/p) and p ln(p/q), `titles` name them with their areas, `marks` are q's mean
    and standard deviation.
    """
    figure = make_subplots(
        2,
        2,
        specs=[[{"colspan": 2}, None], [{}, {}]],
        row_heights=[0.52, 0.48],
        vertical_spacing=0.17,
        horizontal_spacing=0.08,
        subplot_titles=("", *titles),
    )
    _add_density(figure, z, p, roles.prior, "p(z)", row=1, col=1)
    _add_density(figure, z, q, roles.q, "q(z|x)", row=1, col=1)
    mean, sd = marks
    top = float(np.exp(-0.5) / (sd * np.sqrt(2 * np.pi)))
    _add_line(figure, [mean, mean], [0, top * np.exp(0.5)], roles.mean, "μ", row=1, col=1)
    _add_line(figure, [mean, mean + sd], [top, top], roles.sigma, "σ", row=1, col=1)
    for place, curve in enumerate(curves, 1):
        add_signed_area(figure, z, curve, roles, row=2, col=place)
    figure.update_xaxes(range=[float(z[0]), float(z[-1])], zeroline=False)
    figure.update_xaxes(title="z", row=2)
    figure.update_yaxes(rangemode="tozero", row=1, showticklabels=False)
    figure.update_yaxes(zeroline=True, row=2)
    figure.update_yaxes(title="q ln(q/p)", row=2, col=1)
    figure.update_yaxes(title="p ln(p/q)", row=2, col=2)
    apply_style(figure, roles, height)
    figure.update_annotations(font={"size": 13, "color": roles.text})
    _name_densities(figure, z, {"p(z)": (p, roles.prior), "q(z|x)": (q, roles.q)})
    label_point(figure, mean, 0.0, "μ", roles.mean, "left", "bottom", apart=BESIDE)
    label_point(figure, mean + sd, top, "σ", roles.sigma, "left", "top", apart=BESIDE)
    figure.update_layout(margin={"t": 12, "l": 40}, showlegend=False)
    return figure


def _name_densities(
    figure: go.Figure, z: np.ndarray, curves: Mapping[str, tuple[np.ndarray, str]]
) -> None:
    """Write the names of two curves beside their peaks, each on the side away from the other."""
    peaks = sorted((float(z[curve.argmax()]), name) for name, (curve, _) in curves.items())
    for (place, name), side in zip(peaks, ("right", "left"), strict=True):
        curve, colour = curves[name]
        top = float(curve.max())
        label_point(figure, place, top, name, colour, side, "middle", apart=BESIDE)


def add_signed_area(
    figure: go.Figure, z: np.ndarray, curve: np.ndarray, roles: Roles, *, row: int, col: int
) -> None:
    """Fill between a curve and 0: full where it counts for the integral, pale where against."""
    for part, opacity in ((np.maximum(curve, 0), 0.75), (np.minimum(curve, 0), 0.3)):
        figure.add_scatter(
            x=z,
            y=part,
            mode="lines",
            line={"width": 0},
            fill="tozeroy",
            hoverinfo="skip",
            fillcolor=fade(roles.kl, opacity),
            showlegend=False,
            row=row,
            col=col,
        )
    figure.add_scatter(
        x=z,
        y=curve,
        mode="lines",
        line={"color": roles.kl, "width": 1.5},
        showlegend=False,
        hovertemplate="%{y:.3f}<extra></extra>",
        row=row,
        col=col,
    )


def mixture_picture(
    curves: tuple[np.ndarray, np.ndarray, np.ndarray],
    prior: np.ndarray,
    codes: np.ndarray,
    x: np.ndarray,
    exact: np.ndarray,
    mixture: np.ndarray,
    parts: np.ndarray,
    names: tuple[str, str, str],
    roles: Roles,
    *,
    height: int = 350,
) -> go.Figure:
    """Return how a mixture is made: codes under p(z), the curves they pass, and the density.

    `curves` are z (Z,), μ(z) and σ(z); `prior` is p(z) at the same points, or flat where it is
    left out; `codes` (K,) may be empty for all of them. On the right, over x (X,), the `exact`
    p(x), the `mixture`, and its `parts` (K, X). `names` are those of the two densities
    and of the weight.
    """
    z, mean, sd = curves
    figure = make_subplots(
        2,
        2,
        column_widths=[0.62, 0.38],
        row_heights=[0.78, 0.22],
        shared_xaxes="columns",
        shared_yaxes="rows",
        horizontal_spacing=0.03,
        vertical_spacing=0.03,
        specs=[[{}, {}], [{}, None]],
    )
    band = {"x": np.concatenate([z, z[::-1]]), "y": np.concatenate([mean + sd, (mean - sd)[::-1]])}
    figure.add_scatter(
        **band,
        fill="toself",
        fillcolor=fade(roles.sigma, 0.25),
        line={"width": 0},
        name="±σ(z)",
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=z,
        y=mean,
        mode="lines",
        name="μ(z)",
        line={"color": roles.mean, "width": 2.5},
        hovertemplate="μ(%{x:.2f}) = %{y:.2f}<extra></extra>",
        row=1,
        col=1,
    )
    _add_sticks(figure, codes, np.interp(codes, z, mean), np.interp(codes, z, sd), roles)
    _add_density(figure, z, prior, roles.prior, names[2], row=2, col=1)
    figure.add_scatter(
        x=codes,
        y=np.interp(codes, z, prior),
        mode="markers",
        name="z",
        hoverinfo="skip",
        marker={"color": roles.latent, "size": 6 if len(codes) <= MANY_PARTS else 4},
        row=2,
        col=1,
    )
    gap = np.full((len(parts), 1), np.nan)
    figure.add_scatter(
        x=np.hstack([parts, gap]).ravel(),
        y=np.tile(np.append(x, np.nan), len(parts)),
        mode="lines",
        line={"color": roles.reconstruction, "width": 1},
        opacity=0.55,
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=2,
    )
    figure.add_scatter(
        x=mixture,
        y=x,
        mode="lines",
        name=names[1],
        fill="tozerox",
        row=1,
        col=2,
        line={"color": roles.reconstruction, "width": 2.5},
        fillcolor=fade(roles.reconstruction, 0.18),
        hovertemplate="x = %{y:.2f}: %{x:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=exact,
        y=x,
        mode="lines",
        name=names[0],
        hoverinfo="skip",
        row=1,
        col=2,
        line={"color": roles.text, "width": 1.5, "dash": "dot"},
    )
    figure.update_xaxes(range=[float(z[0]), float(z[-1])], title="z", row=2, col=1)
    figure.update_xaxes(rangemode="tozero", row=1, col=2)
    figure.update_yaxes(range=[float(x[0]), float(x[-1])], row=1)
    figure.update_yaxes(title="x", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", showticklabels=False, row=2, col=1)
    label_corner(figure, [(names[1], roles.reconstruction), (names[0], roles.text)], "x2", "y2")
    label_corner(figure, [(names[2], roles.prior)], "x3", "y3")
    label_point(figure, z[0], mean[0] + sd[0], "±σ(z)", roles.sigma, "left", "bottom")
    label_point(figure, z[0], mean[0] - sd[0], "μ(z)", roles.mean, "left", "top")
    return apply_style(figure, roles, height).update_layout(showlegend=False)


def posterior_picture(
    z: np.ndarray,
    prior: np.ndarray,
    q: np.ndarray,
    posterior: np.ndarray,
    roles: Roles,
    *,
    height: int = 215,
) -> go.Figure:
    """Return p(z), q(z|x) and the exact p(z|x), densities over z (M,)."""
    figure = go.Figure()
    _add_density(figure, z, prior, roles.prior, "p(z)")
    _add_density(figure, z, q, roles.q, "q(z|x)")
    figure.add_scatter(
        x=z,
        y=posterior,
        mode="lines",
        name="p(z|x)",
        hoverinfo="skip",
        line={"color": roles.posterior, "width": 2, "dash": "dot"},
    )
    figure.update_xaxes(title="z", range=[float(z[0]), float(z[-1])], zeroline=False)
    figure.update_yaxes(showticklabels=False)
    # The prior's own place is its left side: q is mostly led to its right.
    at = float(np.interp(-1, z, prior))
    label_point(figure, -1, at, "p(z)", roles.prior, "right", "bottom")
    return label_peaks(apply_style(figure, roles, height), ("q(z|x)", "p(z|x)"))


def _add_sticks(
    figure: go.Figure, codes: np.ndarray, mean: np.ndarray, sd: np.ndarray, roles: Roles
) -> None:
    """Draw each code's Gaussian as a stick of ±σ around μ."""
    if len(codes) > MANY_PARTS:
        return
    gap = np.full(len(codes), np.nan)
    figure.add_scatter(
        x=np.stack([codes, codes, gap], 1).ravel(),
        y=np.stack([mean - sd, mean + sd, gap], 1).ravel(),
        mode="lines",
        line={"color": roles.latent, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=1,
    )


def fade(colour: str, opacity: float) -> str:
    """Return #rrggbb as rgba with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _add_density(
    figure: go.Figure,
    z: np.ndarray,
    density: np.ndarray,
    colour: str,
    name: str,
    *,
    row: int | None = None,
    col: int | None = None,
) -> None:
    figure.add_scatter(
        x=z,
        y=density,
        mode="lines",
        name=name,
        line={"color": colour, "width": 2},
        fill="tozeroy",
        fillcolor=fade(colour, 0.14),
        row=row,
        col=col,
        hovertemplate=f"{name} = %{{y:.3f}}<extra></extra>",
    )


def _add_line(
    figure: go.Figure, x: list[float], y: list[float], colour: str, name: str, *, row: int, col: int
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=name,
        line={"color": colour, "width": 2.5},
        hoverinfo="skip",
        row=row,
        col=col,
    )
