"""Training somewhere else: a warm worker process behind a bounded, visible queue.

`LocalRunner.submit` has the shape of `concurrent.futures`: it returns a `Future` of the run (of the
`Sweep` for a family). What happens in between is read from the run directory, by anyone.
"""

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.jobs.turns import order_fairly
from explorer.jobs.workers import Answer, ProcessWorker, SchedulerLost, Worker
from explorer.runs.control import Control
from explorer.runs.folder import find_unfinished
from explorer.runs.info import HEARTBEAT_TIMEOUT_SECONDS, LIVE_STATES, DatasetInfo, Status
from explorer.runs.run import Run
from explorer.runs.sweeps import is_family_member, prepare_sweep, read_sweep
from explorer.runs.writer import RunWriter, mark_run

QUEUE_LIMIT = 8
BEAT_SECONDS = HEARTBEAT_TIMEOUT_SECONDS / 3
GRACE_SECONDS = 30.0
"""After its longest time a job is asked to stop; after so long again it is ended."""
RETRY_SECONDS = 5.0
"""So often a lost scheduler is looked for."""
USUAL_SECONDS = 60.0
"""What a job without a budget in seconds is taken to last, for who waits behind it."""


@dataclass(eq=False)
class Job:
    """One requested training, of a run or a family: waiting, or the one the worker has."""

    config: Config
    directory: Path
    data_root: str | None = None
    future: "Future[Any]" = field(default_factory=Future)
    family: Mapping[str, Config] | None = None
    """The members' configs by name; `config` is the first of them."""
    owner: str = ""
    """Whose it is: owners have turns."""
    longest: float | None = None
    """Seconds after which it is stopped, in good order where it heeds."""
    begun: float = 0.0
    """When its training began, on the monotonic clock; 0 while it waits."""

    def expected_seconds(self) -> float:
        """Return how long it will still take, as far as its budget tells."""
        whole = self.config.budget.seconds or self.longest or USUAL_SECONDS
        return max(0.0, whole - (time.monotonic() - self.begun if self.begun else 0.0))

    def mark(self, state: str, message: str = "", worker: int | None = None) -> None:
        """Set the state of its run, or of every member.

        A run that has ended, or that a living process other than `worker` trains, keeps its own:
        another server on the same folder may have taken it up.
        """
        for path in self.paths():
            status = Run(path).info.status
            waits = status.state == "queued" or not status.is_alive()
            if status.state in LIVE_STATES and (waits or _is_of(status, worker)):
                mark_run(path, state, message)

    def is_queued(self) -> bool:
        """Tell whether none of its runs has begun."""
        return all(Run(path).info.status.state == "queued" for path in self.paths())

    def paths(self) -> list[Path]:
        """Return its run directories."""
        return [self.directory / name for name in self.family or ()] or [self.directory]


