"""Markov chains on the map: the walk from the prior as an animation, and the draws close up."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.elbo_reveal import Belief, add_levels
from explorer.figures.latent import add_ground
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

FRAMES = 60
TRAIL = 14
"""Steps that a chain draws behind itself."""
FRAME_MILLISECONDS = 110
SHOWN_DRAWS = 3000


def chain_walk(
    walk: np.ndarray,
    warmup: int,
    codes: np.ndarray | None,
    labels: np.ndarray | None,
    exact: Belief | None,
    roles: Roles,
    words: Mapping[str, str],
    *,
    window: tuple[float, float],
    names: tuple[str, str] = ("z₁", "z₂"),
    height: int = 430,
) -> go.Figure:
    """Return chains walking on two latents, with a play button and a slider over the steps.

    `walk` (chains, T, 2) starts at the prior and is a warm-up, in grey, for its first `warmup`
    steps; where T is 1 the chains stand at their starts and nothing can be played. Steps are shown
    geometrically: most happens early. `words`: play, pause, step, chain, exact.
    """
    figure = go.Figure()
    add_ground(figure, codes, labels, roles)
    if exact is not None:
        add_levels(figure, exact, roles.posterior, 1.6)
        # At the map's scale the contours may be smaller than a dot.
        row, column = np.unravel_index(exact.density.argmax(), exact.density.shape)
        figure.add_annotation(
            x=exact.x[column],
            y=exact.y[row],
            text=words["exact"],
            ax=-46,
            ay=-46,
            arrowwidth=1.2,
            arrowcolor=roles.text,
            font={"size": 12, "color": roles.text},
            bgcolor=roles.ground,
        )
    last = walk.shape[1] - 1
    moving = [len(figure.data), len(figure.data) + 1]
    for trace in _chains_at(walk, last, warmup, roles, words):
        figure.add_trace(trace)
    apply_style(figure, roles, height)
    low, high = window
    figure.update_xaxes(title_text=names[0], range=[low, high], constrain="domain")
    figure.update_yaxes(title_text=names[1], range=[low, high], scaleanchor="x", constrain="domain")
    figure.update_layout(showlegend=False, margin={"l": 40, "r": 6, "t": 6, "b": 96})
    if not last:
        # The same map, without the room for the player below it.
        return figure.update_layout(margin={"b": 36}, height=height - 60)
    steps = np.unique(np.concatenate([[0], np.geomspace(1, last, FRAMES).round().astype(int)]))
    figure.frames = [
        go.Frame(
            data=_chains_at(walk, int(step), warmup, roles, words), traces=moving, name=str(step)
        )
        for step in steps
    ]
    return figure.update_layout(
        updatemenus=[_play_button(roles, words)], sliders=[_step_slider(steps, roles, words)]
    )


def chain_draws(
    draws: np.ndarray,
    exact: Belief,
    roles: Roles,
    words: Mapping[str, str],
    height: int = 180,
) -> go.Figure:
    """Return the draws after the warm-up, (chains, T, 2), under the exact contours, close up.

    `words`: draws.
    """
    points = draws.reshape(-1, 2)
    points = points[:: max(1, len(points) // SHOWN_DRAWS)]
    figure = go.Figure()
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        name=words["draws"],
        hoverinfo="skip",
        marker={"color": roles.latent, "size": 3, "opacity": 0.35},
    )
    add_levels(figure, exact, roles.posterior, 1.8)
    apply_style(figure, roles, height)
    figure.update_xaxes(range=[exact.x[0], exact.x[-1]], constrain="domain", nticks=5)
    figure.update_yaxes(
        range=[exact.y[0], exact.y[-1]], scaleanchor="x", constrain="domain", nticks=5
    )
    figure.update_layout(showlegend=False, margin={"l": 40, "r": 6, "t": 6, "b": 24})
    return figure


def chain_traces(
    walk: np.ndarray, warmup: int, roles: Roles, words: Mapping[str, str], height: int = 400
) -> go.Figure:
    """Return the chains of one latent, (chains, T), over their steps; the warm-up is in grey.

    `words`: step.
    """
    figure = go.Figure()
    for chain in walk:
        for start, end, colour in ((0, warmup + 1, roles.gap), (warmup, len(chain), roles.latent)):
            figure.add_scatter(
                x=np.arange(start, end),
                y=chain[start:end],
                mode="lines",
                hoverinfo="skip",
                line={"color": colour, "width": 0.8},
                opacity=0.6,
            )
    apply_style(figure, roles, height)
    figure.update_xaxes(title_text=words["step"])
    figure.update_yaxes(title_text="z₁")
    figure.update_layout(showlegend=False)
    return figure


def _chains_at(
    walk: np.ndarray, step: int, warmup: int, roles: Roles, words: Mapping[str, str]
) -> list[go.Scatter]:
    """Return trails and heads of all chains at one step."""
    colour = roles.gap if step <= warmup else roles.latent
    trail = walk[:, max(0, step - TRAIL) : step + 1]
    # A gap between chains, so that one trace holds them all.
    broken = np.concatenate([trail, np.full((len(trail), 1, 2), np.nan)], 1).reshape(-1, 2)
    lines = [[None if np.isnan(v) else round(float(v), 3) for v in column] for column in broken.T]
    heads = walk[:, step].round(3)
    return [
        go.Scatter(
            x=lines[0],
            y=lines[1],
            mode="lines",
            hoverinfo="skip",
            line={"color": colour, "width": 1.4},
        ),
        go.Scatter(
            x=heads[:, 0],
            y=heads[:, 1],
            mode="markers",
            name=words["chain"],
            marker={"color": colour, "size": 9, "line": {"color": roles.ground, "width": 1.5}},
            hovertemplate="z = (%{x:.2f}, %{y:.2f})<extra></extra>",
        ),
    ]


def _play_button(roles: Roles, words: Mapping[str, str]) -> dict[str, object]:
    still = {"frame": {"duration": 0}, "mode": "immediate", "transition": {"duration": 0}}
    moving = {
        "frame": {"duration": FRAME_MILLISECONDS, "redraw": False},
        "fromcurrent": False,
        "transition": {"duration": 60, "easing": "linear"},
        "mode": "immediate",
    }
    return {
        "type": "buttons", "direction": "left", "showactive": False, "x": 0, "y": -0.12,
        "xanchor": "left", "yanchor": "top", "pad": {"t": 0, "r": 8},
        "bgcolor": roles.ground, "bordercolor": roles.gap, "font": {"color": roles.text},
        "buttons": [
            {"label": f"▶ {words['play']}", "method": "animate", "args": [None, moving]},
            {"label": f"❚❚ {words['pause']}", "method": "animate", "args": [[None], still]},
        ],
    }  # fmt: skip


def _step_slider(
    steps: Sequence[int] | np.ndarray, roles: Roles, words: Mapping[str, str]
) -> dict[str, object]:
    still = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "active": len(steps) - 1, "x": 0.42, "len": 0.58, "y": -0.1, "yanchor": "top",
        "pad": {"t": 8}, "ticklen": 0, "minorticklen": 0, "font": {"size": 1},
        "activebgcolor": roles.latent, "bgcolor": roles.grid, "bordercolor": roles.gap,
        "currentvalue": {
            "prefix": f"{words['step']} ", "font": {"size": 12, "color": roles.text},
            "xanchor": "right",
        },
        "steps": [
            {"label": str(step), "method": "animate", "args": [[str(step)], still]}
            for step in steps
        ],
    }  # fmt: skip
