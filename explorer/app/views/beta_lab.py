"""β lab: models that differ in β alone, side by side, live or from the shelf."""

import dataclasses
import json
import math
import os
from typing import Any

import numpy as np
import streamlit as st

from explorer.app.cached import (
    get_runner,
    measure_codes,
    measure_linear_curve,
    measure_wake_up,
    own_runs,
)
from explorer.app.session import is_dark
from explorer.app.text import paragraph, sentences, text
from explorer.config import BudgetConfig, Config, default_config
from explorer.control import Control
from explorer.datasets import DATASETS, is_available
from explorer.errors import ExplorerError
from explorer.export.sweep import match_latents
from explorer.figures.beta import kl_bars, rate_distortion_plane, small_maps, units_over_beta
from explorer.figures.palette import choose_roles
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.paths import resource
from explorer.run import Run, Snapshot, new_run_id
from explorer.sweeps import Sweep, list_sweeps

TICK_SECONDS = 1.0
CHART = {"displayModeBar": False}
BETAS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 40.0)
LIKELIHOODS = ("bernoulli", "gaussian")
SHOWN = 400
"""Codes drawn on each small map."""
STRIP = 6


def find_sweeps() -> dict[str, tuple[Sweep, bool]]:
    """Return the sweeps over β by id, own ones first, and whether each is shipped."""
    own = {sweep.id: (sweep, False) for sweep in list_sweeps(own_runs().folder)}
    shipped = {sweep.id: (sweep, True) for sweep in list_sweeps(resource("pretrained"))}
    found = {**own, **{key: value for key, value in shipped.items() if key not in own}}
    return {key: value for key, value in found.items() if len(_members(value[0])) > 1}


def _members(sweep: Sweep) -> list[Run]:
    """Return the members that exist, one per β, in ascending order of β."""
    by_beta: dict[float, Run] = {}
    for name, run in sweep.runs().items():
        by_beta.setdefault(sweep.configs[name].objective.beta, run)
    return [by_beta[beta] for beta in sorted(by_beta)]


def _config(run: Run) -> Config:
    config = run.info.config
    assert config is not None
    return config


def _beta(run: Run) -> float:
    return _config(run).objective.beta


def offer_training() -> None:
    """Show the settings of a new family and start it."""
    # A new key is a new popover, which is closed: Start leaves the view on the family.
    key = f"beta_new_{st.session_state.get('beta_started', 0)}"
    with st.popover(text("beta.new"), icon=":material/play_arrow:", key=key):
        ready = [name for name in DATASETS if is_available(name)]
        dataset = st.selectbox(text("beta.dataset"), ready, key="beta_dataset")
        betas = st.multiselect(
            text("beta.betas"), BETAS, [0.25, 1.0, 4.0, 16.0], key="beta_betas",
            help=text("beta.betas_help"), max_selections=12, format_func=lambda b: f"{b:g}",
        )  # fmt: skip
        likelihood = st.selectbox(
            text("beta.likelihood"), LIKELIHOODS, key="beta_likelihood",
            format_func=lambda name: text(f"train.likelihood.{name}"),
        )  # fmt: skip
        latent_dim = st.number_input(text("beta.latent_dim"), 1, 64, 2, key="beta_latent_dim")
        seconds = st.number_input(text("beta.seconds"), 2, 3600, 30, key="beta_seconds")
        if len(betas) < 2:
            st.caption(text("beta.too_few"))
        st.button(
            text("beta.start"), key="beta_start", type="primary", disabled=len(betas) < 2,
            on_click=_start,
            args=(dataset, sorted(betas), likelihood, int(latent_dim), float(seconds)),
        )  # fmt: skip


