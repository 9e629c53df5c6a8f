"""Linear models that are fitted beside the compared ones: started, followed, found when they stand.

A fit goes through the queue like every training: it outlives the page and the server.
"""

import math
import time
from collections.abc import Sequence

import streamlit as st

from explorer.app.parts.failures import told
from explorer.app.session import get_session, library
from explorer.app.text import explain, plain, text
from explorer.config import FITS
from explorer.errors import ExplorerError
from explorer.runs.info import RunInfo
from explorer.runs.run import Run

MOST_LATENTS = 64
TICK_SECONDS = 1.0


def offer_fit(run: Run, dataset: str) -> None:
    """Offer to fit a linear model to the images of `run`."""
    fits = get_session().fits
    shape = run.info.model.shape
    pixels = MOST_LATENTS + 1 if shape is None else math.prod(shape)
    # A new key is a new popover, which is closed: the start leaves the view on the fit.
    key = f"compare_offer_{len(fits)}"
    with st.popover(
        text("compare.fit"), icon=":material/add:", help=text("compare.fit_help"), key=key
    ):
        method = st.selectbox(
            text("compare.fit_model"),
            list(FITS),
            key="compare_fit_model",
            format_func=lambda name: text(f"compare.kind.{name}"),
        )
        most = max(1, min(MOST_LATENTS, pixels - 1))
        # Other images, another widget: a number that was in range does not stay beyond it.
        latents = st.number_input(
            text("compare.fit_latents"), 1, most, min(2, most), key=f"compare_fit_latents_{most}"
        )
        if st.button(text("compare.fit_start", name=dataset), key="compare_fit"):
            with told():
                start_fit(run, dataset, method, int(latents))
                st.rerun()


def start_fit(run: Run, dataset: str, method: str, latents: int) -> None:
    """Queue a fit to the images of `run` and wait for it."""
    from explorer.training.fit import fit_config

    path = library().own.new_path(dataset, method, f"{latents}d")
    config = fit_config(dataset, method, latents)
    fit = library().start(config, path=path, images=run.info.dataset)
    get_session().fits[fit.id] = False


def new_fits(runs: Sequence[str]) -> list[str]:
    """Return which of these runs are fits of this visitor that have not stood beside others yet."""
    fits = get_session().fits
    return [run_id for run_id in runs if not fits.get(run_id, True)]


def follow_fits(dataset: str) -> None:
    """Say how far the fits to these images are; one that ends reruns the page, which shows it."""
    states = _look(dataset)
    ended = [run_id for run_id, info in states.items() if info.status.state == "finished"]
    if new_fits(ended):
        st.rerun()  # It ended while the page was drawn, after the choice of models.
    live = any(info.status.is_alive() for info in states.values())
    shown = {run_id: info.status.shown_state() for run_id, info in states.items()}
    st.fragment(_show_fits, run_every=TICK_SECONDS if live else None)(dataset, shown)


def _look(dataset: str) -> dict[str, RunInfo]:
    """Return what is known of the fits that were started here, removed ones left out."""
    found = {}
    for run_id in get_session().fits:
        try:
            info = library().find(run_id).info
        except ExplorerError:
            continue
        if info.config is not None and info.config.dataset == dataset:
            found[run_id] = info
    return found


@told()
def _show_fits(dataset: str, shown: dict[str, str]) -> None:
    states = _look(dataset)
    if shown != {run_id: info.status.shown_state() for run_id, info in states.items()}:
        st.rerun()
    for info in states.values():
        _show_fit(info)


def _show_fit(info: RunInfo) -> None:
    """Say that a fit waits, runs or failed; a finished one stands among the models."""
    assert info.config is not None
    state = info.status.shown_state()
    model = text(f"compare.kind.{info.config.method}")
    if state == "queued":
        st.info(text("compare.fit_queued", model=model), icon=":material/hourglass_empty:")
    elif info.status.is_alive():
        words = text(
            "compare.fit_running",
            model=model,
            name=plain(info.config.dataset),
            seconds=time.time() - info.created,
        )
        st.info(words, icon=":material/hourglass_top:")
    elif state != "finished":
        message = explain(info.status.message) or text(f"state.{state}")
        st.error(text("compare.fit_failed", model=model, message=message))
