"""The machine that a model learns on: device, precision, threads, and how far it steps back.

Light to import: the command line sets the spin count before torch loads.
"""

import contextlib
import gc
import math
import os
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.config import Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.facts import LIKELIHOODS, NETWORKS

if TYPE_CHECKING:
    import torch

TRAINING_SPIN, SHORT_SPIN, NO_SPIN = "10000", "1000", "0"
"""How long idle OpenMP threads spin before they sleep, in rounds."""
WORKER_NICENESS, SWEEP_NICENESS = 10, 5
"""A worker trains beside the server that shows it; the processes of a sweep have no viewer."""

TRIAL = 6
"""Updates that a number of threads is judged by."""
FIRST_TRIAL, LONGEST_WAIT = 1.0, 16.0
"""Seconds until the other number of threads is tried again; doubled while nothing changes."""
SLOWDOWN = 1.5
"""Times the usual pace: an update that takes longer is a reason to try at once, or to give up."""
SWITCH = 0.02
"""Seconds that waking a thread may take; an update that takes longer still ends its trial."""
SMALLEST_BATCH = 32
GAIN = 0.95
"""The other number of threads must take less than this share of the time."""

KEPT_BLOCK = 31 * 2**20
"""Bytes; glibc's limit is a little above."""


# Before torch loads


@contextlib.contextmanager
def loading_libraries() -> Iterator[None]:
    """Look for no garbage while libraries load: all that comes lasts, and is put out of sight."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def choose_spin_count(adapts: bool) -> str:
    """Return how long idle threads spin; `adapts` tells a training that may choose its threads.

    On a quiet machine spinning makes two threads 1.5 times as fast as one; on a busy one it costs
    more than they bring, and none at all is safe. Only a training that chooses its threads as it
    goes (`ThreadChoice`) may spin for long.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load >= (os.cpu_count() or 1) / 2:
        return NO_SPIN
    if not adapts or os.cpu_count() != 2:
        return SHORT_SPIN
    flags = Path("/proc/cpuinfo")
    multiplies = flags.is_file() and re.search("avx512_bf16|amx_bf16", flags.read_text("utf-8"))
    return TRAINING_SPIN if multiplies else SHORT_SPIN


def set_spin_count(count: str) -> None:
    """Let idle threads spin for `count` rounds, unless the user has said how long.

    Read by the OpenMP runtime when torch loads.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", count)


def step_back(niceness: int) -> None:
    """Give way to other processes, where the system knows how."""
    if hasattr(os, "nice"):
        os.nice(niceness)


# Device and precision


def choose_device(name: str, precision: str = "float32") -> "torch.device":
    """Return the device for "auto" (CUDA, then MPS, then CPU) or a named one."""
    import torch

    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if has_mps and precision == "float32" else "cpu")
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not has_mps):
        raise ExplorerError(f"There is no {name} device on this machine; use --device auto or cpu.")
    return torch.device(name)


def choose_arithmetic(config: Config, device: "torch.device") -> str:
    """Return what the wide layers multiply in while they learn (see `OptimiserConfig`)."""
    from explorer.models.products import has_bfloat16

    asked, model = config.optimiser.matmul_precision, config.model
    if model.precision != "float32" or asked == "float32":
        return model.precision
    measured = _halves_well(model)
    if asked == "bfloat16" or (measured and device.type == "cpu" and has_bfloat16()):
        return "bfloat16"
    return model.precision


def _halves_well(model: ModelConfig) -> bool:
    return NETWORKS[model.network].halves_well and LIKELIHOODS[model.likelihood].halves_well


# Memory


def keep_freed_memory() -> None:
    """Let what an update frees serve the next one, instead of the system's fresh pages.

    glibc keeps blocks up to the size of the largest one that was ever freed, 32 MB at most; each
    update frees gradients and activations of a few MB, and fresh pages took a tenth of its time.
    """
    import torch

    torch.empty(KEPT_BLOCK, dtype=torch.uint8)


# Threads


def threads_agree(config: Config, arithmetic: str, device: "torch.device", batch: int) -> bool:
    """Tell whether one thread and two were found to give the same weights, to the bit.

    So it is for mlps with a Bernoulli decoder in bfloat16. Elsewhere sums are split between
    threads, and a choice by the clock would make the weights depend on it.
    """
    return (
        arithmetic == "bfloat16"
        and device.type == "cpu"
        and _halves_well(config.model)
        and batch >= SMALLEST_BATCH
    )


def leave_a_core() -> None:
    """Train on all cores but one, which is the server's."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))


def use_threads(count: int) -> None:
    """Train on so many threads: other workers have the other cores."""
    import torch

    torch.set_num_threads(count)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: results do not depend on the machine, nor workers on each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class ThreadChoice:
    """Trains on one thread or two, whichever is faster now.

    Two threads wait for each other some forty times in an update. On a quiet machine they spin
    through these waits and are 1.5 times as fast as one; where another process has the second
    core they are up to ten times slower, and the load changes while a model trains.

    `is_free` tells whether there is a choice (see `threads_agree`): else all threads are used.
    """

    def __init__(self, is_free: bool) -> None:
        import torch

        self.most = 2 if is_free and torch.get_num_threads() == 2 else 1
        self.threads = self.most
        self._times: dict[int, list[float]] = {1: [], self.most: []}
        self._wait = FIRST_TRIAL
        self._since = 0.0
        self._usual = math.inf
        self._trying = False
        self._limit = math.inf
        """Seconds after which a trial is given up."""
        self._switched = False

    @property
    def counts(self) -> list[int]:
        """The numbers of threads to choose from, the larger first."""
        return sorted(self._times, reverse=True)

    def use(self, count: int) -> None:
        """Go on with `count` threads, one of `counts`."""
        import torch

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
        is_hopeless = self._trying and seconds > self._limit + SWITCH
        if self._switched:  # The first update after a switch also wakes a thread, or waits for it.
            self._switched = False
            if not is_hopeless:
                return
        times = self._times[self.threads]
        times.append(seconds)
        del times[:-TRIAL]
        self._since += seconds
        full = len(times) == TRIAL
        if self._trying:
            if full or is_hopeless or (len(times) > 1 and sum(times) > self._limit):
                self._decide()
        elif full and (self._since >= self._wait or self._has_slowed(seconds)):
            self._trying, self._since = True, 0.0
            self._limit = SLOWDOWN * TRIAL * statistics.median(times)
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