def _start(
    dataset: str, betas: list[float], likelihood: str, latent_dim: int, seconds: float
) -> None:
    from explorer.training.family import family_configs

    base = default_config(dataset, latent_dim, seconds)
    configs = family_configs(_shape_member(base, likelihood, seconds), betas)
    name = new_run_id(dataset, f"{len(betas)}-betas")
    try:
        root = os.environ.get("LATENT_EXPLORER_DATA")
        get_runner().submit_family(configs, own_runs().folder / name, root)
    except ExplorerError as error:
        st.toast(str(error))
        return
    st.query_params["sweep"] = name
    st.session_state["beta_choose"] = name
    st.session_state["beta_started"] = st.session_state.get("beta_started", 0) + 1


def _shape_member(config: Config, likelihood: str, seconds: float) -> Config:
    model = dataclasses.replace(config.model, hidden=(128, 64), likelihood=likelihood)
    return dataclasses.replace(config, model=model, budget=BudgetConfig(seconds=seconds))


def show_sweep(sweep: Sweep, was_live: bool) -> None:
    """Show one sweep: its state, its film, its figures."""
    runs = _members(sweep)
    live = any(run.info.status.is_alive() for run in runs)
    if live != was_live:
        st.rerun()
    if live:
        _show_transport(sweep, runs)
    steps = sorted(set.intersection(*(set(run.snapshot_steps()) for run in runs)))
    if not steps:
        st.caption(text("beta.waiting"))
        return
    latest = text("beta.film.latest")
    chosen: Any = latest
    if len(steps) > 1:
        key = f"beta_film_{sweep.id}"
        chosen = st.select_slider(text("beta.film"), [*steps[:-1], latest], latest, key=key)
    step = steps[-1] if chosen == latest else int(chosen)
    try:
        frames = [run.snapshot(step) for run in runs]
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks.
    points = [_point_at(run, step, final=chosen == latest) for run in runs]
    if any(point is None for point in points):
        st.caption(text("beta.waiting"))
        return
    measured = [point for point in points if point is not None]
    _show_maps(runs, frames, measured)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _show_plane(sweep, runs, measured, step)
    with right:
        _show_pictures(runs, frames)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _show_units(sweep, runs, frames, final=chosen == latest)
    with right:
        st.markdown(f"**{text('beta.kl')}**")
        figure = kl_bars(
            [_beta(run) for run in runs],
            [point["reconstruction"] for point in measured],
            np.array([point["kl_per_dim"] for point in measured]),
            choose_roles(is_dark()),
            300,
            sentences("figure."),
        )
        st.plotly_chart(figure, theme=None, key="beta_kl", config=CHART)
        st.caption(text("beta.kl.caption"))


def _show_transport(sweep: Sweep, runs: list[Run]) -> None:
    info = runs[0].info
    paused = info.status.state == "paused"
    control = Control(sweep.path)
    with st.container(horizontal=True, vertical_alignment="center"):
        state = text("state." + info.status.shown_state())
        st.markdown(text("beta.state", count=len(runs), state=state))
        action = "resume" if paused else "pause"
        st.button(
            text(f"beta.{action}"), key=f"beta_{action}", on_click=_send, args=(control, action)
        )
        st.button(
            text("beta.stop"), key="beta_stop", on_click=get_runner().stop, args=(sweep.path,)
        )
    if info.planned_steps:
        points = runs[0].metrics("train")
        step = max(info.status.step, points[-1]["step"] if points else 0)
        st.progress(
            min(1.0, step / info.planned_steps),
            text("beta.progress", step=step, planned=info.planned_steps, count=len(runs)),
        )


def _send(control: Control, action: str) -> None:
    try:
        control.send(action)
    except ExplorerError as error:
        st.toast(str(error))


def _point_at(run: Run, step: int, final: bool) -> dict[str, Any] | None:
    """Return figures of the model at `step`: of the test split at the end, else as logged."""
    results = run.info.results
    if final and results:
        split = "test" if "test" in results else next(iter(results))
        return {**results[split], "split": split}
    for split in ("validation", "train"):
        points = [point for point in run.metrics(split) if "kl_per_dim" in point]
        past = [point for point in points if point["step"] <= step]
        if past:
            return past[-1]
    # Step 0 itself is not logged: the first update's figures are those of the start.
    return points[0] if points else None


