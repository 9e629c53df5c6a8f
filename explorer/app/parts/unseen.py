"""What is told to those who do not see it: each chart's figures, as its name."""

import streamlit as st

from explorer.app.parts.mount import script_component


def name_charts() -> None:
    """Let the browser make the words that `show_chart` hands over the charts' names."""
    with st.container(key="charts"):
        script_component("charts")(key="charts_mount", data={}, height=1)
