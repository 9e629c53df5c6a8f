"""What the weights say of a model on the Collapse page: is it that model at all, and which β?

Of one that was made elsewhere it was found when that was adopted, and what speaks against a verdict
stands before it; of ours it is found on demand.
"""

from collections.abc import Mapping
from typing import Any

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


def warn_of_adopted(patient: Patient) -> None:
    """Show what speaks against a verdict, before there is one."""
    report = _read_report(patient)
    if report.get("findings"):
        show_findings(report)


def show_adopted(patient: Patient) -> None:
    """Show the self-test in plain words, β by the weights, and readings that fit as well."""
    info = patient.run.info
    kept, report = as_table(info.model.adopted), _read_report(patient)
    if not report.get("findings"):
        show_findings(report)
    sentences = [
        text("adopted.likelihood", likelihood=name_likelihood(info)),
        describe_explained(report),
        describe_beta_of(kept),
        *describe_others(kept),
    ]
    st.markdown(paragraph(*sentences))


def _read_report(patient: Patient) -> Mapping[str, Any]:
    return as_table(as_table(patient.run.info.model.adopted).get("report"))


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
