"""Before and after: a patient beside a run that was treated, live while that one trains."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.analysis.consultation.fates import list_events
from explorer.analysis.consultation.prescription import list_treatments, recognise, used_config
from explorer.analysis.consultation.stand_in import STAND_IN, is_stand_in
from explorer.app.cached import diagnose_stored
from explorer.app.parts.address import write_address
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.film import show_map, show_strips
from explorer.app.parts.jobs import show_progress
from explorer.app.parts.moments import gather_codes
from explorer.app.parts.names import label_run, title_run
from explorer.app.parts.timeline import show_timeline, tell_events
from explorer.app.session import library
from explorer.app.text import text
from explorer.app.views.collapse.cure import AFTER, name_remedy
from explorer.app.views.collapse.ended import is_cut, show_ended
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.verdicts import describe_information
from explorer.export.timeline import build_timeline
from explorer.runs.run import Run

MAP_HEIGHT = 320
TICK_SECONDS = 1.5


def find_treated(run: Run) -> list[tuple[str, Run]]:
    """Return (remedy, run) for the runs that are `run` with one remedy, newest first."""
    used, treatments = used_config(run), list_treatments(run)
    adopted = run.info.model.adopted is not None
    if not adopted and (used is None or not treatments):
        return []
    found = []
    for other in library().runs({"config"}):
        config = other.info.config
        if config is None or other.id == run.id:
            continue
        name = None
        if adopted:
            name = STAND_IN if is_stand_in(run, config) else None
        elif used is not None:
            name = recognise(treatments, used.objective.beta, config)
        if name is not None:
            found.append((name, other))
    return found


def _choose_treated(run: Run, treated: list[tuple[str, Run]]) -> tuple[str, Run]:
    """Return the treated run to compare with: the one started last, until another is chosen."""
    found = {other.id: (name, other) for name, other in treated}
    if len(found) == 1:
        return treated[0]
    kept = kept_choice(AFTER, found, "after")
    names = Counter(name for name, _ in treated)

    def describe(run_id: str) -> str:
        name = found[run_id][0]
        label = _name_treatment(run, *found[run_id])
        return label if names[name] == 1 else f"{label} · {label_run(found[run_id][1])}"

    chosen = st.selectbox(
        text("collapse.compare.choose"),
        list(found),
        list(found).index(kept or ""),
        key=AFTER,
        width=420,
        format_func=describe,
    )
    write_address("after", chosen, next(iter(found)))
    return found[chosen]


def _name_treatment(run: Run, name: str, after: Run) -> str:
    config = after.info.config
    return name_remedy(run, name, config.objective.beta if config is not None else 0.0)


def follow_treated(patient: Patient) -> None:
    """Show the patient beside a treated run, again and again while one is being trained."""
    live = any(other.is_trained() for _, other in find_treated(patient.run))
    st.fragment(compare_treated, run_every=TICK_SECONDS if live else None)(patient.run, live)


@told()
def compare_treated(run: Run, was_live: bool) -> None:
    """Show the patient and a treated one side by side."""
    treated = find_treated(run)
    if not treated:
        return
    name, after = _choose_treated(run, treated)
    live = after.info.status.is_alive()
    if live != was_live:
        st.rerun()
    st.markdown(f"**{text('collapse.compare', remedy=_name_treatment(run, name, after))}**")
    points = [list_points(run), list_points(after)]
    if all(points):
        awake = [count_awake(each[-1]) for each in points]
        key = "collapse.compared.live" if live else "collapse.compared"
        if is_cut(after.info.status):
            key = "why.cure.cut"
        counts = {"count": run.info.latent_dim, "before": awake[0], "after": awake[1]}
        st.markdown(text(key, **counts, kl_before=_sum(points[0]), kl_after=_sum(points[1])))
    titles = (text("collapse.before"), text("collapse.after"))
    for title, shown, each, column in zip(
        titles, (run, after), points, st.columns(2, gap="medium"), strict=True
    ):
        with column:
            st.markdown(f"{title} · {title_run(shown)}")
            _show_side(shown, each, title, is_cure=shown.id == after.id)
    unlike = name == STAND_IN
    st.caption(text("why.change.same.stand_in" if unlike else "collapse.compare.caption"))


def _show_side(shown: Run, points: list[dict[str, Any]], title: str, *, is_cure: bool) -> None:
    """Show how one of the two trained, how far it is or what became of it, and its pictures."""
    info = shown.info
    show_ended(shown, is_cure=is_cure)
    if points:
        heard, key = f"{title}: {tell_events(list_events(points))}", f"collapse_side_{shown.id}"
        show_timeline(build_timeline(points), heard, key, film=gather_codes(shown, key))
    if info.status.is_alive() and info.status.state == "running" and info.planned_steps:
        step = points[-1]["step"] if points else 0
        running = text("collapse.training", step=step, planned=info.planned_steps)
        show_progress(step, info.planned_steps, running)
    elif (shown.path / "codes.npz").is_file():
        values = diagnose_stored(str(shown.path), shown.fingerprint)
        st.markdown(
            text(
                "collapse.summary",
                active=values["active_units"],
                count=len(values["dimensions"]),
                rate=values["rate"],
                error=values["rate_error"],
                information=describe_information(values),
            )
        )
    steps = shown.snapshot_steps()
    if steps:
        frame = shown.snapshot(steps[-1])
        if not points:
            show_map(shown, frame, f"collapse_map_{shown.id}", MAP_HEIGHT)
        show_strips(frame)


def list_points(run: Run) -> list[dict[str, Any]]:
    """Return the log points with KL per dimension; without any, the one of a run's results."""
    points = [p for p in run.metrics("train") or run.metrics() if "kl_per_dim" in p]
    shares = run.info.best_results.get("kl_per_dim")
    if not points and shares:
        points = [{"step": run.info.status.step, "kl_per_dim": shares, "beta": run.info.beta}]
    return points


def count_awake(point: Mapping[str, Any]) -> int:
    """Return how many latents are awake at a log point."""
    return sum(kl > DEAD_NATS for kl in point["kl_per_dim"])


def _sum(points: list[dict[str, Any]]) -> float:
    return sum(points[-1]["kl_per_dim"]) + 0.0
