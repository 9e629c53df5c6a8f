"""The ELBO page in pictures: how the gap is spread over images."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

BINS = 24
SMALLEST = 0.01
"""Gaps are drawn on a logarithmic axis; what is smaller than this, in nats, counts as this."""


def gap_histogram(
    gaps: np.ndarray, here: float | None, roles: Roles, words: Mapping[str, str], height: int = 220
) -> go.Figure:
    """Return how many images have which gap (N,), nats, on a logarithmic axis.

    `here` marks one image. `words` has gap, images, mean, median and here.
    """
    shown = np.log10(np.maximum(gaps, SMALLEST))
    edges = np.linspace(shown.min() - 0.05, shown.max() + 0.05, BINS + 1)
    counts, _ = np.histogram(shown, edges)
    figure = go.Figure()
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=counts,
        width=np.diff(edges) * 0.92,
        marker={"color": roles.gap},
        customdata=np.stack([10 ** edges[:-1], 10 ** edges[1:]], 1),
        hovertemplate="%{customdata[0]:.2f} – %{customdata[1]:.2f} nats: %{y}<extra></extra>",
        showlegend=False,
    )
    marks = [(words["median"], float(np.median(gaps)), "dot"), (words["mean"], gaps.mean(), "dash")]
    if here is not None:
        marks.append((words["here"], here, "solid"))
    for place, (name, value, dash) in enumerate(marks):
        at = float(np.log10(max(value, SMALLEST)))
        colour = roles.sigma if dash == "solid" else roles.text
        figure.add_vline(x=at, line={"color": colour, "width": 1.4, "dash": dash})
        figure.add_annotation(
            x=at,
            y=1.0 - 0.15 * place,
            yref="paper",
            text=f" {name} {value:.2f}",
            showarrow=False,
            xanchor="left" if at < (shown.min() + shown.max()) / 2 else "right",
            font={"size": 11, "color": colour},
            bgcolor=roles.ground,
        )
    decades = [v for v in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)]
    figure.update_xaxes(
        title=words["gap"],
        tickvals=[float(np.log10(v)) for v in decades],
        ticktext=[f"{v:g}" for v in decades],
        range=[edges[0] - 0.02, edges[-1] + 0.02],
    )
    figure.update_yaxes(title=words["images"])
    return apply_style(figure, roles, height)
