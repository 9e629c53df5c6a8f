"""What the ELBO page keeps between reruns: each entry wraps a pure function."""

import streamlit as st

from explorer.analysis.posterior_grid import PosteriorGrid, build_grid
from explorer.app.cached import get_codes, get_run_with_model
from explorer.datasets import DATASETS, is_available
from explorer.export.payload import Pictures
from explorer.export.pictures import find_pictures
from explorer.run import Run


@st.cache_resource(show_spinner=False, max_entries=12)
def _pictures_for(fingerprint: str, at_hand: tuple[bool, bool], _run: Run) -> Pictures | None:
    return find_pictures(_run)


def get_pictures(run: Run) -> Pictures | None:
    """Return the pictures that a run can be asked about, read once while they are at hand."""
    dataset = run.info.dataset
    has_images = dataset is not None and dataset.name in DATASETS and is_available(dataset.name)
    at_hand = ((run.path / "codes.npz").is_file(), has_images)
    return _pictures_for(run.fingerprint, at_hand, run)


@st.cache_resource(show_spinner=False, max_entries=6)
def _grid_for(fingerprint: str, _run: Run) -> PosteriorGrid:
    run = get_run_with_model(_run)
    codes = get_codes(run)
    return build_grid(run.model, None if codes is None else codes.mean)


def get_grid(run: Run) -> PosteriorGrid:
    """Return the exact-inference grid of a model with one or two latents, built once (seconds)."""
    return _grid_for(run.fingerprint, run)
