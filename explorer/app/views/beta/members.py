"""The β lab's figures: the film of the maps, the plane, pictures, what stays awake, KL."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.collapse.moved_beta import find_beta
from explorer.app.cached import measure_codes, measure_linear_curve, measure_wake_up
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.session import library
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.train.watch import describe_beta
from explorer.codes import main_dimensions
from explorer.config import LIKELIHOODS, Config
from explorer.errors import ExplorerError
from explorer.export.sweep import match_latents
from explorer.figures.beta import (
    choose_range,
    count_outside,
    kl_bars,
    rate_distortion_plane,
    small_maps,
    units_over_beta,
)
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.figures.style import as_label
from explorer.runs.run import Run, Snapshot
from explorer.runs.sweeps import Sweep

SHOWN = 400
"""Codes drawn on each small map."""
STRIP = 6
LARGEST_FILM = 12
LARGEST_HALF = 3
"""Small maps in half a row."""


@dataclass(frozen=True)
class Member:
    """A model of the sweep, with the β that its last update used and how that is written."""

    run: Run
    config: Config
    beta: float
    mark: str


def find_members(sweep: Sweep) -> list[Member]:
    """Return the models that can be shown, by β.

    Of a family all, since they are at the same step; of a sweep those that have ended.
    """
    members = []
    for name, run in sweep.runs().items():
        try:
            info, beta = run.info, find_beta(run)
        except ExplorerError:
            continue  # Removed by hand between the two looks.
        if sweep.kind == "sweep" and not info.results:
            continue
        if beta is not None and run.snapshot_steps():
            mark = describe_beta(run) or ""
            members.append(Member(run, sweep.configs[name], beta.now, mark))
    return sorted(members, key=lambda member: member.beta)


def show_figures(sweep: Sweep, members: list[Member]) -> None:
    """Show the film's slider and, at its step, all figures."""
    film = _choose_film(members)
    common = set.intersection(*(set(member.run.snapshot_steps()) for member in film))
    steps = sorted(common)
    latest = text("beta.film.latest")
    chosen: Any = latest
    if len(steps) > 1:
        key = f"beta_film_{sweep.id}"
        chosen = st.select_slider(text("beta.film"), [*steps[:-1], latest], latest, key=key)
    is_latest = chosen == latest
    try:
        last = [_last_frame(sweep, member, steps) for member in film]
        frames = last if is_latest else [member.run.snapshot(int(chosen)) for member in film]
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks.
    points = [_point_at(m.run, f.step, final=is_latest) for m, f in zip(film, frames, strict=True)]
    if any(point is None for point in points):
        st.caption(text("beta.waiting"))
        return
    measured = [point for point in points if point is not None]
    _show_maps(film, frames, last, measured)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        # The plane holds all models, where several have the same β.
        others = [m for m in members if m not in film and is_latest]
        ended = [(m, _point_at(m.run, 0, final=True)) for m in others]
        pairs = [*zip(film, measured, strict=True), *((m, p) for m, p in ended if p is not None)]
        _show_plane(sweep, [m for m, _ in pairs], [p for _, p in pairs], frames[0].step, is_latest)
    with right:
        _show_pictures(film, frames)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _show_units(sweep, film, frames, final=is_latest)
    with right:
        st.markdown(f"**{text('beta.kl')}**")
        figure = kl_bars(
            [member.beta for member in film],
            [point["reconstruction"] for point in measured],
            np.array([point["kl_per_dim"] for point in measured]),
            role_colours(),
            300,
            sentences("figure."),
            marks=[member.mark for member in film],
        )
        show_chart(figure, "beta_kl", text("beta.kl.caption"))


def _choose_film(members: list[Member]) -> list[Member]:
    """Return one model per β, all of one shape, at most as many as small maps fit."""
    latents = members[0].config.model.latent_dim
    found: dict[float, Member] = {}
    for member in members:
        if member.config.model.latent_dim == latents:
            found.setdefault(member.config.objective.beta, member)
    film = list(found.values())
    if len(film) > LARGEST_FILM:
        film = [film[round(i)] for i in np.linspace(0, len(film) - 1, LARGEST_FILM)]
    return film


