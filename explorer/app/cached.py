"""Everything that the server keeps between reruns: each entry wraps a pure function."""

import gc
import os

import streamlit as st

from explorer.datasets import DATASETS, ImageDataset, is_available, load_dataset
from explorer.errors import ExplorerError
from explorer.run import Codes, Run
from explorer.store import RunStore, pretrained_store
from explorer.training.jobs import LocalRunner, find_abandoned


def own_runs() -> RunStore:
    """Return the store of the visitor's own runs."""
    return RunStore()


def find_run(run_id: str) -> Run:
    """Return a run by id, own runs first; an unknown id is an ExplorerError."""
    try:
        return own_runs().open(run_id)
    except ExplorerError:
        return pretrained_store().open(run_id)


@st.cache_resource(show_spinner=False)
def get_runner() -> LocalRunner:
    """Return the server's job queue; jobs that an earlier server left waiting are taken up."""
    runner = LocalRunner()
    for run in find_abandoned(own_runs().list()):
        config = run.info.config
        if config is not None:
            runner.submit(config, run.path, os.environ.get("LATENT_EXPLORER_DATA"))
    return runner


@st.cache_resource(show_spinner=False, max_entries=16)
def _run_for(path: str, fingerprint: str) -> Run:
    run = Run(path)
    run.model  # noqa: B018  (loads the weights once, here)
    return run


def get_run_with_model(run: Run) -> Run:
    """Return `run` with its model loaded; the same object while its weights are the same."""
    loaded = _run_for(str(run.path), run.fingerprint)
    loaded.id = run.id
    return loaded


@st.cache_resource(show_spinner=False, max_entries=16)
def _codes_for(path: str, fingerprint: str) -> Codes | None:
    return Run(path).codes()


def get_codes(run: Run) -> Codes | None:
    """Return the run's codes, read once per stored weights."""
    return _codes_for(str(run.path), run.fingerprint)


@st.cache_resource(show_spinner=False, max_entries=6)
def get_dataset(name: str) -> ImageDataset | None:
    """Return a data set that is at hand, None for one that would need a download."""
    return load_dataset(name) if name in DATASETS and is_available(name) else None


@st.cache_resource(show_spinner=False)
def settle_memory() -> bool:
    """Move what the imports made out of the collector's sight, once.

    Streamlit collects garbage after every rerun; with torch loaded that costs about 100 ms of the
    interpreter's lock, and nothing after this.
    """
    gc.collect()
    gc.freeze()
    return True
