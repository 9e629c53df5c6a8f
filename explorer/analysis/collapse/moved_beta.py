"""β as a run really had it: what was planned, and what a hand made of it while it trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from explorer.runs.run import Run

TOLERANCE = 0.01
"""Relative difference from the schedule's β below which nobody moved it."""


@dataclass(frozen=True)
class UsedBeta:
    """The β that a run was planned with, and `now`, what its last update used if that was moved.

    A schedule that is still on its way is no move: `now` is the planned β then.
    """

    planned: float
    now: float

    @property
    def is_moved(self) -> bool:
        """Tell whether a viewer changed it."""
        return self.now != self.planned


def find_beta(run: Run) -> UsedBeta | None:
    """Return the run's β; of a model made elsewhere what was told or implied, None without any."""
    info = run.info
    if info.config is None:
        return None if info.beta is None else UsedBeta(info.beta, info.beta)
    objective, step = info.config.objective, info.status.step
    last = info.timing.get("beta")
    if last is None or info.status.is_alive():
        logged = _read_last(str(run.path), run.stamp("metrics.jsonl"))
        if logged is None:
            return UsedBeta(objective.beta, objective.beta)
        last, step = logged
    expected = objective.beta
    if info.planned_steps and step:
        expected = objective.beta_at(step - 1, info.planned_steps)
    moved = abs(last - expected) > TOLERANCE * max(expected, TOLERANCE)
    return UsedBeta(objective.beta, float(last) if moved else objective.beta)


@lru_cache(maxsize=4096)
def _read_last(path: str, stamp: str) -> tuple[float, int] | None:
    """Return β and step of the last log point, read once for each time that the log grew."""
    points = Run(path).metrics("train")
    if not points or points[-1].get("beta") is None:
        return None
    return points[-1]["beta"], points[-1]["step"]


def describe_beta(run: Run) -> str | None:
    """Return the run's β, or "1 → 4" where a viewer moved it; "≈ 1.5" is read off weights."""
    beta = find_beta(run)
    if beta is None:
        return None
    told = (run.info.model.adopted or {}).get("beta")
    if isinstance(told, Mapping) and told.get("told") is None:
        return f"≈ {beta.planned:.2g}"
    return f"{beta.planned:g} → {beta.now:g}" if beta.is_moved else f"{beta.planned:g}"
