"""The Collapse page's remedies: one click each, then before and after side by side."""

from collections import Counter

import streamlit as st

from explorer.analysis.consultation.prescription import (
    LOWER,
    Prescription,
    list_treatments,
    recognise,
    treat,
    used_config,
)
from explorer.app.cached import diagnose_stored
from explorer.app.parts.address import write_address
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.film import show_map, show_strips
from explorer.app.parts.jobs import show_progress, try_or_toast
from explorer.app.parts.kept import move_widget
from explorer.app.parts.names import label_run, title_run
from explorer.app.session import library
from explorer.app.text import language, plain, sentences, text
from explorer.app.views.collapse.answer import show_elsewhere
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.verdicts import describe_information
from explorer.export.report import words
from explorer.figures.collapse import rate_curves
from explorer.runs.run import Run
from explorer.training.remedies import KINDS, REMEDIES

MAP_HEIGHT = 320
TICK_SECONDS = 1.5
AFTER = "collapse_after"
"""The menu of treated runs."""


def find_treated(run: Run) -> list[tuple[str, Run]]:
    """Return (remedy, run) for the runs that are `run` with one remedy, newest first."""
    used, treatments = used_config(run), list_treatments(run)
    if used is None or not treatments:
        return []
    found = []
    for other in library().runs({"config"}):
        config = other.info.config
        if config is None or other.id == run.id:
            continue
        name = recognise(treatments, used.objective.beta, config)
        if name is not None:
            found.append((name, other))
    return found


def name_remedy(run: Run, name: str, beta: float) -> str:
    """Return what a remedy is called, a lower β with the old and the new one."""
    used = used_config(run)
    if name != LOWER or used is None:
        return text(f"collapse.remedy.{name}")
    return text("why.remedy.lower", before=used.objective.beta, after=beta)


def offer_best(patient: Patient) -> None:
    """Show the remedy for the cause with all that it changes, and the button that trains it."""
    found, plan = patient.found, patient.found.prescription
    if plan is None:
        show_elsewhere(found)
        return
    ready = library().has_images_of(patient.run)
    st.markdown(f"**{text('why.remedy')}**")
    st.button(
        text("why.remedy.train", remedy=words.say_remedy(plan, language())),
        key="collapse_best",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready,
        on_click=_treat,
        args=(patient.run, plan),
    )
    if not ready:
        st.caption(text("collapse.remedies.needs_images"))
    lines = [*words.say_changes(plan, language()), text("why.change.same")]
    told = "\n".join(f"- {plain(line)}" for line in lines)
    st.markdown(f"{text('why.changes')}\n{told}")
    if expected := words.say_expected(found, plan, language()):
        st.caption(expected)


def offer_remedies(patient: Patient) -> None:
    """Show the remedies by kind; a click trains one beside the patient."""
    run, thresholds = patient.run, patient.found.thresholds
    ready = library().has_images_of(run)
    if patient.found.cause is None:
        st.caption(text("why.remedy.unknown"))
    for kind, column in zip(KINDS, st.columns(3), strict=True):
        with column:
            label = text(f"collapse.kind.{kind}")
            st.markdown(label, help=text(f"collapse.kind.{kind}.help"))
            with st.container(horizontal=True):
                for name, remedy in REMEDIES.items():
                    plan = treat(run, name, thresholds) if remedy.kind == kind else None
                    if plan is not None:
                        st.button(
                            name_remedy(run, name, plan.beta),
                            key=f"collapse_remedy_{name}",
                            help="; ".join(words.say_changes(plan, language())),
                            disabled=not ready,
                            on_click=_treat,
                            args=(run, plan),
                        )


def _treat(run: Run, plan: Prescription) -> None:
    path = library().own.new_path(plan.config.dataset, plan.remedy)
    shown = f"{run.name[:50]} · {name_remedy(run, plan.remedy, plan.beta)}"
    images = run.info.dataset
    if try_or_toast(lambda: library().start(plan.config, shown, path=path, images=images)):
        move_widget(AFTER, path.name)


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
        text("collapse.compare.choose"), list(found), list(found).index(kept or ""),
        key=AFTER, width=420, format_func=describe,
    )  # fmt: skip
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
    curves = {
        text("collapse.before"): run.metrics("train"),
        text("collapse.after"): after.metrics("train"),
    }
    figure = rate_curves(curves, role_colours(), words=sentences("figure."))
    show_chart(figure, "collapse_compare", text("collapse.compare.caption"))
    for title, shown, column in zip(curves, (run, after), st.columns(2), strict=True):
        with column:
            st.markdown(f"{title} · {title_run(shown)}")
            info = shown.info
            if info.status.is_alive() and info.planned_steps:
                points = shown.metrics("train")
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
                show_map(shown, frame, f"collapse_map_{shown.id}", MAP_HEIGHT)
                show_strips(frame)
