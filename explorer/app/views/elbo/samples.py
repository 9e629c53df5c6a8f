"""Samples: the spread of the L-sample ELBO and the importance-weighted ladder."""

from collections.abc import Sequence

import streamlit as st

from explorer.analysis.inference.exact import ExactPosterior
from explorer.analysis.inference.ladder import Draw, Rung, climb, judge_draw, plan_ladder
from explorer.app.cached.elbo_sections import get_log_weights, get_posterior
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.kept import Kept, count_up
from explorer.app.parts.sliders import live_choice
from explorer.app.text import paragraph, sentences, text
from explorer.figures.elbo_samples import Estimates, sample_ladder, spread_over_samples
from explorer.models.cost import decoding_cost

FIRST = 6
SEED = Kept("elbo_samples_seed", 0)


def show_samples(observation: Observation) -> None:
    """Lay out the section."""
    st.fragment(_show)(observation)


def _show(observation: Observation) -> None:
    counts, pool = plan_ladder(decoding_cost(observation.run.model))
    controls, button = st.columns([3, 1], vertical_alignment="bottom", gap="medium")
    with controls:
        names = [f"{count:,}" for count in counts]
        chosen = live_choice(text("elbo_samples.count"), names, FIRST, key="elbo_samples_count")
        chosen = min(chosen, len(counts) - 1)  # Left by a model whose ladder is longer.
    with button:
        st.button(
            text("elbo_samples.again"), key="elbo_samples_again", on_click=count_up, args=(SEED,)
        )
    with st.spinner(text("elbo_samples.drawing", count=pool)):
        log_weights = get_log_weights(observation, pool, SEED.get())
        exact = get_posterior(observation)
    rungs = climb(log_weights, counts)
    _show_figures(rungs, chosen, exact)
    _show_numbers(rungs[chosen], judge_draw(log_weights[: counts[chosen]]), exact)


def _show_figures(rungs: Sequence[Rung], chosen: int, exact: ExactPosterior | None) -> None:
    estimates = [Estimates(rung.samples, rung.elbo, rung.ladder) for rung in rungs]
    lines = None if exact is None else (float(exact.log_px[0]), float(exact.elbo[0]))
    roles, words = role_colours(), sentences("elbo_samples.words.")
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        figure = sample_ladder(estimates, chosen, lines, roles, words)
        show_chart(figure, "elbo_samples_ladder", text("elbo_samples.ladder.caption"))
    with right:
        figure = spread_over_samples(estimates, chosen, roles, words)
        show_chart(figure, "elbo_samples_spread", text("elbo_samples.spread.caption"))


def _show_numbers(rung: Rung, draw: Draw, exact: ExactPosterior | None) -> None:
    mean, error = rung.elbo_mean
    lines = [
        text(
            "elbo_samples.elbo",
            samples=rung.samples,
            mean=mean,
            error=error,
            spread=rung.spread,
            repetitions=len(rung.elbo),
        ),
        text(
            "elbo_samples.ladder",
            samples=rung.samples,
            log_px=draw.log_px,
            error=draw.error,
            mean=rung.ladder_mean[0],
            mean_error=rung.ladder_mean[1],
        ),
    ]
    if exact is not None:
        lines.append(
            text(
                "elbo_samples.exact" if exact.certified[0] else "elbo_samples.uncertified",
                log_px=exact.log_px[0],
                error=exact.error[0],
                elbo=exact.elbo[0],
                off=draw.log_px - exact.log_px[0],
            )
        )
    else:
        lines.append(text("elbo_samples.inexact"))
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    st.html(f'<div class="explorer-figures">{paragraphs}</div>')
    _show_flags(draw)


def _show_flags(draw: Draw) -> None:
    """Say whether this one importance-weighted estimate can be believed, and why not."""
    found = [
        text(f"elbo_samples.flag.{name}", share=draw.ess_share, pareto=draw.pareto_k)
        for name in draw.flags
    ]
    if not found:
        st.success(
            text("elbo_samples.good", share=draw.ess_share, pareto=draw.pareto_k),
            icon=":material/check:",
        )
    elif draw.flags == ("few",):
        st.info(paragraph(*found), icon=":material/info:")
    else:
        st.warning(paragraph(*found), icon=":material/flag:")