def _aligned(frames: list[Snapshot], runs: list[Run]) -> tuple[list[np.ndarray], float]:
    """Return each member's two main dimensions, matched to the model nearest β = 1."""
    betas = np.array([_beta(run) for run in runs])
    reference = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    target = frames[reference]
    main = np.argsort(-target.mean.var(0), kind="stable")[:2]
    planes = []
    for frame in frames:
        codes = frame.mean
        if codes.shape[1] == 1:
            codes = np.concatenate([codes, np.zeros_like(codes)], 1)
        elif frame is not target:
            order, sign = match_latents(target.mean, codes)
            codes = codes[:, order] * sign
        planes.append((codes[:, main] if codes.shape[1] > 2 else codes)[:SHOWN])
    return planes, float(betas[reference])


def _show_maps(runs: list[Run], frames: list[Snapshot], points: list[dict[str, Any]]) -> None:
    st.markdown(f"**{text('beta.maps')}**")
    planes, reference = _aligned(frames, runs)
    titles = [
        text("beta.map_title", beta=_beta(run), kl=sum(point["kl_per_dim"]))
        for run, point in zip(runs, points, strict=True)
    ]
    labels = [None if f.labels is None else f.labels[:SHOWN] for f in frames]
    figure = small_maps(titles, planes, labels, choose_roles(is_dark()))
    st.plotly_chart(figure, theme=None, key="beta_maps", config={"staticPlot": True})
    many = text("beta.maps.many") if frames[0].mean.shape[1] > 2 else ""
    moved = text("beta.maps.moved", beta=reference)
    st.caption(paragraph(text("beta.maps.caption"), moved, many))