def _last_frame(sweep: Sweep, member: Member, common: list[int]) -> Snapshot:
    """Return the newest frame: of a family that is trained one that all members have."""
    step = common[-1] if sweep.kind == "family" and common else member.run.snapshot_steps()[-1]
    return member.run.snapshot(step)


def _point_at(run: Run, step: int, final: bool) -> dict[str, Any] | None:
    """Return figures of the model at `step`: of the test split at the end, else as logged."""
    results = run.info.results
    measured = [name for name in results if {"reconstruction", "kl_per_dim"} <= set(results[name])]
    if final and measured:
        split = "test" if "test" in measured else measured[0]
        return {**results[split], "split": split}
    for split in ("validation", "train"):
        points = [point for point in run.metrics(split) if "kl_per_dim" in point]
        past = [point for point in points if point["step"] <= step]
        if past:
            return past[-1]
    # Step 0 itself is not logged: the first update's figures are those of the start.
    return points[0] if points else None


def _planes(film: list[Member], frames: list[Snapshot]) -> tuple[list[np.ndarray], float]:
    """Return each member's two main dimensions, matched to the model nearest β = 1."""
    betas = np.array([member.beta for member in film])
    reference = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    target = frames[reference]
    main = main_dimensions(target.mean, target.logvar, film[reference].run.info.prior)
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


