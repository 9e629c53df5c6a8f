"""What the map is given, kept between reruns and shared by all visitors."""

from typing import Any

import streamlit as st

from explorer.app.cached import get_run_with_model
from explorer.app.components.mount import ASSETS
from explorer.app.text import sentences
from explorer.export.page import build_page
from explorer.export.payload import build_payload
from explorer.export.pictures import find_pictures
from explorer.export.sweep import build_member
from explorer.export.tsne import Projection
from explorer.run import Run


@st.cache_resource(show_spinner=False, max_entries=12)
def _payload_for(fingerprint: str, name: str, has_codes: bool, _run: Run) -> bytes:
    run = get_run_with_model(_run)
    return build_payload(run, find_pictures(run), sentences("explore."))


def get_payload(run: Run) -> bytes:
    """Return the map's payload of a run, built once per stored weights and display name."""
    has_codes = (run.path / "codes.npz").is_file()
    return _payload_for(run.fingerprint, run.name, has_codes, run)


@st.cache_resource(show_spinner=False, max_entries=24)
def _member_for(fingerprints: tuple[str, str], _run: Run, _reference: Run) -> bytes:
    return build_member(get_run_with_model(_run), get_run_with_model(_reference))


def get_member(run: Run, reference: Run) -> bytes:
    """Return `run` as a model of the sweep that `reference` is shown in."""
    return _member_for((run.fingerprint, reference.fingerprint), run, reference)


def get_page(run: Run, scene: str) -> bytes:
    """Return the run and a scene of it as one HTML file."""
    return build_page(
        get_run_with_model(run), find_pictures(run), sentences("explore."), ASSETS, scene
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _projection_for(fingerprint: str, _mean: Any) -> Projection:
    return Projection(fingerprint, _mean)


def get_projection(run: Run) -> Projection | None:
    """Return the t-SNE of a run's codes, to be started; None where there are too few."""
    codes = run.codes()
    if codes is None or len(codes.mean) <= 10:
        return None
    return _projection_for(run.fingerprint, codes.mean)
