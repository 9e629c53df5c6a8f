"""The Collapse page's film: the timeline, a scrubber over snapshots, and strips of the decoder."""

from typing import Any

import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS, find_events
from explorer.app.cached import measure_codes, move_dimension
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import bound_segments
from explorer.app.parts.failures import told
from explorer.app.parts.film import show_map
from explorer.app.parts.pictures import show_row
from explorer.app.parts.sliders import live_choice
from explorer.app.text import sentences, text
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.verdicts import SLEEPING, show_plane
from explorer.errors import ExplorerError
from explorer.figures.collapse import collapse_timeline
from explorer.runs.run import Run

VIEWS = ("plane", "map")
ROW, ROOM, TALLEST = 26, 70, 300
"""Pixels of a dimension in the timeline, of its axis, and of all of it at most."""


def draw_timeline(points: list[dict[str, Any]], key: str, step: int | None = None) -> None:
    """Show KL over dimension and step, from log points, with the events."""
    st.markdown(f"**{text('collapse.timeline')}**")
    rows = [point for point in points if "kl_per_dim" in point]
    if not rows:
        st.caption(text("collapse.timeline.none"))
        return
    found = find_events([p["step"] for p in rows], [p["kl_per_dim"] for p in rows])
    events = [(event.dimension, event.step, event.kind) for event in found]
    height = min(TALLEST, ROOM + ROW * len(rows[0]["kl_per_dim"]))
    figure = collapse_timeline(
        rows, events, role_colours(), step=step, height=height, words=sentences("figure.")
    )
    show_chart(
        figure, f"collapse_timeline_{key}", text("collapse.timeline.caption", dead=DEAD_NATS)
    )


@st.fragment
@told()
def show_film(patient: Patient) -> None:
    """Show the timeline, with a playhead under the hand where the run kept frames."""
    run, points = patient.run, patient.run.metrics("train") or patient.run.metrics()
    timeline = st.container()
    step = choose_live_step(run)
    with timeline:
        draw_timeline(points, "run", step)
    tell_moment(points, step)
    with st.expander(text("why.frame"), expanded="view" in st.query_params):
        show_frame(patient, step)


def choose_live_step(run: Run) -> int | None:
    """Return the step that the playhead stands on while it is dragged, None for the newest."""
    steps = run.snapshot_steps()
    if len(steps) < 2:
        return None
    names = [*map(str, steps[:-1]), text("collapse.film.latest")]
    key, label = f"collapse_film_{run.id}", text("collapse.film")
    place = live_choice(label, names, len(names) - 1, key=key, role="mean", address="step")
    return None if place == len(names) - 1 else steps[place]


def tell_moment(points: list[dict[str, Any]], step: int | None) -> None:
    """Say where training stood at a step: β, KL, and how many latents were awake."""
    rows = [point for point in points if "kl_per_dim" in point]
    if not rows:
        return
    before = [point for point in rows if step is None or point["step"] <= step]
    point = before[-1] if before else rows[0]
    values = {
        "step": point["step"],
        "kl": point["kl"] + 0.0,
        "awake": sum(kl > DEAD_NATS for kl in point["kl_per_dim"]),
        "count": len(point["kl_per_dim"]),
    }
    beta = point.get("beta")
    known = text("why.moment", **values)
    st.caption(known if beta is None else text("why.moment.beta", beta=beta, **values))


def show_frame(patient: Patient, step: int | None) -> None:
    """Show the plane or the map at a step of the film."""
    run, steps, view = patient.run, patient.run.snapshot_steps(), "plane"
    if steps:
        view = bound_segments(
            "collapse_view",
            "view",
            VIEWS,
            text("collapse.film.view"),
            lambda name: text(f"collapse.film.{name}"),
            label_visibility="collapsed",
        )
    try:
        frame = run.snapshot(steps[-1] if step is None else step) if steps else None
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks.
    if view == "map" and frame is not None:
        show_map(run, frame, "collapse_map", 330)
    elif step is None or frame is None or frame.logvar is None:
        show_plane(patient.values, "run")
    else:
        show_plane(measure_codes(run, step), "run")


def show_moves(patient: Patient) -> None:
    """Show what the decoder does with a living and a sleeping dimension, side by side."""
    run = patient.run
    rows = sorted(patient.values["dimensions"], key=lambda row: -row["kl"])
    asleep = [row["index"] for row in rows if row["verdict"] in SLEEPING]
    awake = [row["index"] for row in rows if row["verdict"] not in SLEEPING]
    for column, name, dimensions in zip(
        st.columns(2, gap="medium"), ("awake", "asleep"), (awake[:1], asleep[-1:]), strict=True
    ):
        with column:
            if not dimensions:
                st.caption(text(f"collapse.moves.no_{name}"))
                continue
            moved = move_dimension(str(run.path), run.fingerprint, dimensions[0])
            if moved is None:
                continue
            values, images, change = moved
            title = text(
                f"collapse.moves.{name}",
                dimension=dimensions[0] + 1,
                low=values[0],
                high=values[-1],
                change=change,
            )
            show_row(images, title)
    st.caption(text("collapse.moves.caption"))
