"""The β lab's figures: the film of the maps, the plane, pictures, what stays awake, KL."""

import math
from typing import Any

import numpy as np
import streamlit as st

from explorer.app.cached import measure_codes, measure_linear_curve, measure_wake_up
from explorer.app.parts.address import refuse, write_address
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.film import choose_step
from explorer.app.parts.kept import Kept
from explorer.app.parts.sections import Section, show_beside
from explorer.app.session import library
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.beta.members import (
    Member,
    Scene,
    choose_film,
    find_scene,
    find_steps,
    point_at,
)
from explorer.codes import main_dimensions
from explorer.errors import ExplorerError
from explorer.export.sweep import match_latents
from explorer.facts import LIKELIHOODS
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
from explorer.runs.run import Snapshot
from explorer.runs.sweeps import Sweep

SHOWN = 400
"""Codes drawn on each small map."""
STRIP = 6
LARGEST_HALF = 3
"""Small maps in half a row."""


def _planes(film: list[Member], frames: list[Snapshot]) -> tuple[list[np.ndarray], float]:
    """Return each member's two main dimensions, matched to the model nearest β = 1."""
    betas = np.array([member.beta for member in film])
    reference = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    target = frames[reference]
    main = main_dimensions(target.mean, target.logvar, film[reference].run.info.has_shares)
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


def show_maps(scene: Scene) -> None:
    """Show the map of each model of the film, all in one square."""
    film, frames = scene.film, scene.frames
    planes, reference = _planes(film, frames)
    # The square is that of the last frames, so that it stands still in the film.
    reach = choose_range(_planes(film, scene.last)[0])
    titles = [
        text("beta.map_title", beta=member.mark, kl=sum(point["kl_per_dim"]))
        for member, point in zip(film, scene.points, strict=True)
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
                with place:
                    show_chart(
                        figure, f"beta_maps_{half}", told=text("app.comma").join(titles[part]),
                        config={"staticPlot": True},
                    )  # fmt: skip
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


def show_plane(scene: Scene) -> None:
    """Show reconstruction over KL; the plane holds all models, also such as have the same β."""
    # Of those outside of the film only the end is known to be at the same step.
    others = scene.others if scene.is_latest else []
    ended = [(m, point) for m in others if (point := point_at(m.run, 0, final=True)) is not None]
    members = scene.film + [member for member, _ in ended]
    points = scene.points + [point for _, point in ended]
    betas, names = [m.beta for m in members], [as_label(m.run.name) for m in members]
    nearest = int(np.abs(np.log(np.maximum(betas, 1e-6))).argmin())
    picked: Kept[str | None] = Kept(f"beta_member_{scene.sweep.id}", None)
    known = [member.run.id.rpartition("/")[2] for member in members]
    asked, name = st.query_params.get("model"), picked.get()
    chosen = nearest
    if name in names:
        chosen = names.index(name)
    elif asked in known:
        chosen = known.index(asked)
    elif asked is not None:
        refuse("model")
    write_address("model", known[chosen], known[nearest])
    trails = []
    for member in members:
        past = [p for p in member.run.metrics("validation") if "kl" in p and p["step"] > 0]
        past = [p for p in past if scene.is_latest or p["step"] <= scene.step]
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
        picked.put(_first(clicked[0]))
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


def show_pictures(scene: Scene) -> None:
    """Show reconstructions and samples of each model of the film, one below the other."""
    rows = []
    for member, frame in zip(scene.film, scene.frames, strict=True):
        if frame.reconstructions is None or frame.samples is None:
            return
        strips = [
            f'<img alt="β = {member.mark}: {text(f"beta.pictures.{place}")}" '
            f'src="{data_uri(encode_png(picture_sheet(images[:STRIP], STRIP), 2))}">'
            for place, images in (("left", frame.reconstructions), ("right", frame.samples))
        ]
        rows.append(f"<span>{member.mark}</span>" + "".join(strips))
    heads = "".join(f"<span>{text(f'beta.pictures.{n}')}</span>" for n in ("beta", "left", "right"))
    st.html(f'<div class="explorer-betas">{heads}{"".join(rows)}</div>')
    st.caption(text("beta.pictures.caption"))


def show_units(scene: Scene) -> None:
    """Show how much of the code each model of the film uses."""
    film = scene.film
    measures = [
        measure_codes(m.run, None if scene.is_latest else frame.step)
        for m, frame in zip(film, scene.frames, strict=True)
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
    bounds = {text("beta.units.information"): [m["mutual_information_saturated"] for m in measures]}
    rule = _find_rule(scene.sweep, film)
    figure = units_over_beta(
        [m.beta for m in film], rows, role_colours(), bounds=bounds, eigenvalues=rule, height=300,
        words=sentences("figure."),
    )  # fmt: skip
    show_chart(figure, "beta_units")
    count = measures[0]["images"]
    caption = text("beta.units.caption", count=count, ceiling=math.log(count))
    bounded = text("beta.units.bound") if any(*bounds.values()) else ""
    st.caption(paragraph(caption, bounded, text("beta.units.rule") if rule else ""))


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


def show_shares(scene: Scene) -> None:
    """Show the KL of each dimension beside reconstruction, over β."""
    figure = kl_bars(
        [member.beta for member in scene.film],
        [point["reconstruction"] for point in scene.points],
        np.array([point["kl_per_dim"] for point in scene.points]),
        role_colours(),
        300,
        sentences("figure."),
        marks=[member.mark for member in scene.film],
    )
    show_chart(figure, "beta_kl", text("beta.kl.caption"))


MAPS = Section(show_maps, title="beta.maps")
COMPARISON = Section(show_plane, title="beta.plane"), Section(show_pictures, title="beta.pictures")
CODES = Section(show_units, title="beta.units"), Section(show_shares, title="beta.kl")
WIDTHS = 1.25, 1.0


def show_figures(sweep: Sweep, members: list[Member]) -> None:
    """Show the film's slider and, at its step, all figures."""
    steps, key = find_steps(choose_film(members)), f"beta_film_{sweep.id}"
    step = choose_step(steps, key, text("beta.film"), text("beta.film.latest"))
    try:
        scene = find_scene(sweep, members, step)
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks.
    if scene is None:
        st.caption(text("job.waiting"))
        return
    MAPS.show(scene)
    show_beside(COMPARISON, scene, widths=WIDTHS, gap="medium")
    show_beside(CODES, scene, widths=WIDTHS, gap="medium")
