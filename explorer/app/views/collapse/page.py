"""Collapse: which dimensions are in use, since when, why not, and what brings them back."""

import streamlit as st

from explorer.app.cached import diagnose_stored
from explorer.app.parts.failures import told
from explorer.app.session import library
from explorer.app.text import plain, text
from explorer.app.views.collapse.cure import compare_treated, find_treated, offer_remedies
from explorer.app.views.collapse.film import show_film, show_moves
from explorer.app.views.collapse.own import ask_for_codes, ask_for_loss
from explorer.app.views.collapse.verdicts import show_causes, show_diagnosis, show_table
from explorer.app.views.train.watch import describe_beta
from explorer.runs.run import Run

TICK_SECONDS = 1.5


def list_patients() -> list[str]:
    """Return the ids of the runs whose dimensions can be judged, the prepared patient first."""
    ids = [run.id for run in library().runs({"shares", "codes"})]
    return sorted(ids, key=lambda run_id: run_id != "mnist-collapsed")


def _show_facts(run: Run) -> None:
    """Say what the model is, with β as it became."""
    info = run.info
    if info.config is None:
        return
    st.caption(
        text(
            "collapse.facts", dataset=plain(info.config.dataset), latents=info.latent_dim,
            likelihood=text(f"train.likelihood.{info.config.model.likelihood}"),
            beta=describe_beta(run) or "", step=info.status.step,
        )
    )  # fmt: skip


def show_page() -> None:
    """Lay out the page."""
    st.caption(text("collapse.lead"))
    patients = list_patients()
    asked = st.query_params.get("run")
    chosen = st.selectbox(
        text("collapse.choose"), patients, key="collapse_choose", width=420,
        index=patients.index(asked) if asked in patients else 0,
    )  # fmt: skip
    # What visitors bring stands first: most of them come with a model of their own.
    ask_for_codes()
    ask_for_loss()
    if chosen is not None:
        st.query_params["run"] = chosen
        with told():
            run = library().find(chosen)
            with st.spinner():
                values = diagnose_stored(str(run.path), run.fingerprint)
            _show_facts(run)
            show_diagnosis(values, run.info.config)
            show_film(run, values)
            show_table(values)
            show_causes(values)
            with st.container(key="collapse_moves"), told():
                show_moves(run, values)
            with st.container(key="collapse_remedies"):
                offer_remedies(run)
            live = any(other.is_trained() for _, other in find_treated(run))
            st.fragment(compare_treated, run_every=TICK_SECONDS if live else None)(run, live)


show_page()
