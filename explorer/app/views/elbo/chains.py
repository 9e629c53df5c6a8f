"""MCMC: chains that walk to the exact posterior."""

from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.checks import Floats
from explorer.analysis.inference import ExactPosterior
from explorer.analysis.mcmc import ESS_GATE, RHAT_GATE, PosteriorSample, sample_posterior
from explorer.analysis.raster import frame_nodes, mass_levels, raster_density
from explorer.app.cached import get_codes
from explorer.app.cached.elbo_sections import encode_subject, get_posterior, subject_key
from explorer.app.pictures import CHART
from explorer.app.session import is_dark
from explorer.app.text import number, sentences, text
from explorer.app.views.elbo.reveal import main_axes
from explorer.app.views.elbo.subject import Subject
from explorer.figures.elbo_chains import chain_draws, chain_traces, chain_walk
from explorer.figures.elbo_reveal import Belief
from explorer.figures.palette import choose_roles

CHAINS = (4, 8, 16)
DRAWS = (100, 500, 2000)
WARMUP = 300
APART = 1.1
"""An R̂ above this is no want of draws: the chains are in different places."""
MASSES = (0.5, 0.9)
WINDOW = 4.2
MAP_CODES = 1500
RASTER = 81
RESULT = "elbo_chains_result"


def show_chains(subject: Subject) -> None:
    """Lay out the section."""
    # No fragment: a button outside of one is what can stop a computation half-way.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chains = st.segmented_control(
            text("elbo_chains.chains"), CHAINS, default=8, key="elbo_chains_count", required=True
        )
        draws = st.segmented_control(
            text("elbo_chains.draws"), DRAWS, default=500, key="elbo_chains_draws", required=True
        )
        started = st.button(text("elbo_chains.start"), key="elbo_chains_start", type="primary")
    wanted = (*subject_key(subject), chains, draws)
    kept = st.session_state.get(RESULT)
    if started:
        sample = _run_chains(subject, chains or 8, draws or 500)
        st.session_state[RESULT] = kept = (wanted, sample)
        st.rerun()
    if kept is None or kept[0][:3] != wanted[:3]:
        st.info(text("elbo_chains.empty"), icon=":material/footprint:")
        return
    _show_result(subject, kept[1])


def _run_chains(subject: Subject, chains: int, draws: int) -> PosteriorSample:
    bar = st.progress(0.0, text("elbo_chains.running"))
    st.button(text("elbo_chains.stop"), key="elbo_chains_stop")
    shown = [0]
    return sample_posterior(
        subject.run.model, subject.target(), chains=chains, draws=draws, warmup=WARMUP,
        keep_warmup=True, progress=partial(_report, bar, shown),
    )  # fmt: skip


def _report(bar: st.delta_generator.DeltaGenerator, shown: list[int], fraction: float) -> None:
    percent = int(100 * fraction)
    if percent > shown[0]:
        shown[0] = percent
        bar.progress(fraction, text("elbo_chains.running"))


def _show_result(subject: Subject, sample: PosteriorSample) -> None:
    exact = get_posterior(subject)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        _show_walk(subject, sample, exact)
    with right:
        _show_gates(sample, exact)
        if exact is not None and subject.run.model.latent_dim == 2:
            figure = chain_draws(
                sample.draws[:, :, 0], _close_up(exact), choose_roles(is_dark()),
                sentences("elbo_chains.words."),
            )  # fmt: skip
            st.plotly_chart(figure, theme=None, key="elbo_chains_close", config=CHART)
            st.caption(text("elbo_chains.close.caption"))
        _show_moments(subject, sample, exact)


def _show_walk(subject: Subject, sample: PosteriorSample, exact: ExactPosterior | None) -> None:
    roles, words = choose_roles(is_dark()), sentences("elbo_chains.words.")
    assert sample.warmup is not None
    walk = np.concatenate([sample.warmup, sample.draws], 1)[:, :, 0]
    if walk.shape[2] == 1:
        figure = chain_traces(walk[:, :, 0], WARMUP, roles, words)
        st.plotly_chart(figure, theme=None, key="elbo_chains_traces", config=CHART)
        st.caption(text("elbo_chains.traces.caption", warmup=WARMUP))
        return
    axes = main_axes(subject)
    codes = get_codes(subject.run)
    shown = None if codes is None else codes.mean[:MAP_CODES][:, axes]
    labels = None if codes is None or codes.labels is None else codes.labels[:MAP_CODES]
    reach = max(WINDOW, float(np.abs(walk[:, :, axes]).max()) + 0.2)
    figure = chain_walk(
        walk[:, :, axes], WARMUP, shown, labels, None if exact is None else _close_up(exact),
        roles, words, window=(-reach, reach), names=(f"z{axes[0] + 1}", f"z{axes[1] + 1}"),
    )  # fmt: skip
    st.plotly_chart(figure, theme=None, key="elbo_chains_walk", config=CHART)
    if exact is None:
        st.caption(text("elbo_chains.inexact", first=axes[0] + 1, second=axes[1] + 1))
    else:
        st.caption(text("elbo_chains.walk.caption", warmup=WARMUP))


def _close_up(exact: ExactPosterior) -> Belief:
    """Return the exact posterior on a raster that holds nearly all of its mass."""
    weights = np.exp(exact.log_weights[0])
    (left, right), (low, high) = frame_nodes(exact.points[0], weights)
    half = 0.7 * max(right - left, high - low)
    x = np.linspace((left + right) / 2 - half, (left + right) / 2 + half, RASTER)
    y = np.linspace((low + high) / 2 - half, (low + high) / 2 + half, RASTER)
    density = raster_density(exact.points[0], weights, float(exact.spacing[0]), x, y)
    return Belief(x, y, density, mass_levels(density, MASSES).tolist())


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
            f"<span>{text(key)}</span><b data-figure=\"{name}\">{_print(value, name)}</b>"
            f"<small>{'✓' if passed else '✕'} {text(key + '.gate', gate=gate)}</small></div>"
        )
    st.html(f'<div class="explorer-gates">{"".join(cells)}</div>')
    if sample.converged[0]:
        st.success(text("elbo_chains.passed"), icon=":material/check:")
        return
    stray = 0 if exact is None else _count_stray(sample.draws[:, :, 0], exact)
    if stray:
        told = text("elbo_chains.stray", stray=stray, chains=len(sample.draws))
    elif sample.rhat[0].max() < APART:
        told = text("elbo_chains.few")
    else:
        told = text("elbo_chains.disagree" if exact else "elbo_chains.disagree_inexact")
    st.warning(told, icon=":material/flag:")


def _count_stray(draws: Floats, exact: ExactPosterior) -> int:
    """Return how many chains (chains, T, K) have their mean where the posterior has no mass."""
    edges = frame_nodes(exact.points[0], np.exp(exact.log_weights[0]))
    means = draws.mean(1)
    return int(((means < edges[:, 0]) | (means > edges[:, 1])).any(1).sum())


def _print(value: float, name: str) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:.3f}" if name == "rhat" else f"{value:,.0f}"


def _show_moments(subject: Subject, sample: PosteriorSample, exact: ExactPosterior | None) -> None:
    """Show mean and sd by dimension: the chains', and the exact ones or else the encoder's."""
    if exact is not None:
        mean, sd = exact.mean[0], np.sqrt(np.diagonal(exact.covariance[0]))
    else:
        mean, sd = encode_subject(subject)
    other = "exact" if exact is not None else "encoder"
    head = [text(f"elbo_chains.column.{n}") for n in ("z", "mean", f"{other}_mean", "sd", other)]
    rows = [
        [
            f"z{k + 1}",
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
