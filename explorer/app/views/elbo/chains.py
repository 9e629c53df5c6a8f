"""MCMC: chains that walk to the exact posterior."""

from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import ExactPosterior
from explorer.analysis.inference.mcmc import (
    ESS_GATE,
    RHAT_GATE,
    PosteriorSample,
    draw_starts,
    sample_posterior,
)
from explorer.analysis.inference.raster import is_outside
from explorer.app.cached import main_axes
from explorer.app.cached.elbo_sections import encode_observation, get_posterior, observation_key
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import bound_segments
from explorer.app.parts.kept import Kept
from explorer.app.text import number, sentences, text
from explorer.app.views.elbo.beliefs import WINDOW, close_up, map_codes
from explorer.codes import latent_name
from explorer.figures.elbo_chains import chain_draws, chain_traces, chain_walk

CHAINS = (4, 8, 16)
DRAWS = (100, 500, 2000)
WARMUP = 300
APART = 1.1
"""An R̂ above this is no want of draws: the chains are in different places."""
RESULT: Kept[tuple[object, PosteriorSample] | None] = Kept("elbo_chains_result", None)
"""What was asked for last, and the chains that answered it."""


def show_chains(observation: Observation) -> None:
    """Lay out the section."""
    # No fragment: a button outside of one is what can stop a computation half-way.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chains = bound_segments(
            "elbo_chains_count", "chains", CHAINS, text("elbo_chains.chains"), start=8
        )
        draws = bound_segments(
            "elbo_chains_draws", "draws", DRAWS, text("elbo_chains.draws"), start=500
        )
        started = st.button(text("elbo_chains.start"), key="elbo_chains_start", type="primary")
    wanted = (*observation_key(observation), chains, draws)
    if started:
        RESULT.put((wanted, _run_chains(observation, chains, draws)))
        st.rerun()
    kept = RESULT.get()
    sample = kept[1] if kept is not None and kept[0] == wanted else None
    exact = get_posterior(observation)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        if sample is None:
            _show_starts(observation, chains, exact)
        else:
            _show_walk(observation, sample, exact)
    with right:
        if sample is None:
            st.info(text("elbo_chains.empty"), icon=":material/footprint:")
        else:
            _show_gates(sample, exact)
        if exact is not None and observation.run.model.latent_dim == 2:
            drawn = np.empty((0, 0, 2)) if sample is None else sample.draws[:, :, 0]
            roles, words = role_colours(), sentences("elbo_chains.words.")
            figure = chain_draws(drawn, close_up(exact), roles, words)
            show_chart(
                figure,
                "elbo_chains_close",
                text(f"elbo_chains.close.{'exact' if sample is None else 'caption'}"),
            )
        if sample is not None:
            _show_moments(observation, sample, exact)


def _run_chains(observation: Observation, chains: int, draws: int) -> PosteriorSample:
    bar = st.progress(0.0, text("elbo_chains.running"))
    st.button(text("elbo_chains.stop"), key="elbo_chains_stop")
    shown = [0]
    return sample_posterior(
        observation.run.model,
        observation.target(),
        chains=chains,
        draws=draws,
        warmup=WARMUP,
        keep_warmup=True,
        progress=partial(_report, bar, shown),
    )


def _report(bar: st.delta_generator.DeltaGenerator, shown: list[int], fraction: float) -> None:
    percent = int(100 * fraction)
    if percent > shown[0]:
        shown[0] = percent
        bar.progress(fraction, text("elbo_chains.running"))


def _show_starts(observation: Observation, chains: int, exact: ExactPosterior | None) -> None:
    """Show where the chains will start, and what they are to find."""
    if observation.run.model.latent_dim == 1:
        return
    starts = draw_starts(observation.run.model, observation.target(), chains)
    axes = _draw_map(observation, starts, exact)
    if exact is None:
        first, second = map(latent_name, axes)
        st.caption(text("elbo_chains.inexact", first=first, second=second))
    else:
        st.caption(text("elbo_chains.starts.caption"))


def _show_walk(
    observation: Observation, sample: PosteriorSample, exact: ExactPosterior | None
) -> None:
    assert sample.warmup is not None
    walk = np.concatenate([sample.warmup, sample.draws], 1)[:, :, 0]
    if walk.shape[2] == 1:
        roles, words = role_colours(), sentences("elbo_chains.words.")
        figure = chain_traces(walk[:, :, 0], WARMUP, roles, words)
        show_chart(figure, "elbo_chains_traces", text("elbo_chains.traces.caption", warmup=WARMUP))
        return
    axes = _draw_map(observation, walk, exact)
    if exact is None:
        first, second = map(latent_name, axes)
        st.caption(text("elbo_chains.inexact", first=first, second=second))
    else:
        st.caption(text("elbo_chains.walk.caption", warmup=WARMUP))


