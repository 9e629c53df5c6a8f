"""How many latents? A sweep over K, held against what its best member reaches.

Where nothing but K differs, the ELBO rises with K until the latents that the objective pays for are
there, and active units stop rising with it: latents beyond that fall asleep. The answer is the
smallest K that keeps 95 % of the gain over a model without latents. For a linear model with a fixed
σ² all of it has a closed form (`collapse.linear`), the oracle of this module.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from explorer.analysis.checks import plain
from explorer.analysis.collapse.linear import linear_optimum
from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.errors import ExplorerError
from explorer.runs.run import Run

KEPT = 0.95
SILENT_NATS = 0.1
"""Total KL below which a model's latents say nothing, whichever of them do."""
VERDICTS = ("enough", "rising", "asleep", "below")
"""enough: the largest K buys nothing that a smaller one does not have. rising: every latent of the
largest K is in use, so that a larger one may buy more. asleep: no K has any latent in use. below:
latents are in use, yet no model scores what a decoder without any does: nothing can be counted."""


@dataclass(frozen=True)
class Member:
    """One K of a sweep: nats per image, `elbo` with its standard error where it is known."""

    latents: int
    elbo: float
    kl: float
    active: int
    error: float = 0.0


@dataclass(frozen=True)
class LatentCount:
    """A code of VERDICTS and the smallest K that keeps `kept` of the gain.

    `enough` is that K; `gains` has the share of each member, in order of K, over `floor`, the ELBO
    without latents. `needed` is the largest number of active units that any member has.
    """

    verdict: str
    enough: int
    needed: int
    members: tuple[Member, ...]
    gains: tuple[float, ...]
    floor: float
    kept: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain({**vars(self), "members": [vars(member) for member in self.members]})


def count_latents(
    members: Iterable[Member], *, floor: float | None = None, kept: float = KEPT
) -> LatentCount:
    """Return how many latents a sweep over K says to be enough.

    `floor` is the ELBO without latents; unsaid, that of the smallest K stands in, and the answer is
    the larger for it. ExplorerError for fewer than two different K.

    >>> sweep = [Member(1, -100, 2, 1), Member(2, -80, 4, 2), Member(4, -79, 4, 2)]
    >>> count_latents(sweep, floor=-140).enough
    2
    """
    rows = sorted(_best_of_each(members), key=lambda member: member.latents)
    if len(rows) < 2:
        raise ExplorerError("How many latents are enough takes runs with two different K at least.")
    base = rows[0].elbo if floor is None else floor
    best = max(member.elbo for member in rows)
    gained = best - base
    gains = tuple((member.elbo - base) / gained if gained > 0 else 0.0 for member in rows)
    enough = next(
        (row.latents for row, gain in zip(rows, gains, strict=True) if gain >= kept),
        rows[-1].latents,
    )
    needed = max(member.active for member in rows)
    largest = rows[-1]
    if needed == 0 or max(member.kl for member in rows) < SILENT_NATS:
        verdict = "asleep"
    elif gained <= 0:
        verdict = "below"
    elif largest.active == largest.latents and enough == largest.latents:
        verdict = "rising"
    else:
        verdict = "enough"
    return LatentCount(verdict, enough, needed, tuple(rows), gains, base, kept)


def count_in_runs(
    runs: Sequence[Run], *, floor: float | None = None, kept: float = KEPT
) -> LatentCount:
    """Return how many latents the runs of a sweep over K say to be enough.

    `floor` is the ELBO without latents (`questions.floor`); unsaid, that of the first log points
    stands in, when no latent said anything yet and the decoder had learned nothing either.
    ExplorerError where the runs differ in more than K and seed, so that their nats do not compare.
    """
    from dataclasses import replace

    kinds = set()
    for run in runs:
        config = run.info.config
        if config is None:
            raise ExplorerError(f"{run.name} does not say how it was trained.")
        model = replace(config.model, latent_dim=1)
        kinds.add(repr(replace(config, model=model, seed=0)))
    if len(kinds) > 1:
        raise ExplorerError("These runs differ in more than K: their ELBOs do not answer this.")
    members = [found for found in map(_describe, runs) if found is not None]
    if floor is None:
        best = max((member.elbo for member in members), default=-math.inf)
        floors = [points[0]["elbo"] for run in runs if (points := run.metrics("train"))]
        # The first point of a model that was fitted is its last one.
        floor = max((value for value in floors if value < best), default=None)
    return count_latents(members, floor=floor, kept=kept)


def sweep_linear(
    eigenvalues: ArrayLike, latents: Iterable[int], *, beta: float = 1.0, sigma2: float = 1.0
) -> tuple[list[Member], float]:
    """Return the members of a sweep of linear β-VAEs at their optima, and the ELBO without latents.

    The oracle: docs/science.md §1 (Lucas et al. 2019).
    """
    members = []
    floor = -math.inf
    for count in latents:
        best = linear_optimum(eigenvalues, count, beta=beta, sigma2=sigma2)
        members.append(Member(count, best.elbo, best.rate, best.active))
        # βσ² above every eigenvalue: nothing is told, whatever the number of latents.
        apart = linear_optimum(eigenvalues, count, beta=1e12, sigma2=sigma2)
        floor = -apart.distortion
    return members, floor


def _describe(run: Run) -> Member | None:
    results = run.info.best_results
    if "elbo" not in results or "kl" not in results:
        return None
    shares = results.get("kl_per_dim") or []
    active = sum(kl > DEAD_NATS for kl in shares)
    return Member(run.info.latent_dim, results["elbo"], results["kl"], active)


def _best_of_each(members: Iterable[Member]) -> list[Member]:
    """Return one member for each K: of several seeds the one with the best ELBO."""
    best: dict[int, Member] = {}
    for member in members:
        known = best.get(member.latents)
        if known is None or member.elbo > known.elbo:
            best[member.latents] = member
    return list(best.values())
