"""What the ELBO page keeps between reruns: each entry wraps a pure function."""

from collections.abc import Callable

import torch

from explorer.analysis.inference.elbo import ElboEstimate, balance_image
from explorer.analysis.inference.microscope import (
    Balance,
    Examination,
    balance_images,
    examine_image,
)
from explorer.analysis.inference.posterior_grid import QUICK_RATIO, PosteriorGrid, build_grid
from explorer.analysis.inference.refinement_path import RefinementPath, trace_refinement
from explorer.app.bounded import AT_WORK, KEPT, keep
from explorer.app.cached import get_codes, get_run_with_model
from explorer.app.observation import Observation, find_telling
from explorer.app.session import library
from explorer.app.text import language, sentences
from explorer.elbo.encoding import draw_targets
from explorer.export.kept import find_payload, keep_payload
from explorer.export.lens import build_lens
from explorer.export.payload import Pictures
from explorer.runs.run import Run

Key = tuple[str, str, int]
MANY = 100
"""Images of the mean."""


def get_grid(run: Run, tell: Callable[[float], None] | None = None) -> PosteriorGrid:
    """Return the exact-inference grid of a model with one or two latents, built once.

    That takes seconds, or minutes where the decoder is large: `tell` hears the finished share.
    """

    def build() -> PosteriorGrid:
        codes = get_codes(run)
        means = None if codes is None else codes.mean
        return build_grid(get_run_with_model(run).model, means, ratio=QUICK_RATIO, progress=tell)

    return AT_WORK.get(("grid", run.fingerprint), build)


def _key(observation: Observation) -> Key:
    return observation.run.fingerprint, observation.pictures.source, observation.index


@keep
def _examination_for(key: Key, _observation: Observation) -> Examination:
    return examine_image(_observation.run.model, _observation.target(), get_grid(_observation.run))


def get_examination(observation: Observation) -> Examination:
    """Return every term of the identity for the observation; K ≤ 2."""
    return _examination_for(_key(observation), observation)


@keep
def _balance_for(key: Key, _observation: Observation) -> Balance:
    return balance_images(_observation.run.model, _observation.target(), get_grid(_observation.run))


def get_balance(observation: Observation) -> Balance:
    """Return the identity's terms of the observation alone, with the exact log p(x); K ≤ 2."""
    return _balance_for(_key(observation), observation)


@keep
def _estimate_for(key: Key, _observation: Observation) -> tuple[Balance, ElboEstimate, int]:
    return balance_image(_observation.run.model, _observation.target())


def get_estimate(observation: Observation) -> tuple[Balance, ElboEstimate, int]:
    """Return the identity by draws, its ELBO and the samples of log p(x); for any latents."""
    return _estimate_for(_key(observation), observation)


@keep
def _lens_for(key: Key, name: str, chosen_language: str, _observation: Observation) -> bytes:
    words = sentences("elbo.lens.")

    def build() -> bytes:
        target, found = _observation.target()[0].numpy(), get_examination(_observation)
        return build_lens(_observation.run, target, found, words, chosen_language)

    return keep_payload(_lens_parts(_observation), build) if _is_kept(_observation) else build()


def get_lens(observation: Observation) -> bytes:
    """Return what the lens in the browser works from; ExplorerError where it cannot."""
    return _lens_for(_key(observation), observation.run.name, language(), observation)


def find_lens(observation: Observation) -> bytes | None:
    """Return the lens of an image that a shipped model opens on, None before it was first built.

    Without it the first visitor of every server would wait for the exact posterior.
    """
    return find_payload(_lens_parts(observation)) if _is_kept(observation) else None


def _is_kept(observation: Observation) -> bool:
    telling = find_telling(observation.run.id, observation.pictures)
    return observation.index in telling and not library().is_own(observation.run)


def _lens_parts(observation: Observation) -> tuple[object, ...]:
    return "lens", *_key(observation), observation.run.name, language(), sentences("elbo.lens.")


@keep
def _refinement_for(key: Key, _observation: Observation) -> RefinementPath:
    found = get_examination(_observation)
    starts = [found.mode, found.posterior_mean]
    return trace_refinement(_observation.run.model, _observation.target(), starts)


def get_refinement(observation: Observation) -> RefinementPath:
    """Return the path of q from the encoder's to the best normals (a second or two); K ≤ 2."""
    return _refinement_for(_key(observation), observation)


def known_balance(run: Run, pictures: Pictures) -> Balance | None:
    """Return the identity over many images where it was computed before."""
    found: Balance | None = KEPT.peek(("balance", run.fingerprint, pictures.source))
    return found


def compute_balance(run: Run, pictures: Pictures, progress: Callable[[float], None]) -> Balance:
    """Return the identity over the first MANY images, each as `Observation.target` scores it."""
    count = min(MANY, len(pictures.images))
    x = torch.cat([draw_targets(run.model, pictures.images[i : i + 1]) for i in range(count)])
    grid = get_grid(run) if run.model.latent_dim <= 2 else None
    found = balance_images(run.model, x, grid, progress=progress)
    KEPT.put(("balance", run.fingerprint, pictures.source), found)
    return found
