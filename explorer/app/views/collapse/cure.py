"""The Collapse page's remedies: one click each."""

import streamlit as st

from explorer.analysis.consultation.prescription import (
    LOWER,
    Prescription,
    treat,
    used_config,
)
from explorer.analysis.consultation.stand_in import STAND_IN
from explorer.app.parts.jobs import try_or_toast
from explorer.app.parts.kept import move_widget
from explorer.app.session import library
from explorer.app.text import language, plain, text
from explorer.app.views.collapse.answer import show_elsewhere
from explorer.app.views.collapse.patient import Patient
from explorer.export.report import words
from explorer.runs.run import Run
from explorer.training.remedies import KINDS, REMEDIES

AFTER = "collapse_after"
"""The menu of treated runs."""


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
    ready, stands_in = library().has_images_of(patient.run), plan.remedy == STAND_IN
    if stands_in:
        show_elsewhere(found)
    st.markdown(f"**{text('why.remedy.try' if stands_in else 'why.remedy')}**")
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
    same = text("why.change.same.stand_in" if stands_in else "why.change.same")
    lines = [*words.say_changes(plan, language()), same]
    told = "\n".join(f"- {plain(line)}" for line in lines)
    st.markdown(f"{text('why.changes')}\n{told}")
    if not stands_in and (expected := words.say_expected(found, plan, language())):
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
