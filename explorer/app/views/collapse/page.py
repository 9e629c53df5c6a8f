"""Collapse: which dimensions are in use, since when, why not, and what brings them back."""

import streamlit as st

from explorer.app.cached import diagnose_stored
from explorer.app.cached.collapse import match_stored
from explorer.app.parts.address import leave_behind, read_as
from explorer.app.parts.beta import describe_beta
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.lede import show_lede
from explorer.app.parts.names import label_run
from explorer.app.parts.sections import Section, show_sections
from explorer.app.session import library
from explorer.app.text import plain, text
from explorer.app.views.collapse.adopted import show_adopted, show_weights
from explorer.app.views.collapse.cure import follow_treated, offer_remedies
from explorer.app.views.collapse.factors import offer_factors
from explorer.app.views.collapse.film import show_film, show_moves
from explorer.app.views.collapse.loss import ask_for_loss
from explorer.app.views.collapse.own import ask_for_codes
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.prior import show_prior
from explorer.app.views.collapse.verdicts import show_causes, show_diagnosis, show_table
from explorer.runs.run import Run


def list_patients() -> dict[str, str]:
    """Return the runs whose dimensions can be judged, names by id, the prepared patient first."""
    runs = library().runs({"shares", "codes"})
    runs.sort(key=lambda run: run.id != "digits-collapsed")
    return {run.id: label_run(run) for run in runs}


def judge_run(run: Run) -> Patient:
    """Return a run with its diagnosis, and show a bar while that takes its time."""
    place = st.empty()

    def tell(share: float) -> None:
        place.progress(share, text("collapse.judging"))

    values = diagnose_stored(str(run.path), run.fingerprint, tell)
    place.empty()
    return Patient(run, values)


def show_facts(patient: Patient) -> None:
    """Say what the model is, with β as it became."""
    info = patient.run.info
    assert info.config is not None
    st.caption(
        text(
            "collapse.facts",
            dataset=plain(info.config.dataset),
            latents=info.latent_dim,
            likelihood=text(f"train.likelihood.{info.config.model.likelihood}"),
            beta=describe_beta(patient.run) or "",
            step=info.status.step,
        )
    )


def show_run_prior(patient: Patient) -> None:
    """Say whether the run's codes follow the prior."""
    run = patient.run
    show_prior(match_stored(str(run.path), run.fingerprint), "run")


SECTIONS: tuple[Section[Patient], ...] = (
    Section(show_facts, needs=("config",)),
    Section(
        show_adopted, title="adopted.title", needs=("adopted",), key="collapse_adopted", silent=True
    ),
    Section(lambda patient: show_diagnosis(patient.values, patient.run.info.config)),
    Section(show_film),
    Section(lambda patient: show_table(patient.values), title="collapse.table"),
    Section(lambda patient: show_causes(patient.values), title="collapse.why"),
    Section(show_run_prior, title="prior.title", key="collapse_prior"),
    Section(
        show_weights,
        title="adopted.weights",
        lede="adopted.weights.lede",
        needs=("model", "training"),
        key="collapse_weights",
        silent=True,
    ),
    Section(offer_factors),
    Section(show_moves, title="collapse.moves", needs=("model",), key="collapse_moves"),
    Section(
        offer_remedies,
        title="collapse.remedies",
        lede="collapse.remedies.caption",
        needs=("training",),
        key="collapse_remedies",
    ),
    Section(follow_treated, needs=("training",)),
)
"""The page, once a patient is chosen."""


def show_page() -> None:
    """Lay out the page."""
    show_lede("collapse.lead")
    read_as("run", "model")
    patients = list_patients()
    ids, asked = list(patients), st.query_params.get("run")
    kept = kept_choice("collapse_choose", ids, "run")
    chosen = st.selectbox(
        text("collapse.choose"), ids, None if kept is None else ids.index(kept),
        key="collapse_choose", width=420, format_func=lambda run_id: patients.get(run_id, run_id),
    )  # fmt: skip
    # What visitors bring stands first: most of them come with a model of their own.
    with st.container(key="collapse_own"):
        ask_for_codes()
        ask_for_loss()
    if chosen is None:
        return
    if asked in ids and asked != chosen:
        leave_behind(("step", "after"))
    st.query_params["run"] = chosen
    with told():
        run = library().find(chosen)
        show_sections(SECTIONS, judge_run(run), run)


show_page()