def _show_maps(
    film: list[Member],
    frames: list[Snapshot],
    last: list[Snapshot],
    points: list[dict[str, Any]],
) -> None:
    st.markdown(f"**{text('beta.maps')}**")
    planes, reference = _planes(film, frames)
    # The square is that of the last frames, so that it stands still in the film.
    reach = choose_range(_planes(film, last)[0])
    titles = [
        text("beta.map_title", beta=member.mark, kl=sum(point["kl_per_dim"]))
        for member, point in zip(film, points, strict=True)
    ]
    labels = [None if f.labels is None else f.labels[:SHOWN] for f in frames]
    # Halves of a row of six are figures of their own: they stand below each other on a phone.
    columns = -(-min(len(film), 2 * LARGEST_HALF) // 2)
    for start in range(0, len(film), 2 * columns):
        for place, half in zip(st.columns(2, gap=None), (start, start + columns), strict=True):
            part = slice(half, half + columns)
            if titles[part]:
                figure = small_maps(
                    titles[part], planes[part], labels[part], role_colours(),
                    reach=reach, columns=columns,
                )  # fmt: skip
                config = {"staticPlot": True}
                place.plotly_chart(figure, theme=None, key=f"beta_maps_{half}", config=config)
    outside = [
        text("beta.maps.outside", outside=count, count=len(plane), beta=member.mark)
        for member, plane in zip(film, planes, strict=True)
        if (count := count_outside(plane, reach))
    ]
    st.caption(
        paragraph(
            text("beta.maps.caption", reach=reach),
            *outside,
            text("beta.maps.moved", beta=reference),
            text("beta.maps.many") if frames[0].mean.shape[1] > 2 else "",
        )
    )


def _show_plane(
    sweep: Sweep, members: list[Member], points: list[dict[str, Any]], step: int, is_latest: bool
) -> None:
    st.markdown(f"**{text('beta.plane')}**")
    betas, names = [m.beta for m in members], [as_label(m.run.name) for m in members]
    nearest = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    state = f"beta_member_{sweep.id}"
    picked = st.session_state.get(state)
    chosen = names.index(picked) if picked in names else nearest
    trails = []
    for member in members:
        past = [p for p in member.run.metrics("validation") if "kl" in p and p["step"] > 0]
        past = [p for p in past if is_latest or p["step"] <= step]
        trails.append((_column(past, "kl"), _column(past, "reconstruction")))
    rates = [sum(point["kl_per_dim"]) for point in points]
    theory = _find_theory(members)
    figure = rate_distortion_plane(
        names, betas, rates, [p["reconstruction"] for p in points],
        role_colours(), marks=[m.mark for m in members], selected=chosen, trails=trails,
        theory=theory, words=sentences("figure."),
    )  # fmt: skip
    event = show_chart(
        figure, "beta_plane", on_select="rerun",
        selection_mode="points",
    )  # fmt: skip
    clicked = [p["customdata"] for p in event["selection"]["points"] if "customdata" in p]
    if clicked and _first(clicked[0]) in names and _first(clicked[0]) != names[chosen]:
        st.session_state[state] = _first(clicked[0])
        st.rerun()
    said = ""
    if theory is not None:
        said = text("beta.plane.theory")
    elif not LIKELIHOODS[members[0].config.model.likelihood].linear_theory:
        said = text("beta.plane.no_theory")
    st.caption(paragraph(text("beta.plane.caption"), said))
    point, member = points[chosen], members[chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        rate = sum(point["kl_per_dim"])
        st.markdown(
            text(
                "beta.chosen", beta=member.mark, elbo=point["reconstruction"] + rate,
                reconstruction=point["reconstruction"], kl=rate,
                split=text(f"explore.split_{point.get('split', 'test')}"),
            )
        )  # fmt: skip
        if st.button(text("beta.open"), key="beta_open", type="primary"):
            st.switch_page("views/explore.py", query_params={"model": member.run.id})
        if st.button(text("beta.watch"), key="beta_watch"):
            st.switch_page("views/train/page.py", query_params={"run": member.run.id})


def _find_theory(members: list[Member]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the linear model's rates and distortions, where they are in the models' units."""
    config, betas = members[0].config, [member.beta for member in members]
    # The closed form is of a Gaussian decoder of fixed σ²: other distortions do not compare.
    if not LIKELIHOODS[config.model.likelihood].linear_theory or min(betas) <= 0:
        return None
    return measure_linear_curve(
        config.dataset, config.model.latent_dim, config.model.sigma2, min(betas), 4 * max(betas)
    )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) else value


def _column(points: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([point[name] for point in points])


def _show_pictures(film: list[Member], frames: list[Snapshot]) -> None:
    st.markdown(f"**{text('beta.pictures')}**")
    rows = []
    for member, frame in zip(film, frames, strict=True):
        if frame.reconstructions is None or frame.samples is None:
            return
        strips = [
            f'<img alt="" src="{data_uri(encode_png(picture_sheet(images[:STRIP], STRIP), 2))}">'
            for images in (frame.reconstructions, frame.samples)
        ]
        rows.append(f"<span>{member.mark}</span>" + "".join(strips))
    heads = "".join(f"<span>{text(f'beta.pictures.{n}')}</span>" for n in ("beta", "left", "right"))
    st.html(f'<div class="explorer-betas" role="img">{heads}{"".join(rows)}</div>')
    st.caption(text("beta.pictures.caption"))


def _show_units(sweep: Sweep, film: list[Member], frames: list[Snapshot], final: bool) -> None:
    st.markdown(f"**{text('beta.units')}**")
    measures = [
        measure_codes(m.run, None if final else frame.step)
        for m, frame in zip(film, frames, strict=True)
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
    rule = _find_rule(sweep, film)
    figure = units_over_beta(
        [m.beta for m in film], rows, role_colours(), eigenvalues=rule, height=300,
        words=sentences("figure."),
    )  # fmt: skip
    show_chart(figure, "beta_units")
    count = measures[0]["images"]
    caption = text("beta.units.caption", count=count, ceiling=math.log(count))
    st.caption(paragraph(caption, text("beta.units.rule") if rule else ""))


def _find_rule(sweep: Sweep, film: list[Member]) -> list[float]:
    """Return the first eigenvalues of the wake-up rule: as shipped, or from the images at hand."""
    model = film[0].config.model
    shipped = library().stored_beside(sweep, "theory")
    if shipped is not None:
        values = shipped["wake_up"]
    else:
        info = film[0].run.info
        if info.dataset is None:
            return []
        values = measure_wake_up(info.dataset.name, model.likelihood, model.sigma2)
    largest = 1.5 * max(member.beta for member in film)
    return [float(value) for value in values[: model.latent_dim][:4] if value < largest]
