"""Which dimension tells which known factor, in four scores; computed once it is asked for."""

import streamlit as st

from explorer.analysis.representation.known_factors import FactorScores
from explorer.app.cached.collapse import score_stored
from explorer.app.parts.tables import show_rows
from explorer.app.session import library
from explorer.app.text import number, text
from explorer.app.views.collapse.patient import Patient
from explorer.codes import latent_name

SHOWN = ("mig", "sap", "factor_vae", "dci_disentanglement")


def offer_factors(patient: Patient) -> None:
    """Offer the scores where the run's images come with known factors; else nothing."""
    run = patient.run
    images = library().images_of(run, at_once=True)
    if images is None or not images.factors:
        return
    st.markdown(f"**{text('factors.title')}**")
    st.caption(text("factors.caption"))
    if st.toggle(text("factors.score"), key="collapse_factors"):
        with st.spinner():
            found = score_stored(str(run.path), run.fingerprint)
        show_scores(found)


def show_scores(found: FactorScores) -> None:
    """Show four scores, and what each factor is told by."""
    values = found.to_dict()
    for column, name in zip(st.columns(len(SHOWN)), SHOWN, strict=True):
        help_text = text(f"factors.{name}.help", count=found.items)
        column.metric(text(f"factors.{name}"), number(values[name], ".2f"), help=help_text)
    names = {key: text(f"factors.column.{key}") for key in ("factor", "best", "nats", "second")}
    nats = text("factors.column.second_nats")
    rows = [
        {
            names["factor"]: one.name,
            names["best"]: latent_name(one.best),
            names["nats"]: one.nats,
            names["second"]: "" if one.second is None else latent_name(one.second),
            nats: one.second_nats,
        }
        for one in found.told
    ]
    show_rows("factors", text("factors.title"), rows, {names["nats"]: ".2f", nats: ".2f"})
