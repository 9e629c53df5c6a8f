"""A run's log in a few numbers, for lists: its curve, its last figures and its last β."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.runs.run import Run

CURVE_POINTS = 32


@dataclass(frozen=True)
class Trace:
    """What a list shows of a log: nats per image."""

    curve: tuple[float, ...] = ()
    """−ELBO of the training split over its log points, reconstruction where there is no KL."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """elbo, reconstruction and kl of the last log point, of the most held-out split logged."""
    split: str = ""
    """Which split that is."""


def trace_run(run: Run) -> Trace:
    """Return a run's log in short; an empty trace where there is none."""
    points = run.metrics()
    if not points:
        return Trace()
    by_split: dict[str, list[dict[str, Any]]] = {}
    for point in points:
        by_split.setdefault(str(point.get("split", "train")), []).append(point)
    split = next((name for name in ("test", "validation") if name in by_split), "train")
    last = by_split.get(split, points)[-1]
    names = ("elbo", "reconstruction", "kl") if "kl" in last else ("reconstruction",)
    return Trace(
        curve=tuple(thin([_loss(point) for point in by_split.get("train", points)])),
        figures={name: float(last[name]) for name in names},
        split=split,
    )


def thin(values: Sequence[float], count: int = CURVE_POINTS) -> list[float]:
    """Return at most `count` of the values, evenly taken, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def _loss(point: Mapping[str, Any]) -> float:
    return float(-point["elbo"] if "kl" in point else point["reconstruction"])
