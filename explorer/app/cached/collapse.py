"""What the server keeps of the Collapse page's own figures between reruns."""

import hashlib
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.collapse.judged import JudgedCodes, judge_file
from explorer.analysis.collapse.prior_match import PriorMatch, match_prior, read_joint
from explorer.analysis.collapse.self_test import self_test
from explorer.analysis.questions.pictures import PictureVerdict
from explorer.analysis.questions.sampling import SamplingVerdict
from explorer.analysis.representation.known_factors import FactorScores, score_run_factors
from explorer.analysis.subject import Subject
from explorer.app.bounded import keep
from explorer.app.cached import diagnose_stored
from explorer.app.session import library
from explorer.errors import ExplorerError
from explorer.export.report.gather import ask_of_images
from explorer.runs.run import Run

TESTED = 2000
"""Images at most, spread over those that a model was trained on, for its self-test."""


@keep
def _judgement_for(
    digest: bytes, name: str, axes: str | None, per: str, spread: str | None, _content: bytes
) -> JudgedCodes:
    return judge_file(_content, name, axes=axes, per=per, spread=spread)


def judge_codes(
    content: bytes, name: str, axes: str | None, per: str, spread: str | None
) -> JudgedCodes:
    """Return the verdict on a visitor's file of codes, read as they say; see `judge_file`.

    ExplorerError where it is none, AxesNeeded where it must be said what its axes are.
    """
    digest = hashlib.sha256(content).digest()
    return _judgement_for(digest, name, axes, per, spread, content)


@st.cache_data(show_spinner=False, max_entries=100)
def score_stored(path: str, fingerprint: str) -> FactorScores:
    """Return how a run's codes tell the known factors; `fingerprint` is part of the key alone."""
    run = Run(path)
    codes, images = run.codes(), library().images_of(run)
    if codes is None or images is None:
        raise ExplorerError("This run has no codes, or its images are not here.")
    return score_run_factors(codes, images.factors)


@st.cache_data(show_spinner=False, max_entries=100)
def match_stored(path: str, fingerprint: str) -> PriorMatch:
    """Return whether a run's codes follow the prior; `fingerprint` is part of the key alone."""
    codes = Run(path).codes()
    if codes is None:
        raise ExplorerError("This run has no codes.")
    joint = read_joint(diagnose_stored(path, fingerprint))
    return match_prior(codes.mean, codes.logvar, joint=joint)


@st.cache_data(show_spinner=False, max_entries=100)
def self_test_stored(path: str, fingerprint: str, beta: float | None) -> dict[str, Any]:
    """Return a run's self-test on the images that it was made from, as adopted models have theirs.

    `beta` is what it was trained with. ExplorerError where its images are not at hand.
    """
    run = Run(path)
    images = library().images_of(run, at_once=True)
    if images is None:
        raise ExplorerError("The images that this model was made from are not at hand.")
    split = images.split("train" if len(images.splits.get("train", ())) else "all")
    rows = np.unique(np.linspace(0, len(split) - 1, min(len(split), TESTED)).astype(int))
    return self_test(Subject(run.model, np.asarray(split.images[rows])), beta=beta).to_dict()


@st.cache_data(show_spinner=False, max_entries=50)
def ask_stored(path: str, fingerprint: str) -> tuple[PictureVerdict, SamplingVerdict]:
    """Return what is to be said of a run's pictures and of its random codes.

    ExplorerError where its images are not at hand.
    """
    run = Run(path)
    images = library().images_of(run)
    if images is None:
        raise ExplorerError("The images that this model was made from are not at hand.")
    return ask_of_images(run, images, diagnose_stored(path, fingerprint))
