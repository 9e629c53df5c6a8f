"""Reading somebody's pictures in a process of its own: `python -m explorer.jobs.reader`."""

import dataclasses
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.datasets.own.kept import write_description
from explorer.datasets.own.read import read_into
from explorer.datasets.own.rules import Wish
from explorer.datasets.own.shelf import Root, writable_home
from explorer.datasets.own.store import Pending
from explorer.datasets.own.workshop import Workshop
from explorer.datasets.report import ReadingStopped
from explorer.jobs.process import POLL_SECONDS, run_worker, serve

READING_SECONDS = 600.0
MEMORY_BYTES = 2 << 30
PROGRESS_SECONDS = 0.1

_one_at_a_time = threading.Lock()


def read_job(job: dict[str, Any], tell: Callable[..., None], stop: Callable[[], bool]) -> None:
    """Read the images of a job into its folder: pixels.npy and a description beside it.

    `job` holds path, folder, name and what `Wish` takes; `tell` is called with event="progress",
    done and total.
    """
    told = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done == total or time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            tell(event="progress", done=done, total=total)

    folder = Path(job["folder"])
    size = job.get("size")
    wish = Wish(
        size=tuple(size) if isinstance(size, list) else size,
        fit=job.get("fit", "crop"),
        channels=job.get("channels"),
        background=job.get("background", 0),
    )
    with open(folder / "pixels.npy", "w+b", buffering=1 << 20) as file:
        dataset = read_into(file, folder, Path(job["path"]), wish, job.get("name"), progress, stop)
        write_description(folder, dataset, time.time())


def read_in_worker(
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    fit: str = "crop",
    channels: int | None = None,
    background: int = 0,
    name: str | None = None,
    data_root: Root = None,
    seconds: float | None = READING_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Pending:
    """Read images as `read_images` does, but in a process of its own, and one job at a time.

    The result lies in the data folder's workshop until it is kept by a name or let go. The process
    is killed after `seconds`, or when it holds more than `memory_bytes` of resident memory; what
    it leaves is removed, at the latest by the next reader. `progress` (done, total) and `stop`
    are called in the caller's thread. Raises ExplorerError in one sentence, ReadingStopped once
    `stop()` is true.
    """
    wish = Wish(size, fit, channels, background)
    source = Path(path).absolute()
    while not _one_at_a_time.acquire(timeout=POLL_SECONDS):
        if stop is not None and stop():
            raise ReadingStopped("The reading was stopped.")
    try:
        workshop = Workshop(writable_home(data_root) / "work")
        try:
            job = {
                **dataclasses.asdict(wish),
                "path": str(source),
                "folder": str(workshop.folder),
                "name": name,
                "seconds": seconds,
                "memory_bytes": memory_bytes,
            }
            run_worker("explorer.jobs.reader", job, progress, stop)
            return Pending(workshop, data_root)
        except BaseException:
            workshop.close()
            raise
    finally:
        _one_at_a_time.release()


if __name__ == "__main__":
    serve(read_job)
