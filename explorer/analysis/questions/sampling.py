"""Good reconstructions, and noise when sampling? Where random codes go wrong.

Codes drawn from N(0, I) and codes drawn from a normal fitted to the images' own codes are decoded
by one decoder, and held against its own reconstructions (`representation.holes`). If the fitted
draws look as images do and those of the prior do not, the codes lie elsewhere than the prior:
`mismatch`. If both miss, what lies between the codes was never decoded in training: `holes`. Where
reconstructions themselves are poor, there is no such question: `poor`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, Record, as_array, check_standard_prior
from explorer.analysis.collapse.prior_match import match_prior
from explorer.analysis.questions.pictures import judge_model
from explorer.analysis.representation.holes import draw_codes, measure_holes
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.codes import kl_of_codes
from explorer.config.checks import check_seed
from explorer.elbo.encoding import encode_images
from explorer.models.base import Model

DRAWS = 500
CODES = 2000
TOLERATED = 0.15
"""Share of draws that may lie outside: for draws that lie as codes do it is 5 %."""
LEAST_EXPLAINED = 0.3
ERRORS = 2.0
VERDICTS = ("good", "mismatch", "holes", "poor", "unsure")


@dataclass(frozen=True)
class SamplingVerdict(Record):
    """A code of VERDICTS with its evidence.

    `prior` ± and `fitted` ± are the shares of draws from N(0, I) and from the fitted normal that
    decode to something unlike every image. `off` are the dimensions whose mean or total variance is
    not that of the prior; `rate` the mean KL. `explained` is what reconstructions explain.
    """

    verdict: str
    prior: float
    prior_error: float
    fitted: float
    fitted_error: float
    explained: float
    off: tuple[int, ...]
    rate: float
    draws: int


def judge_sampling(
    model: Model,
    reference: NDArray[np.uint8],
    unseen: NDArray[np.uint8],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> SamplingVerdict:
    """Return whether random codes of a model decode to something like the images.

    `reference` (N, C, H, W) are training images, `unseen` (U, C, H, W) held-out ones, both uint8.
    ExplorerError for a prior other than N(0, I).
    """
    check_standard_prior(model)
    seed = check_seed(seed)
    watch = Watch(progress, stop)
    mean, logvar = encode_images(model, reference[:CODES], seed=seed)
    assert logvar is not None
    samples = sample_aggregate(mean, logvar, seed=seed)
    explained = judge_model(model, unseen, seed=seed).explained
    watch.check(0.2)
    shares: dict[str, tuple[float, float]] = {}
    for place, source in enumerate(("prior", "matched")):
        codes = draw_codes(model, source, draws, codes=samples, seed=seed)
        found = measure_holes(model, codes, reference, unseen, seed=seed)
        shares[source] = found.holes, found.holes_error
        watch.check(0.6 + 0.4 * place)
    off = match_prior(mean, logvar).off
    return SamplingVerdict(
        verdict=decide(shares["prior"], shares["matched"], explained),
        prior=shares["prior"][0],
        prior_error=shares["prior"][1],
        fitted=shares["matched"][0],
        fitted_error=shares["matched"][1],
        explained=explained,
        off=tuple(dimension.index for dimension in off),
        rate=float(kl_of_codes(as_array(mean), as_array(logvar)).sum(1).mean()),
        draws=draws,
    )


def sample_aggregate(mean: ArrayLike, logvar: ArrayLike, *, seed: int = 0) -> Floats:
    """Return one draw of q(z|x) for each of the codes mean, logvar (N, K)."""
    mu, lv = as_array(mean), as_array(logvar)
    rng = np.random.default_rng([seed, 0x5A3])
    return np.asarray(mu + np.exp(0.5 * lv) * rng.standard_normal(mu.shape))


def decide(prior: tuple[float, float], fitted: tuple[float, float], explained: float) -> str:
    """Return a code of VERDICTS from two shares with their errors, and what is explained.

    >>> decide((0.9, 0.02), (0.06, 0.01), 0.8), decide((0.9, 0.02), (0.8, 0.02), 0.8)
    ('mismatch', 'holes')
    """
    if explained < LEAST_EXPLAINED:
        return "poor"
    outside, inside = _beyond(prior), _within(prior)
    if inside:
        return "good"
    if outside and _within(fitted):
        return "mismatch"
    return "holes" if outside and _beyond(fitted) else "unsure"


def _beyond(share: tuple[float, float]) -> bool:
    return share[0] - ERRORS * share[1] > TOLERATED


def _within(share: tuple[float, float]) -> bool:
    return share[0] + ERRORS * share[1] < TOLERATED
