"""Ways from a run to the pages that look inside it."""

import streamlit as st

from explorer.app.text import text
from explorer.runs.run import Run


def offer_map(run: Run, page: str, label: str) -> None:
    """Show the button that opens a run's map on Explore, or its codebook on Models.

    `page` begins the button's key, `label` is what stands on it where there is a map.
    """
    if not run.info.is_continuous:
        if st.button(text("train.codebook"), key=f"{page}_codebook", type="primary"):
            query = {"section": "codebook", "vq": run.id}
            st.switch_page("views/models/page.py", query_params=query)
    elif st.button(label, key=f"{page}_explore", type="primary"):
        st.switch_page("views/explore.py", query_params={"model": run.id})
