"""What the ELBO page's later sections keep between reruns: each entry wraps a pure function."""

import streamlit as st
import torch

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import ExactPosterior, infer_posterior
from explorer.analysis.inference.likelihood import draw_log_weights
from explorer.analysis.inference.reveal import Reveal
from explorer.analysis.teaching.players import SlowMotion, slow_motion
from explorer.app.cached.elbo import get_grid
from explorer.app.subject import Subject

EXACT_LATENTS = 2
"""The most latents for which log p(x) and p(z|x) are exact."""
Key = tuple[str, str, int]


@st.cache_resource(show_spinner=False, max_entries=4)
def _reveal_for(key: Key, _subject: Subject) -> Reveal:
    run = _subject.run
    grid = get_grid(run) if run.model.latent_dim <= EXACT_LATENTS else None
    return Reveal(run.model, _subject.target(), grid)


def get_reveal(subject: Subject) -> Reveal:
    """Return the picture ready to be uncovered: its pixels scored all over the latent space."""
    return _reveal_for(subject_key(subject), subject)


@st.cache_resource(show_spinner=False, max_entries=32)
def _posterior_for(key: Key, _subject: Subject) -> ExactPosterior:
    grid = get_grid(_subject.run)
    return infer_posterior(_subject.run.model, _subject.target(), grid, keep_points=True)


def get_posterior(subject: Subject) -> ExactPosterior | None:
    """Return the exact posterior of the subject, None beyond two latents."""
    if subject.run.model.latent_dim > EXACT_LATENTS:
        return None
    return _posterior_for(subject_key(subject), subject)


@st.cache_resource(show_spinner=False, max_entries=16)
def _weights_for(key: Key, seed: int, count: int, _subject: Subject) -> Floats:
    weights = draw_log_weights(_subject.run.model, _subject.target(), count, seed=seed)
    return weights[0]


def get_log_weights(subject: Subject, count: int, seed: int) -> Floats:
    """Return log weights (count,) of draws from the encoder's q of the subject."""
    return _weights_for(subject_key(subject), seed, count, subject)


@st.cache_resource(show_spinner=False, max_entries=64)
def _slow_motion_for(key: Key, seed: int, _subject: Subject) -> SlowMotion:
    return slow_motion(_subject.run.model, _subject.target(), seed=seed)


def get_slow_motion(subject: Subject, seed: int) -> SlowMotion:
    """Return one training step on the subject, taken apart."""
    return _slow_motion_for(subject_key(subject), seed, subject)


def subject_key(subject: Subject) -> Key:
    """Return what tells one subject from all others: weights, where the picture is from, which."""
    return subject.run.fingerprint, subject.pictures.source, subject.index


def encode_subject(subject: Subject) -> tuple[Floats, Floats]:
    """Return the encoder's mean and sd of the subject, (K,) each."""
    with torch.no_grad():
        mean, logvar = subject.run.model.encode_parameters(subject.target())
    assert logvar is not None
    return mean[0].double().numpy(), torch.exp(0.5 * logvar[0].double()).numpy()
