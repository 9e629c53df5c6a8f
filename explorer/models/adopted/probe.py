"""Which reading of a foreign pair is right: tried on images, judged by what it explains.

First layout, range, heads and output by the share of the images' variance that reconstructions
from the mean leave unexplained; then the spread by the aggregate (Var μ + E σ² is 1 at an optimum)
and by how well groups of images agree about the β that training must have had (`balance`). The ELBO
takes part in nothing: it is fooled by borders, by a wrong spread, by overconfidence.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.candidates import (
    Code,
    Half,
    Heads,
    enter,
    heads_of,
    pictures_of,
    ranges_of,
    read_inputs,
)
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.judge import (
    BUDGET,
    FEWEST_IMAGES,
    IMAGES,
    aggregate,
    balance_cost,
    first_cost,
    log_variance,
    measure,
    plan,
    score,
)
from explorer.models.adopted.question import Fit, Question
from explorer.models.adopted.reading import Reading

ALIKE = 1.5
"""Readings whose misfit is within this factor of the best are returned beside it."""
CANDIDATES = 50
"""Readings that the first round decodes, about."""
KEPT, REACH = 12, 2.0
"""So many readings are weighed by their balance, of those whose misfit is within e^REACH."""
SAME_NATS, SAME_SHARE = 0.05, 1e-3
"""Readings whose KL and unexplained share differ by less are one."""


@torch.no_grad()
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
                for heads in _without_prior(heads_of(encoder, question.told), flat):
                    name, mean_at, spread_at, spreads = heads
                    mean, raw = mean_at.of(flat), spread_at.of(flat)
                    if bool(mean.isfinite().all() and raw.isfinite().all()):
                        draft = Reading(
                            layout, *scaling, name, mean_at, spread_at, spreads[0], fit=fit
                        )
                        yield Code(draft, encoder, images, mean, raw, spreads)


def _without_prior(found: Iterator[Heads], flat: Tensor) -> list[Heads]:
    """Return ways to read the heads but N(0, 1) itself, which some encoders return beside q."""
    ways = list(found)
    others = [
        way
        for way in ways
        if way[3] != ("sd",) or way[1].of(flat).any() or bool((way[2].of(flat) != 1).any())
    ]
    return others or ways


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

    Training's balance is the dear part: it is measured for those that the rest speaks for, where
    their networks are not too large for it; never for some of them alone.
    """
    best = halves[0].picture.unexplained
    whole = [
        (first_cost(half, spread, logvar, best), half, spread, logvar)
        for half in halves
        for spread, logvar in _log_variances(half)
    ]
    whole.sort(key=lambda item: round(item[0], 2))
    near = [item for item in whole[:KEPT] if item[0] <= whole[0][0] + REACH]
    planned = plan([half for _, half, _, _ in near]) if near else None
    for cost, half, spread, logvar in near:
        mean, sigma2 = half.code.mean, score(half, question).sigma2()
        balance = None if planned is None else measure(half, logvar, question, *planned)
        cost += 0.0 if balance is None else balance_cost(balance)
        yield Fit(
            reading=dataclasses.replace(half.reading, spread=spread),
            encoder=half.code.encoder,
            decoder=half.decoder,
            shape=half.code.images.shape[1:],
            output_range=half.picture.limits,
            sigma2=None if sigma2 is None else float(sigma2.detach()),
            unexplained=half.picture.unexplained,
            aggregate=aggregate(mean, logvar),
            incoherence=None if balance is None else balance.incoherence(),
            beta=None if balance is None else balance.beta(),
            kl=float(0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1).mean()),
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


def _same_kl(first: Tensor, second: Tensor) -> bool:
    """Tell whether two log-variances (B, K) of the same means cost the same KL."""
    share = 0.5 * (first.exp() - first - second.exp() + second)
    return float(share.sum(1).abs().mean()) < SAME_NATS
