"""How well a reading fits: its aggregate, its oddity, and whether images agree about its β."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor
from torch.nn import functional

from explorer.models.adopted.balance import QUIET, Balance, measure_balance
from explorer.models.adopted.candidates import USUAL, Half
from explorer.models.adopted.question import LOGIT_LIKELIHOODS, Question
from explorer.models.adopted.reading import SPREADS, read_decoder
from explorer.models.likelihoods import Likelihood

IMAGES, FEWEST_IMAGES = 256, 32
PAIRS, FEWEST_PAIRS = 8, 4
BUDGET = 100_000_000_000
"""Multiply-adds that a round of the probe may spend: fewer images where networks are large."""
SURPRISE = 0.1
"""What a β of e or 1/e costs, in the logarithm of the misfit."""
IMPOSSIBLE = 2.0
"""What a β below 0 costs."""
STANDARDISED = 0.2
"""What pixels scaled by a mean and deviation cost: the usual ranges come first."""
SOFTPLUS = 0.1
"""What a softplus costs that the network itself does not hold."""
OTHER_NAME = 0.35
"""What a spread costs that its name speaks against: names are weighed, not believed."""
NAMES = {
    "log-variance": ("logvar", "log_var", "log-var", "lnvar", "log_sigma2", "log_sigma_sq", "lv"),
    "log-sd": ("logstd", "log_std", "log_sigma", "logsigma", "log_scale", "log_sd"),
    "sd": ("std", "sigma", "scale", "stddev", "sd"),
    "variance": ("var", "variance", "sigma2", "sigma_sq"),
}
WIDEST_LOGVAR = 12.0


def log_variance(raw: Tensor, spread: str) -> Tensor | None:
    """Return what a spread means as log-variances; None where it cannot be that."""
    value = raw
    for layer in SPREADS[spread]:
        if layer.kind == "log":
            if bool((value <= 0).any()):
                return None
            value = value.log()
        elif layer.kind == "softplus":
            value = functional.softplus(value).clamp_min(1e-30)
        else:
            value = value * layer.tensors["weight"]
    outside = not bool(value.isfinite().all()) or float(value.max()) > WIDEST_LOGVAR
    return None if outside else value


def aggregate(mean: Tensor, logvar: Tensor) -> float:
    """Return how far the codes' aggregate lies from N(0, I): mean |ln total variance| + |mean|."""
    mean = mean.double()
    total = mean.var(0, correction=0) + logvar.double().exp().mean(0)
    return float(total.log().abs().mean() + mean.mean(0).abs().mean())


def first_cost(half: Half, spread: str, logvar: Tensor, best: float) -> float:
    """Return the logarithm of a reading's misfit, as far as pictures and codes alone tell it.

    `best` is the smallest share of variance that any reading leaves unexplained.
    """
    cost = 2 * float(np.log(half.picture.unexplained / best)) + _oddity(half, spread)
    return cost + aggregate(half.code.mean, logvar)


def balance_cost(balance: Balance) -> float:
    """Return what training's balance adds to it: disagreement about β, and an unlikely β."""
    incoherence, beta = balance.incoherence(), balance.beta()
    if incoherence is None:
        return 0.0
    if beta is None or beta <= 0:
        return incoherence + IMPOSSIBLE
    return incoherence + SURPRISE * abs(float(np.log(beta)))


def _oddity(half: Half, spread: str) -> float:
    """Return what speaks against a reading before it is tried."""
    usual = (half.reading.scale, half.reading.shift) in USUAL
    cost = 0.0 if usual else STANDARDISED
    cost += SOFTPLUS if spread.startswith("softplus") else 0.0
    at = half.reading.spread_at.start
    part = next(s for s in half.code.encoder.segments if s.start <= at < s.stop)
    name = part.name.lower().rpartition(".")[2]
    said = [kind for kind, names in NAMES.items() if name in names]
    return cost + (OTHER_NAME if said and spread not in said else 0.0)


def score(half: Half, question: Question) -> Likelihood:
    """Return the likelihood under a reading; its error gives a variance that was not told."""
    x = question.target(half.code.images)
    error = half.picture.unexplained * float((x - x.mean(0)).square().mean())
    return question.score(half.reading, error, half.code.images.shape[1:])


def plan(halves: Sequence[Half]) -> tuple[int, int] | None:
    """Return (images, pairs of draws) with which the balance of so many readings is affordable.

    None where it is not, or where no reading has a dimension that is awake.
    """
    awake = any(float(half.code.mean.var(0, correction=0).max()) > QUIET for half in halves)
    # A gradient costs about three passes; each pair is two draws.
    passes = 6 * sum(half.decoder.network.cost.multiply_adds for half in halves)
    most = len(halves[0].code.images)
    if not awake or passes * FEWEST_PAIRS * FEWEST_IMAGES > BUDGET:
        return None
    pairs = int(np.clip(BUDGET // max(1, passes * FEWEST_IMAGES), FEWEST_PAIRS, PAIRS))
    return min(most, max(FEWEST_IMAGES, BUDGET // max(1, passes * pairs))), pairs


def measure(half: Half, logvar: Tensor, question: Question, images: int, pairs: int) -> Balance:
    """Return training's balance under a reading, from so many images and pairs of draws."""
    logits = question.likelihood in LOGIT_LIKELIHOODS
    code = half.code
    decoder = read_decoder(half.decoder, half.reading, code.images.shape[1:], logits)
    likelihood, rows = score(half, question), slice(0, images)

    def nll(z: Tensor, x: Tensor) -> Tensor:
        return likelihood.nll(decoder(z), x)

    x = question.target(code.images)[rows]
    return measure_balance(nll, x, code.mean[rows], logvar[rows], pairs=pairs)
