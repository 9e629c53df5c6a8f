"""The queues of this process, one of each, whoever asks for them and however often."""

import os
import threading

from explorer.errors import ExplorerError
from explorer.jobs.queue import LocalRunner, find_abandoned
from explorer.jobs.readings import ReadingQueue
from explorer.runs.run import Run
from explorer.runs.store import RunStore

_lock = threading.Lock()
_runner: LocalRunner | None = None
_readings: ReadingQueue | None = None
_left: list[Run] = []
"""Runs of an earlier server for which the queue had no room yet."""


def get_runner() -> LocalRunner:
    """Return the process's queue, made at first use; a process has one, and so one worker.

    It is held here and in no cache, which any visitor may have cleared. Jobs that an earlier server
    left waiting are taken up as there is room; one that cannot be (its disk is full or read-only)
    stays as it is, for its "Go on" to say why.
    """
    global _runner
    with _lock:
        if _runner is None:
            _runner = LocalRunner()
            _left.extend(find_abandoned(RunStore().list()))
        while _left and _runner.has_room():
            _take_up(_runner, _left.pop(0))
        return _runner


def get_readings() -> ReadingQueue:
    """Return the process's readings of uploaded files, made at first use."""
    global _readings
    with _lock:
        if _readings is None:
            _readings = ReadingQueue()
        return _readings


def _take_up(runner: LocalRunner, run: Run) -> None:
    try:
        config = run.info.config
        if config is not None and find_abandoned([run]):
            runner.submit(config, run.path, os.environ.get("LATENT_EXPLORER_DATA"))
    except (ExplorerError, OSError):
        return
