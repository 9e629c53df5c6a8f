"""What the ELBO page's later sections keep between reruns: each entry wraps a pure function."""

import numpy as np
import torch

from explorer.analysis.checks import Floats
from explorer.analysis.inference.exact import ExactPosterior, infer_posterior
from explorer.analysis.inference.likelihood import draw_log_weights
from explorer.analysis.inference.reveal import Knowledge, Mask, Reveal
from explorer.analysis.teaching.players import Game, SlowMotion, slow_motion
from explorer.app.bounded import AT_WORK, keep
from explorer.app.cached import get_codes
from explorer.app.cached.elbo import get_grid
from explorer.app.observation import Observation
from explorer.elbo.encoding import draw_targets

MEASURED = 8
"""Images that a game on a batch is measured on."""
EXACT_LATENTS = 2
"""The most latents for which log p(x) and p(z|x) are exact."""
Key = tuple[str, str, int]


@keep
def _reveal_for(key: Key, _observation: Observation) -> Reveal:
    return Reveal(_observation.run.model, _observation.target())


def get_reveal(observation: Observation) -> Reveal:
    """Return the picture to be uncovered; what is known of z has `get_knowledge`."""
    return _reveal_for(observation_key(observation), observation)


def _score(observation: Observation) -> Reveal:
    # Another one, since it is large, and of the masks that pages open on not needed again.
    grid = get_grid(observation.run) if observation.run.model.latent_dim <= EXACT_LATENTS else None
    reveal = Reveal(observation.run.model, observation.target(), grid)
    reveal.score()
    return reveal


@keep
def _knowledge_for(key: Key, visible: bytes, _observation: Observation, _mask: Mask) -> Knowledge:
    return AT_WORK.get(key, lambda: _score(_observation)).know(_mask)


def get_knowledge(observation: Observation, mask: Mask) -> Knowledge:
    """Return what is known of z when the pixels of a mask (H, W) are visible.

    A page opens on the same mask for every visitor.
    """
    return _knowledge_for(observation_key(observation), mask.tobytes(), observation, mask)


@keep
def _posterior_for(key: Key, _observation: Observation) -> ExactPosterior:
    grid = get_grid(_observation.run)
    return infer_posterior(_observation.run.model, _observation.target(), grid, keep_points=True)


def get_posterior(observation: Observation) -> ExactPosterior | None:
    """Return the exact posterior of the observation, None beyond two latents."""
    if observation.run.model.latent_dim > EXACT_LATENTS:
        return None
    return _posterior_for(observation_key(observation), observation)


@keep
def _weights_for(key: Key, seed: int, count: int, _observation: Observation) -> Floats:
    weights = draw_log_weights(_observation.run.model, _observation.target(), count, seed=seed)
    return weights[0]


def get_log_weights(observation: Observation, count: int, seed: int) -> Floats:
    """Return log weights (count,) of draws from the encoder's q of the observation."""
    return _weights_for(observation_key(observation), seed, count, observation)


@keep
def _slow_motion_for(key: Key, seed: int, _observation: Observation) -> SlowMotion:
    return slow_motion(_observation.run.model, _observation.target(), seed=seed)


def get_slow_motion(observation: Observation, seed: int) -> SlowMotion:
    """Return one training step on the observation, taken apart."""
    return _slow_motion_for(observation_key(observation), seed, observation)


@keep
def _game_for(key: Key, start: str, scope: str, _observation: Observation) -> Game:
    run, images = _observation.run, _observation.pictures.images
    codes, x = get_codes(run), _observation.target()
    if scope == "batch":
        # The chosen image and those after it.
        places = [(_observation.index + i) % len(images) for i in range(min(MEASURED, len(images)))]
        x = draw_targets(run.model, images[np.array(places)])
    return Game(
        run.model,
        x,
        images if scope == "batch" else None,
        start=start,
        codes=None if codes is None else codes.mean,
    )


def get_game(observation: Observation, start: str, scope: str) -> Game:
    """Return a game of encoder and decoder on the observation before its first step.

    It is one for all visitors: who plays on plays on a copy. `scope` is image, or batch for the
    observation and the images after it.
    """
    return _game_for(observation_key(observation), start, scope, observation)


def observation_key(observation: Observation) -> Key:
    """Return what tells one observation from others: weights, where its picture is from, which."""
    return observation.run.fingerprint, observation.pictures.source, observation.index


def encode_observation(observation: Observation) -> tuple[Floats, Floats]:
    """Return the encoder's mean and sd of the observation, (K,) each."""
    with torch.no_grad():
        mean, logvar = observation.run.model.encode_parameters(observation.target())
    assert logvar is not None
    return mean[0].double().numpy(), torch.exp(0.5 * logvar[0].double()).numpy()
