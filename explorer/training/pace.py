"""How long and how often: planned updates for a budget, and the steps that are logged and kept."""

import copy
import math
import statistics
import time

import numpy as np
import torch

from explorer.training.engine import Engine

LOG_POINTS = 240
SNAPSHOTS = 48
CALIBRATION_SECONDS = 0.5
GROUP = 4
"""Updates timed together; the median over such groups is little moved by a busy moment."""
SAFETY = 0.92
"""Share of a time budget that is planned as updates; logging and snapshots take the rest."""


def plan_steps(engine: Engine) -> int:
    """Return the number of updates that the budget of the engine's config comes to.

    A time budget is turned into updates once, here, so that schedules depend on the step alone.
    """
    budget = engine.config.budget
    if budget.steps is not None:
        return budget.steps
    if budget.epochs is not None:
        return max(1, round(budget.epochs * engine.steps_per_epoch))
    assert budget.seconds is not None
    rate = measure_rate(engine, min(CALIBRATION_SECONDS, budget.seconds / 4))
    return max(1, math.floor(budget.seconds * SAFETY * rate))


def schedule_steps(steps: int) -> tuple[set[int], set[int]]:
    """Return the steps after which a log point and a snapshot are taken, decided by `steps` alone.

    Dense at first, where much happens, then even; every snapshot is also a log point, so that a
    resumed run starts its averages where the uninterrupted one did.
    """
    kept = spread_steps(steps, SNAPSHOTS)
    return spread_steps(steps, LOG_POINTS) | kept, kept


def spread_steps(steps: int, count: int) -> set[int]:
    """Return about `count` steps in 1…steps, half of them even and half geometric."""
    even = np.linspace(1, steps, max(2, count // 2))
    geometric = np.geomspace(1, steps, max(2, count // 2))
    return {int(step) for step in np.round(np.concatenate([even, geometric]))} | {steps}


def measure_rate(engine: Engine, seconds: float) -> float:
    """Return updates per second, timed on a throw-away copy of the model."""
    trial = copy.copy(engine)
    trial.model = copy.deepcopy(engine.model)
    trial.optimiser = type(engine.optimiser)(
        trial.model.parameters(), lr=1e-6, fused=engine.device.type in ("cpu", "cuda")
    )
    trial.generator = torch.Generator(engine.device).manual_seed(0)
    trial.totals = type(engine.totals)()
    for step in range(3):
        trial.step(step, 10**9, 1.0)
    paces: list[float] = []
    step, began = 3, time.monotonic()
    while time.monotonic() - began < seconds or not paces:
        group = time.monotonic()
        for _ in range(GROUP):
            trial.step(step, 10**9, 1.0)
            step += 1
        float(trial.totals.objective)  # Waits for the device.
        paces.append((time.monotonic() - group) / GROUP)
    return 1 / statistics.median(paces)
