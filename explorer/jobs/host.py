"""The queues of this process, one of each, whoever asks for them and however often."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.jobs.queue import LocalRunner, find_abandoned
from explorer.jobs.readings import ReadingQueue
from explorer.runs.run import Run
from explorer.runs.store import RunStore

_lock = threading.Lock()
_runner: LocalRunner | None = None
_readings: dict[str | None, ReadingQueue] = {}
"""By the data folder to which the images go."""
_left: list[tuple[Run, str | None, dict[str, Any]]] = []
"""Runs of an earlier server for which the queue had no room yet, with their data folder and terms.
"""
_make: Callable[[], LocalRunner] | None = None
"""How the queue is made, where that was said."""
_looked: set[Path] = set()
"""Folders in which such runs were looked for."""


def make_runners(make: Callable[[], LocalRunner]) -> None:
    """Have the process's queue made in another way; before anybody asks for it."""
    global _make
    _make = make


def get_runner(
    folder: Path | None = None, data_root: str | None = None, **terms: Any
) -> LocalRunner:
    """Return the process's queue, made at first use; a process has one.

    It is held here and in no cache, which any visitor may have cleared. Jobs that an earlier server
    left waiting in `folder`, by default that of `explorer.runs_folder()`, are taken up as there is
    room, with the images below `data_root`, on a Job's `terms`; one that cannot be (its disk is
    full or read-only) stays as it is, for its "Go on" to say why.
    """
    global _runner
    with _lock:
        if _runner is None:
            _runner = LocalRunner() if _make is None else _make()
        store = RunStore(folder)
        if store.folder not in _looked:
            _looked.add(store.folder)
            _left.extend((run, data_root, terms) for run in find_abandoned(store.list()))
        while _left and _runner.has_room():
            _take_up(_runner, *_left.pop(0))
        return _runner


def peek_runner() -> LocalRunner | None:
    """Return the process's queue, None where nobody has asked for it yet."""
    return _runner


def get_readings(data_root: str | None = None) -> ReadingQueue:
    """Return the process's readings of uploaded files for a data folder, made at first use."""
    with _lock:
        if data_root not in _readings:
            _readings[data_root] = ReadingQueue(data_root)
        return _readings[data_root]


def _take_up(runner: LocalRunner, run: Run, data_root: str | None, terms: dict[str, Any]) -> None:
    try:
        config = run.info.config
        if config is not None and find_abandoned([run]):
            runner.submit(config, run.path, data_root, **terms)
    except (ExplorerError, OSError):
        return
