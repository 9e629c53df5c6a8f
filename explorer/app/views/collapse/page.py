"""Collapse: which dimensions are in use, since when, why not, and what brings them back."""

from typing import Any

import streamlit as st

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.analysis.consultation.consult import consult_run
from explorer.app.cached import diagnose_stored
from explorer.app.cached.collapse import ask_stored, match_stored
from explorer.app.parts.address import leave_behind, read_as
from explorer.app.parts.choices import bound_segments, kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.kept import Kept
from explorer.app.parts.lede import show_lede
from explorer.app.parts.moments import send_codes_anew
from explorer.app.parts.names import label_run
from explorer.app.parts.sections import Section, show_sections
from explorer.app.session import library
from explorer.app.text import language, plain, text
from explorer.app.views.collapse.adopted import show_adopted, show_weights, warn_of_adopted
from explorer.app.views.collapse.answer import offer_report, show_headline, show_why
from explorer.app.views.collapse.compare import follow_treated
from explorer.app.views.collapse.cure import offer_best, offer_remedies
from explorer.app.views.collapse.factors import offer_factors
from explorer.app.views.collapse.film import show_end, show_film, show_moves
from explorer.app.views.collapse.loss import ask_for_loss, explain_loss
from explorer.app.views.collapse.own import ask_for_codes
from explorer.app.views.collapse.patient import Patient
from explorer.app.views.collapse.prior import show_prior
from explorer.app.views.collapse.remembered import ask_for_beta, asks_for_beta, remember_beta
from explorer.app.views.collapse.sweep import ask_for_sweep
from explorer.app.views.collapse.verdicts import show_causes, show_diagnosis, show_table
from explorer.export.report import words
from explorer.export.report.gather import gather_run
from explorer.runs.run import Run


def list_patients() -> dict[str, str]:
    """Return the runs whose dimensions can be judged, names by id, the prepared patient first."""
    runs = library().runs({"shares", "codes"})
    runs.sort(key=lambda run: run.id != "digits-collapsed")
    return {run.id: label_run(run) for run in runs}


def judge_run(run: Run, beta: float | None) -> dict[str, Any]:
    """Return a run's diagnosis, and show a bar while that takes its time; `beta` as remembered."""
    place = st.empty()

    def tell(share: float) -> None:
        place.progress(share, text("collapse.judging"))

    values = diagnose_stored(str(run.path), run.fingerprint, tell, beta)
    place.empty()
    return values


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


def show_answer(patient: Patient) -> None:
    """Show the answer in one sentence, the timeline beside why, and the best remedy."""
    show_headline(patient.found)
    if patient.run.info.config is not None:
        show_facts(patient)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        show_film(patient)
    with right:
        if patient.found.asleep and asks_for_beta(patient.run):
            ask_for_beta(patient.run)
        show_why(patient.found, "run")
        if patient.found.asleep:
            with st.container(key="collapse_cure"):
                offer_best(patient)


def show_asked(patient: Patient) -> None:
    """Show what is asked beside collapse: of training at once, of pictures on demand."""
    run, found = patient.run, patient.found
    if found.convergence is not None:
        st.markdown(f"**{text('why.converged')}**")
        st.markdown(plain(words.say_convergence(found.convergence, language())))
    if not run.info.has_model or not library().has_images_of(run):
        return
    asked = Kept(f"collapse_asked_{run.id}", False)
    if not asked.get() and st.button(
        text("why.ask"), key="collapse_ask", help=text("why.ask.caption")
    ):
        asked.put(True)
    if asked.get():
        with st.spinner():
            pictures, sampling = ask_stored(str(run.path), run.fingerprint)
        st.markdown(f"**{text('why.pictures')}**")
        st.markdown(plain(words.say_pictures(pictures, language())))
        st.markdown(f"**{text('why.sampling')}**")
        st.markdown(plain(words.say_sampling(sampling, language())))


def show_report(patient: Patient) -> None:
    """Offer the report."""
    run, values = patient.run, patient.values
    images, beta = library().images_of, remember_beta(run)
    offer_report(
        lambda: gather_run(run, images(run), diagnosis=values, beta=beta), run.id.replace("/", "-")
    )


SECTIONS: tuple[Section[Patient], ...] = (
    Section(warn_of_adopted, needs=("adopted",)),
    Section(show_answer),
    Section(
        show_adopted, title="adopted.title", needs=("adopted",), key="collapse_adopted", silent=True
    ),
    Section(follow_treated),
    Section(show_asked, title="why.asked", key="collapse_asked"),
    Section(show_report),
)
"""The page, once a patient is chosen."""
DETAILS: tuple[Section[Patient], ...] = (
    Section(lambda patient: show_diagnosis(patient.values, patient.run.info.config)),
    Section(lambda patient: show_table(patient.values, "run"), title="collapse.table"),
    Section(lambda patient: show_causes(patient.values), title="collapse.why"),
    Section(show_end),
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
)
"""What the answer rests on, folded below it."""


def choose_run() -> str | None:
    """Return the id of the run to ask about, None where there is none."""
    read_as("run", "model")
    patients = list_patients()
    ids, asked = list(patients), st.query_params.get("run")
    kept = kept_choice("collapse_choose", ids, "run")
    chosen = st.selectbox(
        text("collapse.choose"),
        ids,
        None if kept is None else ids.index(kept),
        key="collapse_choose",
        width=420,
        format_func=lambda run_id: patients.get(run_id, run_id),
        label_visibility="collapsed",
    )
    if chosen is not None:
        if asked in ids and asked != chosen:
            leave_behind(("step", "after"))
        st.query_params["run"] = chosen
    return chosen


def show_run(chosen: str) -> None:
    """Answer on a run: a patient of ours, a training, somebody's own loop, an adopted model."""
    send_codes_anew()
    with told():
        run = library().find(chosen)
        beta = remember_beta(run)
        values = judge_run(run, beta)
        images = library().has_images_of(run)
        found = consult_run(run, values, images=images, beta=beta)
        place = st.container()
        if found.asleep and found.beta is None:
            named = None if run.info.dataset is None else run.info.dataset.name
            with st.expander(text("loss.title"), icon=":material/balance:", expanded=True):
                weight = ask_for_loss(found.latents, named)
            found = consult_run(run, values, images=images, weight=weight)
        patient = Patient(run, values, found)
        with place:
            show_sections(SECTIONS, patient, run)
        with st.expander(text("why.details"), key="collapse_details"):
            show_sections(DETAILS, patient, run)


SUBJECTS = {
    "run": "why.subject.run",
    "sweep": "why.subject.sweep",
    "codes": "collapse.own",
    "loss": "loss.title",
}
"""Whom one may ask about, one at a time, with the keys of their names."""


def show_page() -> None:
    """Lay out the page."""
    show_lede("collapse.lead")
    with st.container(horizontal=True, vertical_alignment="center"):
        subject = bound_segments(
            "collapse_subject",
            "subject",
            list(SUBJECTS),
            text("why.subject"),
            lambda name: text(SUBJECTS[name]),
            label_visibility="collapsed",
            width="content",
        )
        chosen = choose_run() if subject == "run" else None
    if subject == "sweep":
        ask_for_sweep()
    elif subject == "codes":
        ask_for_codes()
    elif subject == "loss":
        explain_loss()
    elif chosen is not None:
        show_run(chosen)


show_page()
