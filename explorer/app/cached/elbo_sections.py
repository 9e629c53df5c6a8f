"""What the ELBO page's later sections keep between reruns: each entry wraps a pure function."""

import numpy as np
import torch

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import ExactPosterior, infer_posterior
from explorer.analysis.inference.likelihood import draw_log_weights
from explorer.analysis.inference.reveal import Knowledge, Mask, Reveal
from explorer.analysis.teaching.players import Game, SlowMotion, slow_motion
from explorer.app.cached import get_codes
from explorer.app.cached.bounded import AT_WORK, keep
from explorer.app.cached.elbo import get_grid
from explorer.app.subject import Subject
from explorer.elbo.encoding import draw_targets

MEASURED = 8
"""Images that a game on a batch is measured on."""
EXACT_LATENTS = 2
"""The most latents for which log p(x) and p(z|x) are exact."""
Key = tuple[str, str, int]


@keep
def _reveal_for(key: Key, _subject: Subject) -> Reveal:
    return Reveal(_subject.run.model, _subject.target())


def get_reveal(subject: Subject) -> Reveal:
    """Return the picture to be uncovered; what is known of z has `get_knowledge`."""
    return _reveal_for(subject_key(subject), subject)


def _score(subject: Subject) -> Reveal:
    # Another one, since it is large, and of the masks that pages open on not needed again.
    grid = get_grid(subject.run) if subject.run.model.latent_dim <= EXACT_LATENTS else None
    reveal = Reveal(subject.run.model, subject.target(), grid)
    reveal.score()
    return reveal


@keep
def _knowledge_for(key: Key, visible: bytes, _subject: Subject, _mask: Mask) -> Knowledge:
    return AT_WORK.get(key, lambda: _score(_subject)).know(_mask)


def get_knowledge(subject: Subject, mask: Mask) -> Knowledge:
    """Return what is known of z when the pixels of a mask (H, W) are visible.

    A page opens on the same mask for every visitor.
    """
    return _knowledge_for(subject_key(subject), mask.tobytes(), subject, mask)


@keep
def _posterior_for(key: Key, _subject: Subject) -> ExactPosterior:
    grid = get_grid(_subject.run)
    return infer_posterior(_subject.run.model, _subject.target(), grid, keep_points=True)


def get_posterior(subject: Subject) -> ExactPosterior | None:
    """Return the exact posterior of the subject, None beyond two latents."""
    if subject.run.model.latent_dim > EXACT_LATENTS:
        return None
    return _posterior_for(subject_key(subject), subject)


@keep
def _weights_for(key: Key, seed: int, count: int, _subject: Subject) -> Floats:
    weights = draw_log_weights(_subject.run.model, _subject.target(), count, seed=seed)
    return weights[0]


def get_log_weights(subject: Subject, count: int, seed: int) -> Floats:
    """Return log weights (count,) of draws from the encoder's q of the subject."""
    return _weights_for(subject_key(subject), seed, count, subject)


@keep
def _slow_motion_for(key: Key, seed: int, _subject: Subject) -> SlowMotion:
    return slow_motion(_subject.run.model, _subject.target(), seed=seed)


def get_slow_motion(subject: Subject, seed: int) -> SlowMotion:
    """Return one training step on the subject, taken apart."""
    return _slow_motion_for(subject_key(subject), seed, subject)


@keep
def _game_for(key: Key, start: str, scope: str, _subject: Subject) -> Game:
    run, images = _subject.run, _subject.pictures.images
    codes, x = get_codes(run), _subject.target()
    if scope == "batch":
        # The chosen image and those after it.
        places = [(_subject.index + i) % len(images) for i in range(min(MEASURED, len(images)))]
        x = draw_targets(run.model, images[np.array(places)])
    return Game(
        run.model,
        x,
        images if scope == "batch" else None,
        start=start,
        codes=None if codes is None else codes.mean,
    )


def get_game(subject: Subject, start: str, scope: str) -> Game:
    """Return a game of encoder and decoder on the subject before its first step.

    It is one for all visitors: who plays on plays on a copy. `scope` is image, or batch for the
    subject and the images after it.
    """
    return _game_for(subject_key(subject), start, scope, subject)


def subject_key(subject: Subject) -> Key:
    """Return what tells one subject from all others: weights, where the picture is from, which."""
    return subject.run.fingerprint, subject.pictures.source, subject.index


def encode_subject(subject: Subject) -> tuple[Floats, Floats]:
    """Return the encoder's mean and sd of the subject, (K,) each."""
    with torch.no_grad():
        mean, logvar = subject.run.model.encode_parameters(subject.target())
    assert logvar is not None
    return mean[0].double().numpy(), torch.exp(0.5 * logvar[0].double()).numpy()