def _draw_map(
    observation: Observation, walk: Floats, exact: ExactPosterior | None
) -> tuple[int, int]:
    """Show chains (chains, T, K), K ≥ 2, on the map; return the dimensions that it shows."""
    axes = main_axes(observation.run)
    shown, labels = map_codes(observation, axes)
    reach = max(WINDOW, float(np.abs(walk[:, :, axes]).max()) + 0.2)
    figure = chain_walk(
        walk[:, :, axes],
        WARMUP,
        shown,
        labels,
        None if exact is None else close_up(exact),
        role_colours(),
        sentences("elbo_chains.words."),
        window=(-reach, reach),
        names=(latent_name(axes[0]), latent_name(axes[1])),
    )
    show_chart(figure, "elbo_chains_walk")
    return axes


def _show_gates(sample: PosteriorSample, exact: ExactPosterior | None) -> None:
    """Show R̂ and both ESS against their gates, the worst dimension of each."""
    figures = (
        ("rhat", float(sample.rhat[0].max()), RHAT_GATE, True),
        ("bulk", float(sample.ess_bulk[0].min()), ESS_GATE, False),
        ("tail", float(sample.ess_tail[0].min()), ESS_GATE, False),
    )
    cells = []
    for name, value, gate, below in figures:
        passed = value < gate if below else value >= gate
        key = f"elbo_chains.gate.{name}"
        cells.append(
            f'<div class="explorer-gate" data-passed="{str(passed).lower()}">'
            f'<span>{text(key)}</span><b data-figure="{name}">{_print(value, name)}</b>'
            f"<small>{'✓' if passed else '✕'} {text(key + '.gate', gate=gate)}</small></div>"
        )
    st.html(f'<div class="explorer-gates">{"".join(cells)}</div>')
    if sample.converged[0]:
        st.success(text("elbo_chains.passed"), icon=":material/check:")
        return
    stray = 0
    if exact is not None:
        means, weights = sample.draws[:, :, 0].mean(1), np.exp(exact.log_weights[0])
        stray = int(is_outside(means, exact.points[0], weights).sum())
    if stray:
        told = text("elbo_chains.stray", stray=stray, chains=len(sample.draws))
    elif sample.rhat[0].max() < APART:
        told = text("elbo_chains.few")
    else:
        told = text("elbo_chains.disagree" if exact else "elbo_chains.disagree_inexact")
    st.warning(told, icon=":material/flag:")


def _print(value: float, name: str) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:.3f}" if name == "rhat" else f"{value:,.0f}"


def _show_moments(
    observation: Observation, sample: PosteriorSample, exact: ExactPosterior | None
) -> None:
    """Show mean and sd by dimension: the chains', and the exact ones or else the encoder's."""
    if exact is not None:
        mean, sd = exact.mean[0], np.sqrt(np.diagonal(exact.covariance[0]))
    else:
        mean, sd = encode_observation(observation)
    other = "exact" if exact is not None else "encoder"
    head = [text(f"elbo_chains.column.{n}") for n in ("z", "mean", f"{other}_mean", "sd", other)]
    rows = [
        [
            latent_name(k),
            f'<span data-figure="mean">{number(sample.mean[0, k], ".3f")}</span> ± {error:.3f}',
            f'<span data-figure="other_mean">{number(mean[k], ".3f")}</span>',
            f"{spread:.3f}",
            f"{sd[k]:.3f}",
        ]
        for k, (spread, error) in enumerate(_spread_and_error(sample))
    ]
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    header = "".join(f"<th>{name}</th>" for name in head)
    st.html(
        f'<div class="explorer-table"><table><thead><tr>{header}</tr></thead>'
        f"<tbody>{cells}</tbody></table></div>"
    )


def _spread_and_error(sample: PosteriorSample) -> list[tuple[float, float]]:
    """Return sd and the Monte-Carlo standard error of the mean by dimension, sd/√ESS."""
    spread = sample.standard_deviation[0]
    error = spread / np.sqrt(np.maximum(np.nan_to_num(sample.ess_bulk[0]), 1.0))
    return list(zip(spread.tolist(), error.tolist(), strict=True))
