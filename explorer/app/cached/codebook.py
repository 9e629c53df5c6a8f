"""What the codebook section keeps between reruns."""

from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.representation.codebook import (
    CodeUsage,
    decode_indices,
    measure_usage,
    picture_entries,
    sample_by_position,
    sample_uniform,
)
from explorer.app.session import library
from explorer.models.vq import check_codebook
from explorer.runs.run import Run

FAVOURITE = "mnist-vq"
PICTURED = 400
"""Images from which the pictures of the entries are averaged."""


def list_codebooks() -> dict[str, Run]:
    """Return the VQ-VAEs with weights and codes by id, shipped ones first."""
    runs = library().runs({"codebook", "model", "codes"}, first="shipped")
    return {run.id: run for run in sorted(runs, key=lambda run: run.id != FAVOURITE)}


@st.cache_data(show_spinner=False, max_entries=20)
def _codebook_for(fingerprint: str, _run: Run) -> tuple[CodeUsage, Any]:
    codes = _run.codes()
    assert codes is not None and codes.indices is not None
    usage = measure_usage(codes.indices, check_codebook(_run.model).config.codebook)
    return usage, picture_entries(_run.model, codes.indices[:PICTURED])


def get_codebook(run: Run) -> tuple[CodeUsage, Any]:
    """Return a VQ-VAE's usage on its stored codes and what its entries paint, (S, C, h, w)."""
    return _codebook_for(run.fingerprint, run)


@st.cache_data(show_spinner=False, max_entries=60)
def _samples_for(fingerprint: str, count: int, seed: int, _run: Run) -> tuple[Any, Any]:
    codes = _run.codes()
    assert codes is not None and codes.indices is not None
    drawn = (
        sample_uniform(_run.model, count, seed),
        sample_by_position(codes.indices, count, seed),
    )
    first, second = (decode_indices(_run.model, indices) for indices in drawn)
    return (255 * first).round().astype(np.uint8), (255 * second).round().astype(np.uint8)


def get_samples(run: Run, count: int, seed: int) -> tuple[Any, Any]:
    """Return uint8 images (count, C, H, W) of uniform codes, and of codes drawn by position."""
    return _samples_for(run.fingerprint, count, seed, run)
