"""The β lab's charts over β: what stays awake, and KL."""

import math

import numpy as np
import streamlit as st

from explorer.app.cached import measure_codes, measure_wake_up
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.sections import Section, show_beside
from explorer.app.session import library
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.beta.lab import show_lab
from explorer.app.views.beta.members import (
    Member,
    Scene,
    find_scene,
    point_at,
)
from explorer.errors import ExplorerError
from explorer.figures.beta import (
    kl_bars,
    units_over_beta,
)
from explorer.runs.sweeps import Sweep

HEIGHT = 300


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
        [m.beta for m in film],
        rows,
        role_colours(),
        bounds=bounds,
        eigenvalues=rule,
        height=HEIGHT,
        words=sentences("figure."),
    )
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
        HEIGHT,
        sentences("figure."),
        marks=[member.mark for member in scene.film],
    )
    show_chart(figure, "beta_kl", text("beta.kl.caption"))


CODES = Section(show_units, title="beta.units"), Section(show_shares, title="beta.kl")
WIDTHS = 1.25, 1.0


def show_figures(sweep: Sweep, members: list[Member], *, live: bool) -> None:
    """Show the linked picture and, at the step where the hand rests, the charts over β."""
    measured = [member for member in members if point_at(member.run, 0, final=True) is not None]
    if not measured:
        st.caption(text("job.waiting"))
        return
    try:
        step = show_lab(sweep, measured, live=live)
        scene = find_scene(sweep, measured, step)
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks.
    if scene is not None and len(scene.film) > 1:
        show_beside(CODES, scene, widths=WIDTHS, gap="medium")
