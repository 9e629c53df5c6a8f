"""The Collapse page's film: the timeline, the codes at its playhead, and strips of the decoder."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.analysis.consultation.fates import list_events
from explorer.app.cached import move_dimension
from explorer.app.parts.address import write_address
from explorer.app.parts.choices import kept_number
from explorer.app.parts.failures import told
from explorer.app.parts.moments import gather_codes
from explorer.app.parts.pictures import show_row
from explorer.app.parts.timeline import show_timeline, tell_events
from explorer.app.text import paragraph, text
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.verdicts import SLEEPING, show_plane
from explorer.codes import latent_name
from explorer.export.timeline import build_timeline
from explorer.runs.run import Run

NEWEST = 10**12
"""A step past every training: the playhead at its end."""


def draw_timeline(
    points: list[dict[str, Any]], key: str, start: int | None = None, run: Run | None = None
) -> int | None:
    """Show KL over dimension and step, from log points; return where the playhead was let go.

    None at the end, and where nothing was logged. The codes of a `run` follow the playhead.
    """
    st.markdown(f"**{text('collapse.timeline')}**")
    values = build_timeline(points)
    if not values["rows"]:
        st.caption(text("collapse.timeline.none"))
        return None
    told = tell_events(list_events(points))
    with st.container(key=f"collapse_timeline_{key}"):
        name = f"collapse_playhead_{key}"
        film = None if run is None else gather_codes(run, name)
        step = show_timeline(values, told, name, start=start, is_bound=run is not None, film=film)
    marks = text("collapse.timeline.caption", dead=DEAD_NATS)
    st.caption(paragraph(marks, text("collapse.timeline.drag")))
    return None if step is None else int(step)


@st.fragment
@told()
def show_film(patient: Patient) -> None:
    """Show the timeline, and the codes at its playhead; without a log, the plane of the end."""
    run, points = patient.run, patient.run.metrics("train") or patient.run.metrics()
    if not has_timeline(points):
        show_plane(patient.values, "run")
        return
    start = kept_number("collapse_step", "step", NEWEST, 0, NEWEST)
    step = draw_timeline(points, run.id, None if start == NEWEST else start, run)
    write_address("step", NEWEST if step is None else step, NEWEST)


def has_timeline(points: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a log has KL per dimension."""
    return any("kl_per_dim" in point for point in points)


def show_end(patient: Patient) -> None:
    """Show the plane with the verdicts at the end of training, where the timeline stands above."""
    if has_timeline(patient.run.metrics("train") or patient.run.metrics()):
        st.markdown(f"**{text('collapse.plane')}**")
        show_plane(patient.values, "run")


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
