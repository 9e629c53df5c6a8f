"""A sweep as a subject: at which β its latents fall asleep, as an interval between two members.

Latents of different trainings are not the same ones: they are told apart by their rank, the r-th
being the one with the r-th largest KL of its own training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer.analysis.checks import plain
from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.errors import ExplorerError
from explorer.runs.run import Run
from explorer.runs.sweeps import Sweep, find_grid

AXES = ("beta", "latent_dim", "seed")


@dataclass(frozen=True)
class SweepMember:
    """A run of the sweep, its value on the axis, and KL of its latents in nats, largest first."""

    run: Run
    value: float
    kl: tuple[float, ...]

    @property
    def awake(self) -> int:
        """How many latents are awake."""
        return sum(kl > DEAD_NATS for kl in self.kl)


@dataclass(frozen=True)
class Fall:
    """The latent of a rank, from 0, sleeps from the member at `at` on; `after` it was awake."""

    rank: int
    after: float
    at: float


@dataclass(frozen=True)
class SweepAnswer:
    """Members along an axis of AXES, and where latents fall asleep on it (β alone).

    `never` counts latents that sleep in every member, `always` those that are awake at the end.
    """

    axis: str
    members: tuple[SweepMember, ...]
    falls: tuple[Fall, ...]
    never: int
    always: int

    @property
    def latents(self) -> int:
        """The largest number of latents of a member."""
        return max(len(member.kl) for member in self.members)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [
            {"run": member.run.id, "value": member.value, "awake": member.awake, "kl": member.kl}
            for member in self.members
        ]
        return plain({**vars(self), "members": rows})


def consult_sweep(sweep: Sweep) -> SweepAnswer:
    """Return the answer on a sweep over β, else over the number of latents, else over seeds.

    Members that differ from the first in anything else are left out. ExplorerError where fewer than
    two of the others have KL per dimension.
    """
    grid = sweep.grid
    axis = next((name for name in AXES if name in grid), None)
    if axis is None:
        raise ExplorerError("This sweep varies neither β, nor the number of latents, nor the seed.")
    first = next(iter(sweep.configs.values()))
    found = []
    for name, run in sweep.runs().items():
        config = sweep.configs[name]
        if set(find_grid([first, config])) - {axis}:
            continue
        shares = run.info.best_results.get("kl_per_dim")
        values = {"beta": config.objective.beta, "latent_dim": config.model.latent_dim}
        if shares:
            kl = tuple(sorted((max(0.0, float(share)) for share in shares), reverse=True))
            found.append(SweepMember(run, float({**values, "seed": config.seed}[axis]), kl))
    if len(found) < 2:
        raise ExplorerError("A sweep says something once two of its models have been measured.")
    members = tuple(sorted(found, key=lambda member: member.value))
    awake = [member.awake for member in members]
    falls = find_falls([member.value for member in members], awake) if axis == "beta" else ()
    latents = max(len(member.kl) for member in members)
    return SweepAnswer(axis, members, falls, latents - max(awake), awake[-1])


def list_comparable(sweep: Sweep) -> list[Run]:
    """Return the measured runs that differ from the sweep's first in K and seed alone."""
    first = next(iter(sweep.configs.values()))
    return [
        run
        for name, run in sweep.runs().items()
        if set(find_grid([first, sweep.configs[name]])) <= {"latent_dim", "seed"}
        and "elbo" in run.info.best_results
    ]


def find_falls(values: Sequence[float], awake: Sequence[int]) -> tuple[Fall, ...]:
    """Return where the latent of each rank falls asleep for good, the first to do so first.

    >>> find_falls([1, 4, 16], [3, 2, 0])
    (Fall(rank=2, after=1, at=4), Fall(rank=1, after=4, at=16), Fall(rank=0, after=4, at=16))
    """
    falls = []
    for rank in reversed(range(awake[-1], max(awake))):
        last = max(place for place, count in enumerate(awake) if count > rank)
        falls.append(Fall(rank, values[last], values[last + 1]))
    return tuple(falls)
