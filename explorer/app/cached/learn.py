"""What the Learn page keeps between reruns: each entry wraps a pure function."""

from explorer.analysis.checks import Floats
from explorer.analysis.inference.microscope import Examination, examine_image
from explorer.analysis.representation.patchwork import decode_prior
from explorer.app.bounded import keep
from explorer.app.cached.elbo import get_grid
from explorer.app.cached.elbo_sections import observation_key
from explorer.app.observation import Observation
from explorer.runs.run import Run


@keep
def _examination_for(key: tuple[str, str, int], _observation: Observation) -> Examination:
    run = _observation.run
    return examine_image(run.model, _observation.target(), get_grid(run))


def get_examination(observation: Observation) -> Examination:
    """Return every term of the identity for an observation with one or two latents (a second)."""
    return _examination_for(observation_key(observation), observation)


@keep
def _prior_pictures_for(fingerprint: str, count: int, _run: Run) -> Floats:
    return decode_prior(_run.model, count, seed=0)


def get_prior_pictures(run: Run, count: int = 1024) -> Floats:
    """Return what the decoder makes of `count` codes of the prior, (count, C, H, W)."""
    return _prior_pictures_for(run.fingerprint, count, run)
