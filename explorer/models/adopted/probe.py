"""Which reading of a foreign pair is right: tried on images, judged by what it explains.

First layout, range, heads and output by the share of the images' variance that reconstructions
from the mean leave unexplained; then the spread by the aggregate (Var μ + E σ² is 1 at an optimum)
and by how well groups of images agree about the β that training must have had (`balance`). The ELBO
takes part in nothing: it is fooled by borders, by a wrong spread, by overconfidence.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explorer.errors import ExplorerError
from explorer.models.adopted.balance import Balance, measure_balance
from explorer.models.adopted.candidates import (
    USUAL,
    Picture,
    enter,
    heads_of,
    pictures_of,
    ranges_of,
    read_inputs,
)
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.question import LOGIT_LIKELIHOODS, Fit, Question
from explorer.models.adopted.reading import SPREADS, Image, Reading, read_decoder

ALIKE = 1.5
"""Readings whose misfit is within this factor of the best are returned beside it."""
IMAGES, FEWEST_IMAGES = 256, 48
PAIRS = 8
BUDGET = 30_000_000_000
"""Multiply-adds that each round may spend: fewer images where networks are large."""
CANDIDATES = 50
"""Readings that the first round decodes, about."""
KEPT = 12
"""Readings whose balance is measured."""
SURPRISE = 0.1
"""What a β of e or 1/e costs, in the logarithm of the misfit."""
IMPOSSIBLE = 2.0
"""What a β below 0 costs."""
STANDARDISED = 0.2
"""What pixels scaled by a mean and deviation cost: the usual ranges come first."""
SOFTPLUS = 0.03
"""What a softplus costs that the network itself does not hold."""
OTHER_NAME = 0.2
"""What a spread costs that its name speaks against: names are weighed, not believed."""
NAMES = {
    "log-variance": ("logvar", "log_var", "log-var", "lnvar", "log_sigma2", "log_sigma_sq", "lv"),
    "log-sd": ("logstd", "log_std", "log_sigma", "logsigma", "log_scale", "log_sd"),
    "sd": ("std", "sigma", "scale", "stddev", "sd"),
    "variance": ("var", "variance", "sigma2", "sigma_sq"),
}
WIDEST_LOGVAR = 12.0
SAME_NATS, SAME_SHARE = 0.05, 1e-3
"""Readings whose KL and unexplained share differ by less are one."""


@dataclass(frozen=True)
class Code:
    """What an encoder gives under a draft of a reading: means and raw spreads (B, K) of images."""

    draft: Reading
    encoder: Foreign
    images: np.ndarray
    mean: Tensor
    raw: Tensor
    spreads: tuple[str, ...]


@dataclass(frozen=True)
class Half:
    """A reading whose spread is still open, with the codes and the pictures that it gives."""

    code: Code
    reading: Reading
    decoder: Foreign
    picture: Picture


def probe(
    encoders: Sequence[Foreign], decoders: Sequence[Foreign], question: Question
) -> list[Fit]:
    """Return the readings that fit, best first: those within `ALIKE` of the best.

    `encoders` and `decoders` are the same two networks, once for each input shape that they take.
    Where a second fit is close the two are to be shown with the β that each implies, and asked.
    Raises ExplorerError where nothing fits at all.
    """
    halves = _keep_best(_first_round(encoders, decoders, question))
    if not halves:
        raise ExplorerError(_explain(encoders, decoders, question.images))
    judged = sorted(_second_round(halves, question), key=lambda fit: round(fit.misfit, 2))
    if not judged:
        raise ExplorerError(
            "No reading of this pair gives finite codes and pictures: tell how its pixels are "
            "scaled, or bring its codes alone (.npz)."
        )
    found: list[Fit] = []
    for fit in judged:
        if fit.misfit <= ALIKE * judged[0].misfit and not any(_alike(fit, f) for f in found):
            found.append(fit)
    return found


def _explain(encoders: Sequence[Foreign], decoders: Sequence[Foreign], images: np.ndarray) -> str:
    takes = " or ".join(str(encoder.shape) for encoder in encoders)
    gives = ", ".join(f"{part.name} {part.shape}" for part in encoders[0].segments)
    codes = " or ".join(str(decoder.shape) for decoder in decoders)
    return (
        f"This encoder (it takes {takes} and gives {gives}) and this decoder (it takes {codes}) do "
        f"not fit each other and images of {tuple(images.shape[1:])}: choose the pair, and images "
        "of the size and the colours that they were trained on."
    )


def _alike(first: Fit, second: Fit) -> bool:
    """Tell whether two readings say the same of the same pictures."""
    share = abs(first.unexplained - second.unexplained)
    return abs(first.kl - second.kl) < SAME_NATS and share < SAME_SHARE


def _first_round(
    encoders: Sequence[Foreign], decoders: Sequence[Foreign], question: Question
) -> Iterator[Half]:
    """Yield every reading but for the spread, each with what it leaves unexplained."""
    seen: list[tuple[Tensor, float]] = []
    for code in _codes(encoders, decoders, question):
        for decoder in decoders:
            if int(np.prod(decoder.shape)) != code.mean.shape[1]:
                continue
            scaling = code.draft.scale, code.draft.shift
            pictures = pictures_of(decoder, code.mean, code.images, scaling, question.told)
            for picture in pictures:
                if not _is_seen(seen, code, picture.unexplained):
                    reading = dataclasses.replace(
                        code.draft,
                        code_shape=decoder.shape,
                        output=picture.output,
                        output_layout=picture.layout,
                        pixels=picture.at,
                    )
                    yield Half(code, reading, decoder, picture)


def _codes(
    encoders: Sequence[Foreign], decoders: Sequence[Foreign], question: Question
) -> Iterator[Code]:
    """Yield every way to encode the images and to tell the mean from the spread."""
    dearest = max(decoder.network.cost.multiply_adds for decoder in decoders)
    for encoder in encoders:
        cost = (encoder.network.cost.multiply_adds + dearest) * CANDIDATES
        chosen = _choose(question.images, cost)
        for fit, images, layout in read_inputs(encoder, chosen, question.told):
            x = question.target(images)
            for scaling in ranges_of(question.images, question.told):
                flat = encoder.network(enter(x, layout, scaling))
                for heads, mean_at, spread_at, spreads in heads_of(encoder, question.told):
                    mean, raw = mean_at.of(flat), spread_at.of(flat)
                    if bool(mean.isfinite().all() and raw.isfinite().all()):
                        draft = Reading(
                            layout, *scaling, heads, mean_at, spread_at, spreads[0], fit=fit
                        )
                        yield Code(draft, encoder, images, mean, raw, spreads)


def _choose(images: np.ndarray, cost: int) -> np.ndarray:
    """Return images evenly spread over the set, as many as the budget allows."""
    count = int(np.clip(BUDGET // max(1, cost), FEWEST_IMAGES, IMAGES))
    rows = np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)
    return np.asarray(images[rows])


def _is_seen(seen: list[tuple[Tensor, float]], code: Code, missed: float) -> bool:
    """Tell whether another candidate gave the same codes and pictures: then the first stands."""
    both = torch.cat([code.mean, code.raw], 1)
    for other, value in seen:
        if other.shape == both.shape and abs(value - missed) < 1e-6:
            if float((other - both).abs().max()) < 1e-4:
                return True
    seen.append((both, missed))
    return False


def _keep_best(halves: Iterator[Half]) -> list[Half]:
    """Return those that explain about as much as the best, best first."""
    found = sorted(halves, key=lambda half: half.picture.unexplained)
    return [h for h in found if h.picture.unexplained <= ALIKE * found[0].picture.unexplained]


def _second_round(halves: Sequence[Half], question: Question) -> Iterator[Fit]:
    """Yield the most likely readings with their spread, judged.

    Training's balance is the dear part: it is measured for those that the rest speaks for.
    """
    best = halves[0].picture.unexplained
    whole = [
        (_cost(half, spread, logvar, best), half, spread, logvar)
        for half in halves
        for spread, logvar in _log_variances(half)
    ]
    whole.sort(key=lambda item: round(item[0], 2))
    for cost, half, spread, logvar in whole[:KEPT]:
        balance, sigma2 = _measure(half, logvar, question)
        incoherence, beta = balance.incoherence(), balance.beta()
        if incoherence is not None:
            cost += incoherence
            cost += SURPRISE * abs(float(np.log(beta))) if beta and beta > 0 else IMPOSSIBLE
        yield Fit(
            reading=dataclasses.replace(half.reading, spread=spread),
            encoder=half.code.encoder,
            decoder=half.decoder,
            shape=half.code.images.shape[1:],
            output_range=half.picture.limits,
            sigma2=sigma2,
            unexplained=half.picture.unexplained,
            aggregate=_aggregate(half.code.mean, logvar),
            incoherence=incoherence,
            beta=beta,
            kl=float(0.5 * (half.code.mean.square() + logvar.exp() - 1 - logvar).sum(1).mean()),
            misfit=float(np.exp(cost)),
        )


def _log_variances(half: Half) -> Iterator[tuple[str, Tensor]]:
    """Yield every spread that is possible with its log-variances, those that cost the same once."""
    tried: list[Tensor] = []
    for spread in half.code.spreads:
        logvar = log_variance(half.code.raw, spread)
        if logvar is not None and not any(_same_kl(logvar, other) for other in tried):
            tried.append(logvar)
            yield spread, logvar


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


def _same_kl(first: Tensor, second: Tensor) -> bool:
    """Tell whether two log-variances (B, K) of the same means cost the same KL."""
    share = 0.5 * (first.exp() - first - second.exp() + second)
    return float(share.sum(1).abs().mean()) < SAME_NATS


def _cost(half: Half, spread: str, logvar: Tensor, best: float) -> float:
    """Return the logarithm of the misfit so far."""
    cost = 2 * float(np.log(half.picture.unexplained / best)) + _oddity(half, spread)
    return cost + _aggregate(half.code.mean, logvar)


def _aggregate(mean: Tensor, logvar: Tensor) -> float:
    """Return how far the codes' aggregate lies from N(0, I): mean |ln total variance| + |mean|."""
    mean = mean.double()
    total = mean.var(0, correction=0) + logvar.double().exp().mean(0)
    return float(total.log().abs().mean() + mean.mean(0).abs().mean())


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


def _measure(half: Half, logvar: Tensor, question: Question) -> tuple[Balance, float | None]:
    """Return training's balance under a reading, and the Gaussian's variance."""
    image: Image = half.code.images.shape[1:]
    logits = question.likelihood in LOGIT_LIKELIHOODS
    decoder = read_decoder(half.decoder, half.reading, image, logits)
    x = question.target(half.code.images)
    error = half.picture.unexplained * float((x - x.mean(0)).square().mean())
    likelihood = question.score(half.reading, error, image)
    # A gradient costs about three passes; each pair is two draws.
    cost = decoder.cost.multiply_adds * 6 * PAIRS * KEPT
    rows = slice(0, int(np.clip(BUDGET // max(1, cost), FEWEST_IMAGES, len(x))))
    balance = measure_balance(
        lambda z, target: likelihood.nll(decoder(z), target),
        x[rows], half.code.mean[rows], logvar[rows], pairs=PAIRS,
    )  # fmt: skip
    sigma2 = likelihood.sigma2()
    return balance, None if sigma2 is None else float(sigma2)
