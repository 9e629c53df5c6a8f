"""How many updates a budget comes to, which of them are kept, and on how many threads they run."""

import copy
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from explorer.config import LIKELIHOODS
from explorer.training.engine import Engine

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
TRIAL = 6
"""Updates that a number of threads is judged by."""
FIRST_TRIAL, LONGEST_WAIT = 1.0, 16.0
"""Seconds until the other number of threads is tried again; doubled while nothing changes."""
SLOWDOWN = 1.5
"""Times the usual pace: an update that takes longer is a reason to try at once, or to give up."""
SMALLEST_BATCH = 32
GAIN = 0.95
"""The other number of threads must take less than this share of the time."""


def plan_steps(
    engine: Engine, choice: "ThreadChoice", time_snapshot: Callable[[], float]
) -> tuple[int, int]:
    """Return the number of updates that the budget of the engine's config comes to, and snapshots.

    A time budget is turned into updates once, here, so that schedules depend on the step alone.
    `time_snapshot` returns the seconds that one takes: a short film has fewer of them, lest they
    take longer than the training.
    """
    budget = engine.config.budget
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


def measure_rate(engine: Engine, seconds: float, choice: "ThreadChoice") -> float:
    """Return updates per second, timed on a throw-away copy of the model.

    Where there is a choice of threads, the faster number of them is what training begins with.
    """
    trial = copy.copy(engine)
    trial.model = copy.deepcopy(engine.model)
    trial.optimiser = type(engine.optimiser)(
        trial.model.parameters(), lr=1e-6, fused=engine.device.type in ("cpu", "cuda")
    )
    trial.generator = torch.Generator(engine.device).manual_seed(0)
    trial.totals = type(engine.totals)()
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
    for step in range(3):
        engine.step(step, 10**9, 1.0)
    paces: list[float] = []
    step, began = 3, time.monotonic()
    while time.monotonic() - began < seconds or not paces:
        group = time.monotonic()
        for _ in range(GROUP):
            engine.step(step, 10**9, 1.0)
            step += 1
        float(engine.totals.objective)  # Waits for the device.
        paces.append((time.monotonic() - group) / GROUP)
    return statistics.median(paces)


class ThreadChoice:
    """Trains on one thread or two, whichever is faster now.

    Two threads wait for each other some forty times in an update. On a quiet machine they spin
    through these waits and are 1.5 times as fast as one; where another process has the second
    core they are up to ten times slower, and the load changes while a model trains.

    The choice is made between one and two, for mlps with a Bernoulli decoder in bfloat16, where the
    weights were found to come out the same to the bit. Elsewhere sums are split between threads,
    a choice by the clock would make the weights depend on it, and all threads are used.
    """

    def __init__(self, engine: Engine) -> None:
        model = engine.config.model
        same = (
            engine.arithmetic == "bfloat16"
            and engine.device.type == "cpu"
            and model.network == "mlp"
            and LIKELIHOODS[model.likelihood].halves_well
            and engine.batch_size >= SMALLEST_BATCH
        )
        self.most = 2 if same and torch.get_num_threads() == 2 else 1
        self.threads = self.most
        self._times: dict[int, list[float]] = {1: [], self.most: []}
        self._wait = FIRST_TRIAL
        self._since = 0.0
        self._usual = math.inf
        self._trying = False
        self._switched = False

    @property
    def counts(self) -> list[int]:
        """The numbers of threads to choose from, the larger first."""
        return sorted(self._times, reverse=True)

    def use(self, count: int) -> None:
        """Go on with `count` threads, one of `counts`."""
        if self.most > 1 and count != torch.get_num_threads():
            torch.set_num_threads(count)
        self.threads = count

    def restore(self) -> None:
        """Give the caller its number of threads back."""
        self.use(self.most)

    def note(self, seconds: float) -> None:
        """Take note of how long an update took, and choose the threads of the next one."""
        if self.most == 1:
            return
        if self._switched:  # The first update after a switch also wakes a thread, or waits for it.
            self._switched = False
            return
        times = self._times[self.threads]
        times.append(seconds)
        del times[:-TRIAL]
        self._since += seconds
        full = len(times) == TRIAL
        if self._trying:
            limit = SLOWDOWN * TRIAL * statistics.median(self._times[self._other()])
            if full or (len(times) > 1 and sum(times) > limit):
                self._decide()
        elif full and (self._since >= self._wait or self._has_slowed(seconds)):
            self._trying, self._since = True, 0.0
            self._switch()

    def _has_slowed(self, seconds: float) -> bool:
        """Tell whether updates take longer than usual; one that does not saves the median."""
        limit = SLOWDOWN * self._usual
        return seconds > limit and statistics.median(self._times[self.threads]) > limit

    def _decide(self) -> None:
        """End a trial: stay with what was tried, or go back and wait longer for the next one."""
        tried, other = (
            statistics.median(self._times[count]) for count in (self.threads, self._other())
        )
        if tried < GAIN * other:
            self._wait = FIRST_TRIAL
        else:
            self._switch()
            self._wait = min(2 * self._wait, LONGEST_WAIT)
        self._usual = min(tried, other)
        self._trying, self._since = False, 0.0

    def _other(self) -> int:
        return 1 if self.threads == self.most else self.most

    def _switch(self) -> None:
        self.use(self._other())
        self._times[self.threads].clear()
        self._switched = True