class LocalRunner:
    """Runs jobs one after the other in a worker process of its own session, or in several.

    Owners have turns; of one owner's jobs the first that came is the first to go. The first worker
    starts at once and stays warm; if it dies, its run is marked as failed and the next
    job gets a fresh one. A job whose folder is deleted ends, and leaves nothing there. Waiting runs
    get a sign of life now and then, so that they can be told from those of a server that is gone.
    Closing the runner lets the job at hand end by itself.
    """

    def __init__(
        self,
        limit: int = QUEUE_LIMIT,
        workers: int = 1,
        attempts: int = 1,
        hire: Callable[[], Worker] = ProcessWorker,
    ) -> None:
        self.limit = limit
        self.attempts = attempts
        self.trouble = ""
        """Why nothing is trained at the moment, "" while there is no such reason."""
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self._served: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._hire = hire
        self._workers: list[Worker] = []
        for task in (*[self._serve] * workers, self._beat):
            threading.Thread(target=task, name=f"jobs{task.__name__}", daemon=True).start()

    def submit(
        self,
        config: Config,
        directory: str | os.PathLike[str],
        data_root: str | None = None,
        images: DatasetInfo | None = None,
        **terms: Any,
    ) -> "Future[Any]":
        """Queue a training; its run directory exists, as "queued", when this returns.

        `terms` are a Job's owner and longest time.
        `images` are those that a new run is made from; without them the config names a data set. It
        is the run that names them to whoever trains it: a job is found by its folder alone, by the
        worker, by the next server, and when it goes on.
        """
        path = Path(directory)
        if is_family_member(path):
            return self.submit_family(
                read_sweep(path.parent).configs, path.parent, data_root, images, **terms
            )
        with self._changed:
            self._check_room(path)
            if find_unfinished(path, config) is None:
                RunWriter(path, config=config, model_kind="config", dataset=images)
            else:
                mark_run(path, "queued")
                Control(path).clear()
            return self._enqueue(Job(config, path, data_root, **terms))

    def submit_family(
        self,
        configs: Mapping[str, Config],
        directory: str | os.PathLike[str],
        data_root: str | None = None,
        images: DatasetInfo | None = None,
        **terms: Any,
    ) -> "Future[Any]":
        """Queue models to be trained together; all their run directories exist on return."""
        from explorer.training.family import check_family

        check_family(configs)
        path = Path(directory)
        with self._changed:
            self._check_room(path)
            sweep = prepare_sweep(path, "family", configs)
            begun = sweep.runs()
            states = [run.info.status for run in begun.values()]
            if any(status.state != "queued" and status.is_alive() for status in states):
                raise ExplorerError(f"{path} is being trained right now.")
            for name, config in configs.items():
                if name in begun:
                    mark_run(path / name, "queued")
                else:
                    RunWriter(path / name, config=config, model_kind="config", dataset=images)
                Control(path / name).clear()
            Control(path).clear()
            config = next(iter(configs.values()))
            return self._enqueue(Job(config, path, data_root, family=dict(configs), **terms))

    def has_room(self) -> bool:
        """Tell whether another job may wait."""
        return not self._closed and len(self._waiting) < self.limit

    def _check_room(self, path: Path) -> None:
        if self._closed:
            raise ExplorerError("The job queue is closed.")
        if not self.has_room():
            raise ExplorerError(
                f"{self.limit} jobs are waiting already; stop one or let one finish first."
            )
        if any(job.directory == path for job in [*self._waiting, *self._active]):
            raise ExplorerError(f"{path} is in the queue already.")

    def _enqueue(self, job: Job) -> "Future[Any]":
        self._waiting.append(job)
        self._changed.notify_all()
        return job.future

    def jobs(self) -> list[Job]:
        """Return the jobs being trained, then the waiting ones in the order of their turns."""
        with self._changed:
            return [*self._active, *order_fairly(self._waiting, self._served)]

    def expect(self, path: Path) -> tuple[int, float]:
        """Return how many jobs come before the one that trains `path`, and in how many seconds."""
        jobs = self.jobs()
        places = [job.directory in (path, path.parent) for job in jobs]
        before = jobs[: places.index(True)] if any(places) else []
        seconds = sum(job.expected_seconds() for job in before) / max(1, len(self._workers))
        return len(before), seconds

    def count(self) -> tuple[int, int]:
        """Return how many jobs are trained, and how many wait."""
        with self._changed:
            return len(self._active), len(self._waiting)

    def stop(self, directory: str | os.PathLike[str]) -> None:
        """Stop a job: take it from the queue, or ask the worker to end it."""
        path = Path(directory)
        with self._changed:
            for job in list(self._waiting):
                if path in (job.directory, *job.paths()):
                    self._waiting.remove(job)
                    job.future.cancel()
                    with contextlib.suppress(ExplorerError):  # Its folder may have been removed.
                        job.mark("stopped", "Taken from the queue.")
                    return
        Control(path).send("stop")

    def close(self) -> None:
        """Take no more jobs; the worker ends after the job at hand, waiting ones stay queued."""
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.future.cancel()
            self._waiting.clear()
            self._changed.notify_all()
            workers = list(self._workers)
        for worker in workers:
            worker.finish()

    @property
    def worker_pid(self) -> int | None:
        """The first worker's process id, None while there is none."""
        return self._workers[0].pid if self._workers else None

    def _serve(self) -> None:
        worker = self._hire()
        with self._changed:
            self._workers.append(worker)
            is_first = len(self._workers) == 1
        if is_first:
            with contextlib.suppress(OSError, ExplorerError):  # Tried again with the first job.
                worker.start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    break
                job = self._take_next()
            try:
                if job.future.running() or job.future.set_running_or_notify_cancel():
                    job.begun = time.monotonic()
                    self._train(job, worker)
            except SchedulerLost as error:
                self._put_back(job, str(error))
                continue
            except Exception as error:  # The queue must outlive any one job.
                job.future.set_exception(error)
            finally:
                with self._changed:
                    if job in self._active:
                        self._active.remove(job)
            self.trouble = ""
        worker.release()

    def _take_next(self) -> Job:
        job = order_fairly(self._waiting, self._served)[0]
        self._waiting.remove(job)
        self._active.append(job)
        self._served[job.owner] = 1 + max(self._served.values(), default=0)
        return job

    def _put_back(self, job: Job, reason: str) -> None:
        """Have a job wait, first of all, until the cluster is there again."""
        with self._changed:
            self.trouble = reason
            if self._closed:
                return
            with contextlib.suppress(ExplorerError):
                job.mark("queued")
            job.begun = 0.0
            self._active.remove(job)
            self._waiting.appendleft(job)
            self._served.pop(job.owner, None)
            self._changed.wait_for(lambda: self._closed, RETRY_SECONDS)

    def _beat(self) -> None:
        with self._changed:
            while not self._changed.wait_for(lambda: self._closed, BEAT_SECONDS):
                for job in self._waiting:
                    with contextlib.suppress(ExplorerError):
                        job.mark("queued")

    def _train(self, job: Job, worker: Worker) -> None:
        request = {
            "config": job.config.to_dict(),
            "directory": str(job.directory),
            "data_root": job.data_root,
            "family": {name: config.to_dict() for name, config in (job.family or {}).items()},
        }
        with self._limited(job, worker):
            answer = self._ask(job, worker, request)
        if answer is None:
            message = "The training process ended unexpectedly."
            if worker.pid is None:
                with contextlib.suppress(ExplorerError):
                    job.mark("failed", message)
            job.future.set_exception(ExplorerError(message))
        elif answer["event"] == "failed":
            with contextlib.suppress(ExplorerError):
                job.mark("failed", answer["message"], worker.pid)
            job.future.set_exception(ExplorerError(answer["message"]))
        else:
            job.future.set_result(read_sweep(job.directory) if job.family else Run(job.directory))

    def _ask(self, job: Job, worker: Worker, request: Mapping[str, Any]) -> Answer:
        """Have a job trained, and begun anew by a fresh worker where one dies."""
        begun = 0
        while True:
            # A worker that died while idle is noticed here at the latest: the job, which has not
            # begun then, goes to a fresh one.
            answer = None
            for _ in range(2):
                # ValueError: the worker's input was closed by `close`.
                with contextlib.suppress(OSError, ValueError):
                    if worker.pid is None:
                        worker.start()
                    answer = worker.ask(request)
                if answer is not None or self._closed or not job.is_queued():
                    break
            begun += 1
            if answer is not None or self._closed or begun >= self.attempts:
                return answer
            with contextlib.suppress(ExplorerError):
                job.mark("queued")

    @contextlib.contextmanager
    def _limited(self, job: Job, worker: Worker) -> Iterator[None]:
        """Stop a job that takes longer than it may; end it where it does not heed."""
        if job.longest is None:
            yield
            return

        def stop() -> None:
            with contextlib.suppress(ExplorerError):
                Control(job.directory).send("stop")

        timers = [
            threading.Timer(job.longest + GRACE_SECONDS, stop),
            threading.Timer(job.longest + 2 * GRACE_SECONDS, worker.kill),
        ]
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()


def find_abandoned(runs: list[Run]) -> list[Run]:
    """Return the queued runs whose server is gone, oldest first: they can be submitted again.

    A family is stood for by one of its members.
    """
    found: dict[Path, Run] = {}
    for run in reversed(runs):
        try:
            info = run.info
        except ExplorerError:  # Removed, or broken, between two looks.
            continue
        if info.status.state == "queued" and not info.status.is_alive() and info.config:
            found.setdefault(run.path.parent if is_family_member(run.path) else run.path, run)
    return list(found.values())


def _is_of(status: Status, pid: int | None) -> bool:
    return status.pid == pid and status.host == socket.gethostname()


__all__ = ["CancelledError", "Job", "LocalRunner", "find_abandoned"]
