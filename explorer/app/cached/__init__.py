"""Everything that the server keeps between reruns: each entry wraps a pure function."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.app.bounded import KEPT, keep
from explorer.app.maps import payload_parts, what_is_at_hand
from explorer.app.session import library, name_owner
from explorer.app.text import language, sentences
from explorer.codes import Codes, main_dimensions
from explorer.datasets import DATASETS, ImageDataset
from explorer.errors import ExplorerError
from explorer.export.kept import keep_payload
from explorer.export.page import PAGE_IMAGE_BYTES, build_page
from explorer.export.payload import Pictures, build_payload
from explorer.export.pictures import find_pictures
from explorer.export.tsne import PROJECTIONS, Projection
from explorer.facts import LIKELIHOODS
from explorer.jobs.singly import DOWNLOADS
from explorer.runs.run import Run


@keep
def _run_for(path: str, fingerprint: str) -> Run:
    run = Run(path)
    run.model  # noqa: B018  (loads the weights once, here)
    return run


def get_run_with_model(run: Run) -> Run:
    """Return `run` with its model loaded; the same object while its weights are the same."""
    loaded = _run_for(str(run.path), run.fingerprint)
    loaded.id = run.id
    return loaded


@keep
def _codes_for(path: str, fingerprint: str) -> Codes | None:
    codes = Run(path).codes()
    if codes is not None and not np.isfinite(codes.mean).all():
        raise ExplorerError(f"The codes of run {Run(path).path.name} hold NaN or infinite values.")
    return codes


def get_codes(run: Run) -> Codes | None:
    """Return the run's codes, read once; ExplorerError where they are not finite."""
    return _codes_for(str(run.path), run.fingerprint)


def main_axes(run: Run) -> tuple[int, int]:
    """Return the two latents that a run's map shows, (0, 1) for up to two and without codes."""
    codes = get_codes(run)
    return (
        (0, 1) if codes is None else main_dimensions(codes.mean, codes.logvar, run.info.has_shares)
    )


@keep
def _dataset_for(whose: str, name: str) -> ImageDataset | None:
    return library().images(name) if library().has_images(name) else None


def get_dataset(name: str) -> ImageDataset | None:
    """Return a data set that is at hand, None for one that would need a download."""
    return _dataset_for(_tell_whose(name), name)


def _tell_whose(dataset: str) -> str:
    """Return whose data set this is: two visitors may have others of one name."""
    return "" if dataset in DATASETS else name_owner()


@st.cache_data(show_spinner=False, max_entries=400)
def _measures_for(path: str, fingerprint: str, step: int | None) -> dict[str, Any]:
    from explorer.analysis.collapse.diagnose import diagnose_moments

    run = Run(path)
    codes = run.codes() if step is None else run.snapshot(step)
    if codes is None or codes.logvar is None:
        raise ExplorerError(f"Run {run.id} has no codes with log-variances to diagnose.")
    return diagnose_moments(codes.mean[:2000], codes.logvar[:2000]).to_dict()


def measure_codes(run: Run, step: int | None) -> dict[str, Any]:
    """Return the diagnosis of a run's stored codes, or of those of one snapshot, as plain values.

    Without codes it is that of the latest snapshot. At most 2,000 codes are used.
    """
    steps = run.snapshot_steps()
    if step is None and steps and not (run.path / "codes.npz").is_file():
        step = steps[-1]
    key = run.fingerprint
    if step is not None:
        key += ":" + run.stamp(f"snapshots/{step:09d}.npz")
    return _measures_for(str(run.path), key, step)


def diagnose_stored(
    path: str,
    fingerprint: str,
    tell: Callable[[float], None] | None = None,
    beta: float | None = None,
) -> dict[str, Any]:
    """Return the diagnosis of a run as plain values, with causes where its images are at hand.

    A shipped run brings what was found on it: of large images that takes most of a minute, and
    `tell` hears the finished share. `beta` stands in where the run does not say its own.
    `fingerprint` is part of the key alone.
    """
    key = ("diagnosis", path, fingerprint, beta)
    return copy.deepcopy(KEPT.get(key, lambda: _diagnose(path, tell, beta)))


def _diagnose(
    path: str, tell: Callable[[float], None] | None, beta: float | None
) -> dict[str, Any]:
    from explorer.analysis.collapse.diagnose import diagnose_run

    run = Run(path)
    found: dict[str, Any] | None = library().stored(run, "diagnosis")
    if found is not None:
        return found
    if tell is not None:
        tell(0.0)
    images = library().images_of(run)
    held_out = None if images is None else images.held_out().images[:2000]
    return diagnose_run(run, held_out, beta=beta, progress=tell).to_dict()


@st.cache_data(show_spinner=False, max_entries=100)
def move_dimension(path: str, fingerprint: str, dimension: int) -> tuple[Any, Any, float] | None:
    """Return values (V,), uint8 images (V, C, H, W) and their largest change in grey value.

    One dimension runs over the aggregate's range. None where the run has no codes with logvar.
    """
    from explorer.analysis.representation.latents import traverse_aggregate

    run = _run_for(path, fingerprint)
    codes = run.codes()
    if codes is None or codes.logvar is None:
        return None
    values, images = traverse_aggregate(run.model, codes.mean, codes.logvar, dimension)
    images = images.clip(0, 1)
    change = float((images.max(0) - images.min(0)).max())
    return values, (255 * images).round().astype("uint8"), change


