"""The Collapse page's film: the timeline, the frame at its playhead, and strips of the decoder."""

from typing import Any

import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.analysis.consultation.fates import list_events
from explorer.app.cached import measure_codes, move_dimension
from explorer.app.parts.address import write_address
from explorer.app.parts.choices import bound_segments, kept_number
from explorer.app.parts.failures import told
from explorer.app.parts.film import show_map
from explorer.app.parts.pictures import show_row
from explorer.app.parts.timeline import show_timeline, tell_events
from explorer.app.text import paragraph, text
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.verdicts import SLEEPING, show_plane
from explorer.codes import latent_name
from explorer.errors import ExplorerError
from explorer.export.timeline import build_timeline

VIEWS = ("plane", "map")
NEWEST = 10**12
"""A step past every training: the playhead at its end."""


def draw_timeline(points: list[dict[str, Any]], key: str, start: int | None = None) -> int | None:
    """Show KL over dimension and step, from log points; return where the playhead was let go.

    None at the end, and where nothing was logged.
    """
    st.markdown(f"**{text('collapse.timeline')}**")
    values = build_timeline(points)
    if not values["rows"]:
        st.caption(text("collapse.timeline.none"))
        return None
    told = tell_events(list_events(points))
    with st.container(key=f"collapse_timeline_{key}"):
        step = show_timeline(values, told, f"collapse_playhead_{key}", start=start)
    marks = text("collapse.timeline.caption", dead=DEAD_NATS)
    st.caption(paragraph(marks, text("collapse.timeline.drag")))
    return None if step is None else int(step)


@st.fragment
@told()
def show_film(patient: Patient) -> None:
    """Show the timeline, and the codes at the frame before its playhead."""
    run, points = patient.run, patient.run.metrics("train") or patient.run.metrics()
    if not any("kl_per_dim" in point for point in points):
        show_plane(patient.values, "run")
        return
    start = kept_number("collapse_step", "step", NEWEST, 0, NEWEST)
    step = draw_timeline(points, run.id, None if start == NEWEST else start)
    write_address("step", NEWEST if step is None else step, NEWEST)
    with st.expander(text("why.frame"), expanded="view" in st.query_params):
        show_frame(patient, find_frame(run.snapshot_steps(), step))


def find_frame(steps: list[int], step: int | None) -> int | None:
    """Return the last frame up to a step, None for the newest.

    >>> find_frame([0, 10, 20], 15), find_frame([0, 10, 20], 20), find_frame([5, 9], 0)
    (10, None, 5)
    """
    if step is None or not steps or step >= steps[-1]:
        return None
    return max((kept for kept in steps if kept <= step), default=steps[0])


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
                dimension=latent_name(dimensions[0]),
                low=values[0],
                high=values[-1],
                change=change,
            )
            show_row(images, title)
    st.caption(text("collapse.moves.caption"))
