"""How many updates a budget comes to, and which of them are logged and kept."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from explorer.training.engine import Engine
from explorer.training.machine import ThreadChoice

LOG_POINTS = 240
SNAPSHOTS = 48
CALIBRATION_SECONDS = 0.5
GROUP = 4
"""Updates timed together; the median over such groups is little moved by a busy moment."""
FEWEST_SNAPSHOTS = 10
FILM_SHARE = 0.12
"""Share of a time budget that snapshots may take, down to the fewest of them."""
SAFETY = 0.96
"""Share of a time budget that is planned as updates and snapshots; logging takes the rest."""

OVERRUN_SHARE, OVERRUN_SECONDS = 0.1, 2.0
"""Share of a time budget, or seconds where these are more: a plan that would take longer still is
shortened."""
LONG_ENOUGH = 0.5
"""Share of a time budget after which its pace is believed: one busy moment is no pace."""


def plan_steps(
    engine: Engine, choice: ThreadChoice, time_snapshot: Callable[[], float]
) -> tuple[int, int]:
    """Return the number of updates that the budget of the engine's configs comes to, and snapshots.

    A time budget is turned into updates once, here, so that schedules depend on the step alone;
    a machine that becomes much slower changes that (`shorten_plan`). `time_snapshot` returns the
    seconds that one takes: a short film has fewer of them, lest they take longer than the training.
    """
    budget = engine.configs[0].budget
    if budget.steps is not None:
        return budget.steps, SNAPSHOTS
    if budget.epochs is not None:
        return max(1, round(budget.epochs * engine.steps_per_epoch)), SNAPSHOTS
    assert budget.seconds is not None
    rate = measure_rate(engine, min(CALIBRATION_SECONDS, budget.seconds / 4), choice)
    seconds = SAFETY * budget.seconds
    price = max(min(time_snapshot(), time_snapshot()), 1e-6)
    snapshots = round(min(max(FILM_SHARE * seconds / price, FEWEST_SNAPSHOTS), SNAPSHOTS))
    learning = max(seconds - snapshots * price, seconds / 4)
    return max(1, math.floor(learning * rate)), snapshots


def shorten_plan(budget: float, seconds: float, step: int, steps: int) -> int:
    """Return how many updates to plan once `step` of `steps` have taken `seconds` of a `budget`.

    As many as planned where they fit; fewer on a machine that has become slower than the plan
    thought: learning rate and β then leap ahead on their schedules, and end them in the budget.
    """
    limit = budget + max(OVERRUN_SHARE * budget, OVERRUN_SECONDS)
    if seconds < LONG_ENOUGH * budget or seconds * steps <= limit * step:
        return steps
    return min(steps, max(step + 1, math.floor(step * budget / seconds)))


def schedule_steps(steps: int, snapshots: int = SNAPSHOTS) -> tuple[set[int], set[int]]:
    """Return the steps after which a log point and a snapshot are taken, decided by the plan alone.

    Dense at first, where much happens, then even; every snapshot is also a log point, so that a
    resumed run starts its averages where the uninterrupted one did.
    """
    kept = spread_steps(steps, snapshots)
    return spread_steps(steps, LOG_POINTS) | kept, kept


def spread_steps(steps: int, count: int) -> set[int]:
    """Return about `count` steps in 1…steps, half of them even and half geometric."""
    even = np.linspace(1, steps, max(2, count // 2))
    geometric = np.geomspace(1, steps, max(2, count // 2))
    return {int(step) for step in np.round(np.concatenate([even, geometric]))} | {steps}


def measure_rate(engine: Engine, seconds: float, choice: ThreadChoice) -> float:
    """Return updates per second, timed on a trial that is thrown away.

    Where there is a choice of threads, the faster number of them is what training begins with.
    """
    trial = engine.trial()
    counts = choice.counts
    paces = {}
    for count in counts:
        choice.use(count)
        paces[count] = _time_update(trial, seconds / len(counts))
    fastest = min(counts, key=paces.__getitem__)
    choice.use(fastest)
    return 1 / paces[fastest]


def _time_update(engine: Engine, seconds: float) -> float:
    """Return the seconds that an update takes; updates are done for about `seconds`."""
    betas = [1.0] * len(engine.configs)
    for step in range(3):
        engine.step(step, 10**9, betas)
    paces: list[float] = []
    step, began = 3, time.monotonic()
    while time.monotonic() - began < seconds or not paces:
        group = time.monotonic()
        for _ in range(GROUP):
            engine.step(step, 10**9, betas)
            step += 1
        float(engine.totals[0].objective)  # Waits for the device.
        paces.append((time.monotonic() - group) / GROUP)
    return statistics.median(paces)
