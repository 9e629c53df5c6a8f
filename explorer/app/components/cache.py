"""What the map is given, kept between reruns and shared by all visitors."""

import streamlit as st

from explorer.app.cached import get_run_with_model
from explorer.app.components.mount import ASSETS
from explorer.app.text import sentences
from explorer.export.page import build_page
from explorer.export.payload import build_payload
from explorer.export.pictures import find_pictures
from explorer.run import Run


@st.cache_resource(show_spinner=False, max_entries=12)
def _payload_for(fingerprint: str, name: str, has_codes: bool, _run: Run) -> bytes:
    run = get_run_with_model(_run)
    return build_payload(run, find_pictures(run), sentences("explore."))


def get_payload(run: Run) -> bytes:
    """Return the map's payload of a run, built once per stored weights and display name."""
    has_codes = (run.path / "codes.npz").is_file()
    return _payload_for(run.fingerprint, run.name, has_codes, run)


def get_page(run: Run, scene: str) -> bytes:
    """Return the run and a scene of it as one HTML file."""
    return build_page(
        get_run_with_model(run), find_pictures(run), sentences("explore."), ASSETS, scene
    )
