"""What became of each dimension, dated as finely as the log allows.

A log tells of moments: a dimension that was awake at one and asleep at the next fell asleep between
them. Where training logs every few steps that is a date; of checkpoints, or of own codes over
steps, it is an interval, and is told as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.analysis.collapse.timeline import find_events

COARSE = 0.25
"""Share of a step from which the way since the log point before makes a date an interval."""
KINDS = ("died", "never", "woke", "awake")


@dataclass(frozen=True)
class Fate:
    """How a dimension ended, by the KL that was logged.

    died: asleep since `step`, awake at `after`. never: asleep at every log point. woke: in use
    since `step`. awake: in use throughout. `beta` is the one that was logged at `step`.
    """

    dimension: int
    kind: str
    step: int | None = None
    after: int | None = None
    beta: float | None = None

    @property
    def is_coarse(self) -> bool:
        """Tell whether the date is an interval: a good part of training lies between."""
        if self.step is None or self.after is None:
            return False
        return self.step - self.after > COARSE * self.step

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "is_coarse": self.is_coarse}


def list_events(points: Sequence[Mapping[str, Any]]) -> tuple[Fate, ...]:
    """Return every time that a dimension died or woke, in order of step."""
    rows = [point for point in points if "kl_per_dim" in point]
    steps = [int(row["step"]) for row in rows]
    before = dict(zip(steps[1:], steps, strict=False))
    betas = {step: row.get("beta") for step, row in zip(steps, rows, strict=True)}
    events = find_events(steps, [row["kl_per_dim"] for row in rows])
    return tuple(
        Fate(event.dimension, event.kind, event.step, before.get(event.step), betas[event.step])
        for event in events
    )


def find_fates(points: Sequence[Mapping[str, Any]]) -> tuple[Fate, ...]:
    """Return the fate of each dimension from log points with kl_per_dim, none without any.

    >>> log = [{"step": s, "kl_per_dim": k} for s, k in [(1, [1, 0]), (50, [1, 0]), (60, [0, 0])]]
    >>> [(fate.kind, fate.after, fate.step) for fate in find_fates(log)]
    [('died', 50, 60), ('never', None, None)]
    """
    rows = [point for point in points if "kl_per_dim" in point]
    if not rows:
        return ()
    last = {event.dimension: event for event in list_events(rows)}
    fates = []
    for dimension, kl in enumerate(rows[0]["kl_per_dim"]):
        kind = "awake" if find_events([0, 1], [[kl], [0.0]]) else "never"
        fates.append(last.get(dimension, Fate(dimension, kind)))
    return tuple(fates)


@dataclass(frozen=True)
class Dated:
    """When those of `dimensions` that were ever awake fell asleep: the last at `step`.

    `after` is the log point before the first of them died; `never` counts those that never woke.
    `step` is None where none was ever awake, or nothing was logged.
    """

    dimensions: tuple[int, ...]
    step: int | None
    after: int | None
    beta: float | None
    never: int
    is_coarse: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "dimensions": list(self.dimensions)}


def date_sleep(fates: Sequence[Fate], asleep: Sequence[int]) -> Dated:
    """Return since when the dimensions `asleep` have been so."""
    chosen = [fate for fate in fates if fate.dimension in asleep]
    died = [fate for fate in chosen if fate.kind == "died"]
    never = sum(fate.kind == "never" for fate in chosen)
    if not died:
        return Dated(tuple(asleep), None, None, None, never, False)
    last = max(died, key=lambda fate: fate.step or 0)
    first = min((fate.after for fate in died if fate.after is not None), default=None)
    coarse = any(fate.is_coarse for fate in died)
    return Dated(tuple(asleep), last.step, first, last.beta, never, coarse)
