"""What more samples buy: the ELBO's estimate narrows, the importance-weighted ladder climbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.labels import label_ends
from explorer.figures.palette import Roles
from explorer.figures.style import apply_style

SHOWN = 60
"""Single estimates drawn as dots at the chosen number of samples."""


@dataclass(frozen=True)
class Estimates:
    """Estimates at one number of samples, (R,), nats: of the ELBO, and importance-weighted."""

    samples: int
    elbo: np.ndarray
    ladder: np.ndarray


def sample_ladder(
    rungs: Sequence[Estimates],
    chosen: int,
    exact: tuple[float, float] | None,
    roles: Roles,
    words: Mapping[str, str],
    height: int = 268,
) -> go.Figure:
    """Return both estimates over the number of samples: means, and bands of ± one sd.

    `chosen` is a place in `rungs`, whose single estimates are dots; `exact` is (log p(x), ELBO),
    drawn as lines. `words`: elbo, ladder, exact_log_px, exact_elbo, samples, nats.
    """
    figure = go.Figure()
    counts = [rung.samples for rung in rungs]
    styles = (("elbo", roles.objective), ("ladder", roles.latent))
    for name, colour in styles:
        values = [getattr(rung, name) for rung in rungs]
        mean = np.array([part.mean() for part in values])
        sd = np.array([part.std(ddof=1) for part in values])
        figure.add_scatter(
            x=counts + counts[::-1],
            y=np.concatenate([mean + sd, (mean - sd)[::-1]]),
            fill="toself",
            fillcolor=_fade(colour, 0.14),
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=counts,
            y=mean,
            mode="lines+markers",
            name=words[name],
            marker={"size": 5},
            line={"color": colour, "width": 2},
            hovertemplate="%{x}: %{y:.2f} nats",
        )
    rung = rungs[chosen]
    offsets = 10 ** np.random.default_rng(0).uniform(-0.06, 0.06, SHOWN)
    for name, colour in styles:
        dots = getattr(rung, name)[:SHOWN]
        figure.add_scatter(
            x=rung.samples * offsets[: len(dots)],
            y=dots,
            mode="markers",
            hoverinfo="skip",
            marker={"color": colour, "size": 4, "opacity": 0.55},
            showlegend=False,
        )
    if exact is not None:
        for value, key, dash in (
            (exact[0], "exact_log_px", "solid"),
            (exact[1], "exact_elbo", "dash"),
        ):
            figure.add_scatter(
                x=[counts[0] / 1.3, counts[-1] * 1.3],
                y=[value, value],
                mode="lines",
                name=words[key],
                line={"color": roles.gap, "width": 2, "dash": dash},
                hovertemplate="%{y:.2f} nats",
            )
    apply_style(figure, roles, height)
    span = [np.log10(counts[0] / 1.3), np.log10(counts[-1] * 1.3)]
    figure.update_xaxes(title_text=words["samples"], type="log", dtick=1, range=span)
    low, high = _frame(rungs, exact)
    figure.update_yaxes(title_text=words["nats"], range=[low, high])
    return label_ends(figure)


def spread_over_samples(
    rungs: Sequence[Estimates],
    chosen: int,
    roles: Roles,
    words: Mapping[str, str],
    height: int = 268,
) -> go.Figure:
    """Return the ELBO estimate's sd over the number of samples, beside sd(1)/√L, both logarithmic.

    `words`: spread, law, samples, spread_nats.
    """
    figure = go.Figure()
    counts = np.array([rung.samples for rung in rungs], float)
    spread = np.array([rung.elbo.std(ddof=1) for rung in rungs])
    # An sd from R repetitions is itself uncertain: by 1/√(2(R − 1)) of it.
    error = spread / np.sqrt(2 * (np.array([len(rung.elbo) for rung in rungs]) - 1))
    figure.add_scatter(
        x=counts,
        y=spread[0] / np.sqrt(counts),
        mode="lines",
        name=words["law"],
        line={"color": roles.gap, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=counts,
        y=spread,
        mode="markers",
        name=words["spread"],
        error_y={"type": "data", "array": error, "thickness": 1, "width": 2},
        marker={
            "color": roles.objective,
            "size": [12 if i == chosen else 7 for i in range(len(rungs))],
        },
        hovertemplate="%{x}: ± %{y:.3f} nats",
    )
    apply_style(figure, roles, height)
    figure.update_xaxes(title_text=words["samples"], type="log", dtick=1)
    figure.update_yaxes(title_text=words["spread_nats"], type="log", dtick=1)
    return label_ends(figure)


def _frame(rungs: Sequence[Estimates], exact: tuple[float, float] | None) -> tuple[float, float]:
    """Return the range that shows the bands whole and the exact lines."""
    ends = [v for value in (exact or ()) for v in (value,)]
    for rung in rungs:
        for part in (rung.elbo, rung.ladder):
            ends += [part.mean() - 1.5 * part.std(), part.mean() + 1.5 * part.std()]
    pad = 0.04 * (max(ends) - min(ends)) + 1e-6
    return min(ends) - pad, max(ends) + pad


def _fade(colour: str, share: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
