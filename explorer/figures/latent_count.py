"""How many latents are enough, in a picture: ELBO over K beside what a linear model reaches."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.figures.labels import SIZE, label_point
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style
from explorer.figures.words import Words

WORDS: Words = {
    "latents": "latents K",
    "elbo": "ELBO, nats per image",
    "members": "trained",
    "theory": "linear theory",
    "floor": "without latents",
    "enough": "enough",
}
ABOVE, BELOW, LIFT = ("right", "bottom"), ("right", "top"), 5
"""Where a curve's name stands at its last point, and how many pixels from it."""


def elbo_over_latents(
    latents: Sequence[int],
    elbo: Sequence[float],
    roles: Roles,
    *,
    enough: int | None = None,
    floor: float | None = None,
    theory: tuple[Sequence[int], Sequence[float]] | None = None,
    height: int = 260,
    words: Words = WORDS,
) -> go.Figure:
    """Return the ELBO (nats) over K, `enough` as a line, `floor` as the level without latents.

    `theory` has the K and the ELBO of the best linear models.
    """
    figure = go.Figure()
    if theory is not None:
        figure.add_scatter(
            x=list(theory[0]),
            y=list(theory[1]),
            mode="lines",
            name=words["theory"],
            line={"color": roles.prior, "width": 2},
            hovertemplate="K = %{x}: %{y:.2f}<extra></extra>",
        )
        label_point(
            figure, theory[0][-1], theory[1][-1], words["theory"], roles.prior, *BELOW, lift=LIFT
        )
    figure.add_scatter(
        x=list(latents),
        y=list(elbo),
        mode="lines+markers",
        name=words["members"],
        line={"color": roles.latent, "width": 1, "dash": "dot"},
        marker={"color": roles.latent, "size": 9},
        hovertemplate="K = %{x}: %{y:.2f}<extra></extra>",
    )
    label_point(figure, latents[-1], elbo[-1], words["members"], roles.latent, *ABOVE, lift=LIFT)
    if floor is not None:
        figure.add_hline(y=floor, line={"color": roles.gap, "width": 1, "dash": "dash"})
        label_point(figure, latents[-1], floor, words["floor"], roles.caption, *ABOVE, lift=LIFT)
    if enough is not None:
        figure.add_vline(x=enough, line={"color": roles.text, "width": 1})
        figure.add_annotation(
            x=enough,
            y=1,
            yref="y domain",
            yanchor="bottom",
            showarrow=False,
            text=f"{words['enough']}: {enough}",
            font={"size": SIZE, "color": roles.text},
        )
    figure.update_xaxes(title=words["latents"], range=[-0.02 * latents[-1], 1.04 * latents[-1]])
    figure.update_yaxes(title=words["elbo"])
    return apply_style(figure, roles, height).update_layout(showlegend=False, margin={"t": 28})
