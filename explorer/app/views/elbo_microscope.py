"""ELBO under the microscope: the identity in two bars, and q against the exact posterior."""

import streamlit as st

from explorer.app.text import text
from explorer.app.views.elbo_subject import Subject


def show_microscope(subject: Subject) -> None:
    """Lay out the section."""
    st.caption(text("elbo.section.microscope"))
