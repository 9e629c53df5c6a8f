"""Training somewhere else: a warm worker process behind a bounded, visible queue.

`LocalRunner.submit` has the shape of `concurrent.futures`: it returns a `Future` of the run (of the
`Sweep` for a family). What happens in between is read from the run directory, by anyone.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs.control import Control
from explorer.runs.folder import find_unfinished
from explorer.runs.info import HEARTBEAT_TIMEOUT_SECONDS, LIVE_STATES, DatasetInfo, Status
from explorer.runs.run import Run
from explorer.runs.sweeps import is_family_member, prepare_sweep, read_sweep
from explorer.runs.writer import RunWriter, mark_run

QUEUE_LIMIT = 8
BEAT_SECONDS = HEARTBEAT_TIMEOUT_SECONDS / 3


@dataclass(eq=False)
class Job:
    """One requested training, of a run or a family: waiting, or the one the worker has."""

    config: Config
    directory: Path
    data_root: str | None = None
    future: "Future[Any]" = field(default_factory=Future)
    family: Mapping[str, Config] | None = None
    """The members' configs by name; `config` is the first of them."""

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
    """Runs jobs one after the other in a worker process of its own session.

    The worker starts at once and stays warm; if it dies, its run is marked as failed and the next
    job gets a fresh one. A job whose folder is deleted ends, and leaves nothing there. Waiting runs
    get a sign of life now and then, so that they can be told from those of a server that is gone.
    Closing the runner lets the job at hand end by itself.
    """

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self.limit = limit
        self._waiting: deque[Job] = deque()
        self._active: Job | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._worker: subprocess.Popen[str] | None = None
        for task in (self._serve, self._beat):
            threading.Thread(target=task, name=f"jobs{task.__name__}", daemon=True).start()

    def submit(
        self,
        config: Config,
        directory: str | os.PathLike[str],
        data_root: str | None = None,
        images: DatasetInfo | None = None,
    ) -> "Future[Any]":
        """Queue a training; its run directory exists, as "queued", when this returns.

        `images` are those that a new run is made from; without them the config names a data set. It
        is the run that names them to whoever trains it: a job is found by its folder alone, by the
        worker, by the next server, and when it goes on.
        """
        path = Path(directory)
        if is_family_member(path):
            return self.submit_family(
                read_sweep(path.parent).configs, path.parent, data_root, images
            )
        with self._changed:
            self._check_room(path)
            if find_unfinished(path, config) is None:
                RunWriter(path, config=config, model_kind="config", dataset=images)
            else:
                mark_run(path, "queued")
                Control(path).clear()
            return self._enqueue(Job(config, path, data_root))

    def submit_family(
        self,
        configs: Mapping[str, Config],
        directory: str | os.PathLike[str],
        data_root: str | None = None,
        images: DatasetInfo | None = None,
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
            return self._enqueue(Job(config, path, data_root, family=dict(configs)))

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
        if any(job.directory == path for job in [*self._waiting, self._active] if job):
            raise ExplorerError(f"{path} is in the queue already.")

    def _enqueue(self, job: Job) -> "Future[Any]":
        self._waiting.append(job)
        self._changed.notify_all()
        return job.future

    def jobs(self) -> list[Job]:
        """Return the job being trained, if any, then the waiting ones in order."""
        with self._changed:
            return ([self._active] if self._active else []) + list(self._waiting)

    def count(self) -> tuple[int, int]:
        """Return how many jobs are trained, and how many wait."""
        with self._changed:
            return int(self._active is not None), len(self._waiting)

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
        worker = self._worker
        if worker is not None and worker.stdin is not None:
            with contextlib.suppress(OSError):
                worker.stdin.close()

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        worker = self._worker
        return worker.pid if worker is not None and worker.poll() is None else None

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # Tried again, and told, with the first job.
            self._start_worker()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    break
                job = self._active = self._waiting.popleft()
            try:
                if job.future.set_running_or_notify_cancel():
                    self._train(job)
            except Exception as error:  # The queue must outlive any one job.
                job.future.set_exception(error)
            finally:
                with self._changed:
                    self._active = None
        self._release_worker()

    def _beat(self) -> None:
        with self._changed:
            while not self._changed.wait_for(lambda: self._closed, BEAT_SECONDS):
                for job in self._waiting:
                    with contextlib.suppress(ExplorerError):
                        job.mark("queued")

    def _train(self, job: Job) -> None:
        request = {
            "config": job.config.to_dict(),
            "directory": str(job.directory),
            "data_root": job.data_root,
            "family": {name: config.to_dict() for name, config in (job.family or {}).items()},
        }
        # A worker that died while idle is noticed here at the latest: the job, which has not
        # begun then, goes to a fresh one.
        for _ in range(2):
            answer = None
            # ValueError: the worker's input was closed by `close`.
            with contextlib.suppress(OSError, ValueError):
                if self.worker_pid is None:
                    self._start_worker()
                answer = self._ask(request)
            if answer is not None or self._closed or not job.is_queued():
                break
        if answer is None:
            message = "The training process ended unexpectedly."
            if self.worker_pid is None:
                with contextlib.suppress(ExplorerError):
                    job.mark("failed", message)
            job.future.set_exception(ExplorerError(message))
        elif answer["event"] == "failed":
            with contextlib.suppress(ExplorerError):
                job.mark("failed", answer["message"], self.worker_pid)
            job.future.set_exception(ExplorerError(answer["message"]))
        else:
            job.future.set_result(read_sweep(job.directory) if job.family else Run(job.directory))

    def _ask(self, request: Mapping[str, Any]) -> dict[str, str] | None:
        worker = self._worker
        assert worker is not None and worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
        if not line:
            worker.wait()
            return None
        answer: dict[str, str] = json.loads(line)
        return answer

    def _start_worker(self) -> None:
        self._release_worker()
        environment = {**os.environ, "PYTHONPATH": _import_path()}
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "explorer.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        assert self._worker.stdout is not None
        self._worker.stdout.readline()

    def _release_worker(self) -> None:
        """Let a worker that has died, or has nothing more to do, go."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.stdin is not None and worker.stdout is not None:
            with contextlib.suppress(OSError):
                worker.stdin.close()
            worker.wait()
            worker.stdout.close()


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


def _import_path() -> str:
    """Return a PYTHONPATH on which the worker finds this very package."""
    package_parent = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([package_parent, *filter(None, [os.environ.get("PYTHONPATH")])])


__all__ = ["CancelledError", "Job", "LocalRunner", "find_abandoned"]