def _show_plane(sweep: Sweep, runs: list[Run], points: list[dict[str, Any]], step: int) -> None:
    st.markdown(f"**{text('beta.plane')}**")
    betas = [_beta(run) for run in runs]
    nearest = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    chosen = st.session_state.get(f"beta_member_{sweep.id}", nearest)
    chosen = min(chosen, len(runs) - 1)
    trails = []
    for run in runs:
        past = [p for p in run.metrics("validation") if "kl" in p and 0 < p["step"] <= step]
        trails.append((np.array([p["kl"] for p in past]), _column(past, "reconstruction")))
    rates = [sum(point["kl_per_dim"]) for point in points]
    theory = _find_theory(runs)
    figure = rate_distortion_plane(
        [run.name for run in runs], betas, rates, [p["reconstruction"] for p in points],
        choose_roles(is_dark()), selected=chosen, trails=trails, theory=theory,
        words=sentences("figure."),
    )  # fmt: skip
    event = st.plotly_chart(
        figure, theme=None, key="beta_plane", config=CHART, on_select="rerun",
        selection_mode="points",
    )  # fmt: skip
    picked = [p["customdata"] for p in event["selection"]["points"] if "customdata" in p]
    names = [run.name for run in runs]
    if picked and _first(picked[0]) in names and names.index(_first(picked[0])) != chosen:
        st.session_state[f"beta_member_{sweep.id}"] = names.index(_first(picked[0]))
        st.rerun()
    said = ""
    if theory is not None:
        said = text("beta.plane.theory")
    elif _config(runs[0]).model.likelihood != "gaussian":
        said = text("beta.plane.no_theory")
    st.caption(paragraph(text("beta.plane.caption"), said))
    point, run = points[chosen], runs[chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        rate = sum(point["kl_per_dim"])
        st.markdown(
            text(
                "beta.chosen", beta=betas[chosen], elbo=point["reconstruction"] + rate,
                reconstruction=point["reconstruction"], kl=rate,
                split=text(f"explore.split_{point.get('split', 'test')}"),
            )
        )  # fmt: skip
        if st.button(text("beta.open"), key="beta_open", type="primary"):
            st.switch_page("views/explore.py", query_params={"model": run.id})
        if st.button(text("beta.watch"), key="beta_watch"):
            st.switch_page("views/train.py", query_params={"run": run.id})


def _find_theory(runs: list[Run]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the linear model's rates and distortions, where they are in the models' units."""
    config = _config(runs[0])
    betas = [_beta(run) for run in runs]
    # The closed form is of a Gaussian decoder of fixed σ²: other distortions do not compare.
    if config.model.likelihood != "gaussian" or min(betas) <= 0:
        return None
    return measure_linear_curve(
        config.dataset, config.model.latent_dim, config.model.sigma2, min(betas), 4 * max(betas)
    )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) else value


def _column(points: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([point[name] for point in points])


def _show_pictures(runs: list[Run], frames: list[Snapshot]) -> None:
    st.markdown(f"**{text('beta.pictures')}**")
    rows = []
    for run, frame in zip(runs, frames, strict=True):
        if frame.reconstructions is None or frame.samples is None:
            return
        strips = [
            f'<img alt="" src="{data_uri(encode_png(picture_sheet(images[:STRIP], STRIP), 2))}">'
            for images in (frame.reconstructions, frame.samples)
        ]
        rows.append(f"<span>{_beta(run):g}</span>" + "".join(strips))
    heads = "".join(f"<span>{text(f'beta.pictures.{n}')}</span>" for n in ("beta", "left", "right"))
    st.html(f'<div class="explorer-betas" role="img">{heads}{"".join(rows)}</div>')
    st.caption(text("beta.pictures.caption"))


def _show_units(sweep: Sweep, runs: list[Run], frames: list[Snapshot], final: bool) -> None:
    st.markdown(f"**{text('beta.units')}**")
    measures = [
        measure_codes(str(run.path), run.fingerprint, None if final else frame.step)
        for run, frame in zip(runs, frames, strict=True)
    ]
    rows = {
        text("beta.units.active"): [m["active_units"] for m in measures],
        text("beta.units.effective"): [
            # Without any rate its shares are noise.
            m["effective_dimensions"] if m["active_units"] else 0.0
            for m in measures
        ],
        text("beta.units.information"): [m["mutual_information"] for m in measures],
    }
    rule = _find_rule(sweep, runs[0])
    figure = units_over_beta(
        [_beta(run) for run in runs], rows, choose_roles(is_dark()), eigenvalues=rule, height=300,
        words=sentences("figure."),
    )  # fmt: skip
    st.plotly_chart(figure, theme=None, key="beta_units", config=CHART)
    count = measures[0]["images"]
    caption = text("beta.units.caption", count=count, ceiling=math.log(count))
    st.caption(paragraph(caption, text("beta.units.rule") if rule else ""))


def _find_rule(sweep: Sweep, run: Run) -> list[float]:
    """Return the first eigenvalues of the wake-up rule: as shipped, or from the images at hand."""
    info = run.info
    try:
        values = json.loads((sweep.path / "theory.json").read_text())["wake_up"]
    except (OSError, ValueError, KeyError):
        config = info.config
        if config is None or info.dataset is None:
            return []
        values = measure_wake_up(info.dataset.name, config.model.likelihood, config.model.sigma2)
    largest = 1.5 * max(_beta(run) for run in _members(sweep))
    return [float(value) for value in values[: info.latent_dim][:4] if value < largest]


def show_page() -> None:
    """Lay out the page."""
    sweeps = find_sweeps()
    st.caption(text("beta.lead"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.query_params.get("sweep")
        chosen = None
        if sweeps:
            names = list(sweeps)
            chosen = st.selectbox(
                text("beta.choose"), names, key="beta_choose", width=420,
                index=names.index(asked) if asked in names else 0,
                format_func=lambda i: text("beta.shipped", name=i) if sweeps[i][1] else i,
            )  # fmt: skip
        offer_training()
    if chosen is None:
        st.info(text("beta.none"), icon=":material/school:")
        return
    if chosen != asked:
        st.query_params["sweep"] = chosen
    sweep = sweeps[chosen][0]
    live = any(run.info.status.is_alive() for run in _members(sweep))
    st.fragment(show_sweep, run_every=TICK_SECONDS if live else None)(sweep, live)


show_page()
