"""What the Collapse page says first of a model that was made elsewhere: is it that model at all?"""

import streamlit as st

from explorer.app.parts.adopted import (
    as_table,
    describe_explained,
    describe_implied,
    describe_others,
    show_findings,
)
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
        describe_implied(kept),
        *describe_others(kept),
    ]
    st.markdown(paragraph(*sentences))
