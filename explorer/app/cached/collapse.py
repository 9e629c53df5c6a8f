"""What the server keeps of the Collapse page's own figures between reruns."""

import streamlit as st

from explorer.analysis.collapse.judged import JudgedCodes, judge_file
from explorer.analysis.collapse.prior_match import PriorMatch, match_prior, read_joint
from explorer.app.cached import diagnose_stored
from explorer.errors import ExplorerError
from explorer.runs.run import Run


@st.cache_resource(show_spinner=False, max_entries=4)
def judge_codes(
    content: bytes, name: str, axes: str | None, per: str, spread: str | None
) -> JudgedCodes:
    """Return the verdict on a visitor's file of codes, read as they say; see `judge_file`.

    ExplorerError where it is none, AxesNeeded where it must be said what its axes are.
    """
    return judge_file(content, name, axes=axes, per=per, spread=spread)


@st.cache_data(show_spinner=False, max_entries=100)
def match_stored(path: str, fingerprint: str) -> PriorMatch:
    """Return whether a run's codes follow the prior; `fingerprint` is part of the key alone."""
    codes = Run(path).codes()
    if codes is None:
        raise ExplorerError("This run has no codes.")
    joint = read_joint(diagnose_stored(path, fingerprint))
    return match_prior(codes.mean, codes.logvar, joint=joint)
