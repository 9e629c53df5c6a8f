"""What the list of runs keeps between reruns: each log in short, and a run's report."""

from typing import TYPE_CHECKING

import streamlit as st

from explorer.app.bounded import keep
from explorer.app.cached import diagnose_stored
from explorer.app.session import library, name_owner
from explorer.jobs.singly import DOWNLOADS
from explorer.runs.run import Run
from explorer.runs.trace import Trace, trace_run

if TYPE_CHECKING:
    from explorer.analysis.questions.another_map import MapMatch
    from explorer.analysis.questions.linear_oracle import LinearOracle


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
    with DOWNLOADS.turn(name_owner()):
        return _report_for(str(run.path), run.fingerprint, run.name, language)


@st.cache_data(show_spinner=False, max_entries=64)
def match_stored(path: str, fingerprint: str, other: str, others: str) -> "MapMatch":
    """Return what of one run's map another has; the fingerprints are part of the key alone."""
    from explorer.analysis.questions.another_map import match_runs

    return match_runs(Run(path), Run(other))


@st.cache_data(show_spinner=False, max_entries=32)
def foretell_stored(
    paths: tuple[str, ...], fingerprints: tuple[str, ...]
) -> "tuple[float | None, LinearOracle | None]":
    """Return the ELBO without latents, and the linear theory, of the runs of a sweep over K.

    None where they are not known; the fingerprints are part of the key alone.
    """
    from explorer.analysis.questions.floor import find_floor
    from explorer.analysis.questions.linear_oracle import find_oracle

    runs = [Run(path) for path in paths]
    images = library().images_of(runs[0]) if library().has_images_of(runs[0]) else None
    if images is None:
        return None, None
    return find_floor(runs[0], images), find_oracle(runs, images)
