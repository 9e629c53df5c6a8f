"""What the list of runs keeps between reruns: each log in short, and a run's report."""

from typing import TYPE_CHECKING

import streamlit as st

from explorer.app.cached import diagnose_stored
from explorer.app.cached.bounded import keep
from explorer.app.session import library
from explorer.runs.run import Run
from explorer.runs.trace import Trace, trace_run

if TYPE_CHECKING:
    from explorer.analysis.questions.another_map import MapMatch


@keep
def _trace_for(path: str, stamp: str) -> Trace:
    return trace_run(Run(path))


def get_trace(run: Run) -> Trace:
    """Return a run's log in short, read once for each time that it grew."""
    return _trace_for(str(run.path), run.stamp("metrics.jsonl"))


@st.cache_data(show_spinner=False, max_entries=8)
def _report_for(path: str, fingerprint: str, name: str, language: str) -> bytes:
    from explorer.export.report.gather import gather_run
    from explorer.export.report.page import build_report

    run = Run(path)
    diagnosis = diagnose_stored(path, fingerprint)
    return build_report(gather_run(run, library().images_of(run), diagnosis=diagnosis), language)


def get_report(run: Run, language: str) -> bytes:
    """Return the consultation on a run as one HTML page in a language of the catalogue."""
    return _report_for(str(run.path), run.fingerprint, run.name, language)


@st.cache_data(show_spinner=False, max_entries=64)
def match_stored(path: str, fingerprint: str, other: str, others: str) -> "MapMatch":
    """Return what of one run's map another has; the fingerprints are part of the key alone."""
    from explorer.analysis.questions.another_map import match_runs

    return match_runs(Run(path), Run(other))
