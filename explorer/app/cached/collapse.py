"""What the server keeps of the Collapse page's own figures between reruns."""

import streamlit as st

from explorer.analysis.collapse.judged import JudgedCodes, judge_file


@st.cache_resource(show_spinner=False, max_entries=4)
def judge_codes(
    content: bytes, name: str, axes: str | None, per: str, spread: str | None
) -> JudgedCodes:
    """Return the verdict on a visitor's file of codes, read as they say; see `judge_file`.

    ExplorerError where it is none, AxesNeeded where it must be said what its axes are.
    """
    return judge_file(content, name, axes=axes, per=per, spread=spread)
