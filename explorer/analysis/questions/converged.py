"""Has it converged? From the log alone, with its own noise.

Over the last half of the steps the objective is fitted against log₂ step: its slope is what
doubling the training bought, and foretells what as many steps again would buy. Where a planned
schedule has run out, the learning rate is spent and the slope over the last quarter, in steps,
tells more. Both come with the standard error of the fit and are held against 1 % of what training
has gained so far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.checks import Floats, Record
from explorer.config import Config
from explorer.runs.run import Run

GAINED_SHARE = 0.01
LEAST_NATS = 0.1
"""Of the margin: less than that nobody waits for, whatever training has gained so far."""
FEWEST_POINTS = 5
ERRORS = 2.0
"""Standard errors by which a figure must clear the margin."""
MOVED = 0.01
"""Share of β within which its last stretch counts as constant."""
VERDICTS = ("yes", "no", "past", "warming", "noisy", "short")
"""yes: what is left to gain is below the margin. no: it is above. past: held-out images have been
getting worse. warming: β was still moving, so that the objective itself was another one. noisy: the
noise of the log hides it. short: there are too few log points."""


@dataclass(frozen=True)
class Convergence(Record):
    """A code of VERDICTS with its evidence, nats per image.

    `gain` ± `error` is what is expected of `more` steps (None where nothing can be fitted) and
    `margin` what it is held against. `best_step` is where the objective was lowest on `split`;
    `spent` says that a learning rate which falls by plan had reached its end.
    """

    verdict: str
    gain: float | None
    error: float | None
    margin: float | None
    more: int
    step: int
    best_step: int
    split: str
    points: int
    spent: bool
    beta: float | None


def judge_run(run: Run) -> Convergence:
    """Return whether a run's training has converged, on held-out images where enough are logged."""
    info = run.info
    spent = is_spent(info.config, info.planned_steps, info.status.step)
    held_out = run.metrics("validation") or run.metrics("test")
    train = run.metrics("train") or run.metrics()
    chosen = held_out if len(_last(held_out, spent)) >= FEWEST_POINTS else train
    return judge_convergence(chosen, spent=spent, held_out=chosen is held_out)


def is_spent(config: Config | None, planned: int | None, step: int) -> bool:
    """Tell whether a learning rate that falls by plan has reached the end of its plan."""
    return (
        config is not None
        and planned is not None
        and config.optimiser.schedule != "constant"
        and step >= planned
    )


def judge_convergence(
    points: Sequence[Mapping[str, Any]], *, spent: bool = False, held_out: bool = False
) -> Convergence:
    """Return whether the objective of log points has come to rest; see the module.

    Points have step, elbo, and where it was logged objective and beta, nats per image. `spent` says
    that the learning rate has run out, `held_out` that the points are of images not trained on.

    >>> log = [{"step": s, "elbo": -100.0 - 50 * 2.0 ** (-s / 40)} for s in range(1, 1001, 10)]
    >>> judge_convergence(log).verdict, judge_convergence(log[:10]).verdict
    ('yes', 'no')
    """
    rows = [point for point in points if point["step"] > 0]
    steps = np.array([point["step"] for point in rows], dtype=np.float64)
    values = np.array([_objective(point) for point in rows], dtype=np.float64)
    last = _last(rows, spent)
    known: dict[str, Any] = {
        "step": int(steps[-1]) if len(steps) else 0,
        "best_step": int(steps[values.argmin()]) if len(steps) else 0,
        "split": "held_out" if held_out else "train",
        "points": len(last),
        "spent": spent,
        "beta": rows[-1].get("beta") if rows else None,
        "more": 0,
    }
    if len(last) < FEWEST_POINTS:
        return Convergence("short", None, None, None, **known)
    end = steps[-1]
    known["more"] = int(end / 4 if spent else end)
    x = 4 * steps[last] / end if spent else np.log2(steps[last])
    slope, error = fit_slope(x, values[last])
    margin = max(LEAST_NATS, GAINED_SHARE * float(values[0] - values.min()))
    gain = -slope
    found = _decide(gain, ERRORS * error, margin, held_out)
    if _moves([rows[index] for index in last]):
        found = "warming"
    return Convergence(found, gain, error, margin, **known)


def fit_slope(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the least-squares slope of y (N,) over x (N,) and its standard error, N > 2.

    >>> fit_slope(np.arange(5.0), 3 * np.arange(5.0))[0]
    3.0
    """
    away = x - x.mean()
    spread = float((away**2).sum())
    slope = float((away * (y - y.mean())).sum() / spread)
    left = y - y.mean() - slope * away
    return slope, float(np.sqrt((left**2).sum() / (len(x) - 2) / spread))


def _decide(gain: float, doubt: float, margin: float, held_out: bool) -> str:
    if held_out and gain + doubt < -margin:
        return "past"
    if gain + doubt < margin:
        return "yes"
    return "no" if gain - doubt > margin else "noisy"


def _last(points: Sequence[Mapping[str, Any]], spent: bool) -> list[int]:
    """Return the indices of the points in the last half, or quarter, of the steps."""
    if not points:
        return []
    start = points[-1]["step"] * (0.75 if spent else 0.5)
    return [index for index, point in enumerate(points) if point["step"] >= max(1, start)]


def _objective(point: Mapping[str, Any]) -> float:
    value = point.get("objective")
    return -point["elbo"] if value is None else value


def _moves(points: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether β was another one at the beginning of the last stretch."""
    betas = [point["beta"] for point in points if point.get("beta") is not None]
    return bool(betas) and max(betas) - min(betas) > MOVED * max(abs(betas[-1]), MOVED)