def measure_eigenvalues(dataset: str, likelihood: str, sigma2: float = 1.0) -> list[float] | None:
    """Return what a loss's weight is held against: of the wake-up rule, or of the covariance."""
    return _eigenvalues_for(_tell_whose(dataset), dataset, likelihood, sigma2)


@st.cache_data(show_spinner=False, max_entries=20)
def _eigenvalues_for(
    whose: str, dataset: str, likelihood: str, sigma2: float
) -> list[float] | None:
    from explorer.analysis.collapse.wakeup import MOST_PIXELS, wake_up_eigenvalues

    images = get_dataset(dataset)
    if images is None or not LIKELIHOODS[likelihood].wakes_by_rule:
        return None
    if math.prod(images.shape) > MOST_PIXELS:
        return None
    found = wake_up_eigenvalues(images.split("train").images, likelihood, sigma2)
    return [float(value) for value in found]


def measure_wake_up(dataset: str, likelihood: str, sigma2: float) -> list[float]:
    """Return the leading eigenvalues of the wake-up rule, empty where they cannot be told."""
    return _wake_up_for(_tell_whose(dataset), dataset, likelihood, sigma2)


@st.cache_data(show_spinner=False, max_entries=50)
def _wake_up_for(whose: str, dataset: str, likelihood: str, sigma2: float) -> list[float]:
    from explorer.analysis.collapse.wakeup import MOST_PIXELS, wake_up_eigenvalues

    images = get_dataset(dataset)
    if images is None or not LIKELIHOODS[likelihood].wakes_by_rule:
        return []
    if math.prod(images.shape) > MOST_PIXELS:
        return []
    values = wake_up_eigenvalues(images.split("train").images, likelihood, sigma2)
    return [float(value) for value in values[:16]]


def measure_linear_curve(
    dataset: str, latent_dim: int, sigma2: float, lowest: float, highest: float
) -> tuple[Any, Any] | None:
    """Return rates and distortions of the best linear Gaussian models for β between two values.

    None where the images are not at hand.
    """
    return _linear_curve_for(_tell_whose(dataset), dataset, latent_dim, sigma2, lowest, highest)


@st.cache_data(show_spinner=False, max_entries=50)
def _linear_curve_for(
    whose: str, dataset: str, latent_dim: int, sigma2: float, lowest: float, highest: float
) -> tuple[Any, Any] | None:
    from explorer.analysis.collapse.linear import rate_distortion_curve

    eigenvalues = measure_eigenvalues(dataset, "gaussian")
    if eigenvalues is None or latent_dim > len(eigenvalues):
        return None
    betas = [lowest * (highest / lowest) ** (i / 120) for i in range(121)]
    return rate_distortion_curve(eigenvalues, latent_dim, betas, sigma2)


@keep
def _payload_for(
    fingerprint: str, name: str, at_hand: tuple[bool, bool], spoken: str, _run: Run
) -> bytes:
    def build() -> bytes:
        run = get_run_with_model(_run)
        return build_payload(run, get_pictures(run), sentences("explore."), spoken)

    if library().is_own(_run):
        return build()
    return keep_payload(payload_parts(_run, spoken), build)


def get_payload(run: Run) -> bytes:
    """Return the map's payload of a run, built once per stored weights, display name and language.

    It is built anew when codes appear, or when the run's images come to this machine.
    """
    return _payload_for(run.fingerprint, run.name, what_is_at_hand(run), language(), run)


@keep
def _pictures_for(fingerprint: str, at_hand: tuple[bool, bool], _run: Run) -> Pictures | None:
    return find_pictures(_run, library().images_of(_run, at_once=True))


def get_pictures(run: Run) -> Pictures | None:
    """Return the pictures that a run can be asked about, read once while they are at hand."""
    return _pictures_for(run.fingerprint, what_is_at_hand(run), run)


@keep
def _member_for(
    fingerprints: tuple[str, str], at_hand: tuple[bool, bool], _run: Run, _reference: Run
) -> bytes:
    def build() -> bytes:
        from explorer.export.sweep import build_member

        pictures = get_pictures(_reference)
        factors = None if pictures is None else pictures.factors
        return build_member(get_run_with_model(_run), get_run_with_model(_reference), factors)

    if library().is_own(_run) or library().is_own(_reference):
        return build()
    names = _run.id, _run.name, _reference.id
    return keep_payload(("member", *names, fingerprints, at_hand), build)


def get_member(run: Run, reference: Run) -> bytes:
    """Return `run` as a model of the sweep that `reference` is shown in."""
    return _member_for(
        (run.fingerprint, reference.fingerprint), what_is_at_hand(reference), run, reference
    )


def get_page(run: Run, scene: str) -> bytes:
    """Return the run and a scene of it as one HTML file, in the visitor's language."""
    words = sentences("explore.")
    pictures = find_pictures(run, library().images_of(run, at_once=True), PAGE_IMAGE_BYTES)
    with DOWNLOADS.turn(name_owner()):
        return build_page(get_run_with_model(run), pictures, words, scene, language())


def get_projection(run: Run) -> Projection | None:
    """Return the t-SNE of a run's codes, to be started; None where there are too few."""
    codes = run.codes()
    if codes is None or len(codes.mean) <= 10:
        return None
    return PROJECTIONS.find(run.fingerprint, codes.mean)
