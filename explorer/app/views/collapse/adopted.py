"""What the weights say of a model on the Collapse page: is it that model at all, and which β?

Of one that was made elsewhere it stands first, since it was found when that was adopted; of ours it
is found on demand.
"""

import streamlit as st

from explorer.analysis.collapse.moved_beta import describe_beta, find_beta
from explorer.app.cached.collapse import self_test_stored
from explorer.app.parts.adopted import (
    as_table,
    describe_beta_of,
    describe_explained,
    describe_implied,
    describe_others,
    show_findings,
)
from explorer.app.parts.kept import Kept
from explorer.app.parts.names import name_likelihood
from explorer.app.text import paragraph, text
from explorer.app.views.collapse.patient import Patient


def show_adopted(patient: Patient) -> None:
    """Show the self-test in plain words, β by the weights, and readings that fit as well."""
    info = patient.run.info
    kept = as_table(info.model.adopted)
    report = as_table(kept.get("report"))
    show_findings(report)
    sentences = [
        text("adopted.likelihood", likelihood=name_likelihood(info)),
        describe_explained(report),
        describe_beta_of(kept),
        *describe_others(kept),
    ]
    st.markdown(paragraph(*sentences))


def show_weights(patient: Patient) -> None:
    """Show what the weights of a model of ours say of its β, beside the β that it had."""
    run = patient.run
    asked = Kept(f"collapse_weights_{run.id}", False)
    if st.button(text("adopted.read_weights"), key="collapse_read_weights"):
        asked.put(True)
    if not asked.get():
        return
    beta = find_beta(run)
    with st.spinner(text("adopted.reading_weights")):
        report = self_test_stored(
            str(run.path), run.fingerprint, None if beta is None else beta.now
        )
    show_findings(report)
    trained = text("adopted.trained", beta=describe_beta(run) or "?")
    implied = describe_implied(as_table(report.get("implied")), {})
    st.markdown(paragraph(trained, implied, describe_explained(report)))
