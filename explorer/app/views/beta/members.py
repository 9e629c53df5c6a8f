"""The β lab's models, and what they are at one step of their film."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.collapse.moved_beta import describe_beta, find_beta
from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs.run import Run, Snapshot
from explorer.runs.sweeps import Sweep

LARGEST_FILM = 12


@dataclass(frozen=True)
class Member:
    """A model of the sweep, with the β that its last update used and how that is written."""

    run: Run
    config: Config
    beta: float
    mark: str


@dataclass(frozen=True)
class Scene:
    """The models of the charts over β at one step, with their frames and figures."""

    sweep: Sweep
    film: list[Member]
    frames: list[Snapshot]
    points: list[dict[str, Any]]
    is_latest: bool


def find_members(sweep: Sweep) -> list[Member]:
    """Return the models that can be shown, by β.

    Of a family all, since they are at the same step; of a sweep those that have ended.
    """
    members = []
    for name, run in sweep.runs().items():
        try:
            info, beta = run.info, find_beta(run)
        except ExplorerError:
            continue  # Removed by hand between the two looks.
        if sweep.kind == "sweep" and not info.results:
            continue
        if beta is not None and run.snapshot_steps():
            mark = describe_beta(run) or ""
            members.append(Member(run, sweep.configs[name], beta.now, mark))
    return sorted(members, key=lambda member: member.beta)


def choose_film(members: list[Member]) -> list[Member]:
    """Return one model per β, all of one shape, at most as many as charts over β show."""
    latents = members[0].config.model.latent_dim
    found: dict[float, Member] = {}
    for member in members:
        if member.config.model.latent_dim == latents:
            found.setdefault(member.config.objective.beta, member)
    film = list(found.values())
    if len(film) > LARGEST_FILM:
        film = [film[round(i)] for i in np.linspace(0, len(film) - 1, LARGEST_FILM)]
    return film


def _last_frame(sweep: Sweep, member: Member, common: list[int]) -> Snapshot:
    """Return the newest frame: of a family that is trained one that all members have."""
    step = common[-1] if sweep.kind == "family" and common else member.run.snapshot_steps()[-1]
    return member.run.snapshot(step)


def point_at(run: Run, step: int, final: bool) -> dict[str, Any] | None:
    """Return figures of the model at `step`: of the test split at the end, else as logged."""
    results = run.info.results
    measured = [name for name in results if {"reconstruction", "kl_per_dim"} <= set(results[name])]
    if final and measured:
        split = "test" if "test" in measured else measured[0]
        return {**results[split], "split": split}
    for split in ("validation", "train"):
        points = [point for point in run.metrics(split) if "kl_per_dim" in point]
        past = [point for point in points if point["step"] <= step]
        if past:
            return past[-1]
    # Step 0 itself is not logged: the first update's figures are those of the start.
    return points[0] if points else None


def find_steps(film: Sequence[Member]) -> list[int]:
    """Return the steps of which all these models have a frame."""
    return sorted(set.intersection(*(set(member.run.snapshot_steps()) for member in film)))


def find_scene(sweep: Sweep, members: list[Member], step: int | None) -> Scene | None:
    """Return the models at a step, the newest for None or where one of them has no frame there.

    None before there are figures of all.
    """
    film = choose_film(members)
    common = find_steps(film)
    final = step is None or step not in common
    if final:
        frames = [_last_frame(sweep, member, common) for member in film]
    else:
        frames = [member.run.snapshot(step or 0) for member in film]
    points = [point_at(m.run, f.step, final=final) for m, f in zip(film, frames, strict=True)]
    measured = [point for point in points if point is not None]
    if len(measured) < len(points):
        return None
    return Scene(sweep, film, frames, measured, final)
