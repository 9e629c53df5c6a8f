"""Who trains a job: a warm process of this machine, or a Dask cluster that is there already.

Both are asked the same way, and wait for the answer: None says that whoever trained it was lost.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from explorer.errors import ExplorerError

Answer = dict[str, str] | None


class SchedulerLost(ExplorerError):
    """Nobody answers at the cluster's address; jobs wait until somebody does."""


class Worker(Protocol):
    """One that trains a job at a time."""

    @property
    def pid(self) -> int | None:
        """Its process on this machine, None while there is none."""
        ...

    def start(self) -> None:
        """Be ready; an OSError where no process can be had."""
        ...

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Train a job, and say how it went; None where the worker was lost meanwhile."""
        ...

    def kill(self) -> None:
        """End what it trains, at once."""
        ...

    def finish(self) -> None:
        """Take no more jobs; the one at hand ends by itself."""
        ...

    def release(self) -> None:
        """Let it go, once it has nothing more to do."""
        ...


class ProcessWorker:
    """A process of its own session that stays warm from job to job.

    It trains on `threads`; without, on all cores but one.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start a fresh process and wait until it is warm."""
        self.release()
        told = [] if self.threads is None else [str(self.threads)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "explorer.jobs.worker", *told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Hand a job over and wait for the answer."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            process.wait()
            return None
        answer: dict[str, str] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()

    def finish(self) -> None:
        """Close its input: it ends after the job at hand."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def release(self) -> None:
        """Let a process that has died, or has nothing more to do, go."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()
            process.stdout.close()


class ClusterWorker:
    """One place on the Dask cluster at `scheduler`; the run directories are on a shared disk."""

    def __init__(self, scheduler: str) -> None:
        self.scheduler = scheduler
        self._client: Any = None
        self._future: Any = None

    @property
    def pid(self) -> int | None:
        """None: it has no process here."""
        return None

    def start(self) -> None:
        """Reach the cluster; SchedulerLost where nobody answers."""
        from explorer.jobs.sweep import connect

        if self._client is None:
            try:
                self._client = connect(self.scheduler)
            except ExplorerError as error:
                raise SchedulerLost(str(error)) from error

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """Have the cluster train a job and wait for the answer."""
        from explorer.jobs.sweep import train_request

        self.start()
        self._future = None
        try:
            self._future = self._client.submit(train_request, dict(request), pure=False)
            self._future.result()
        except ExplorerError as error:
            return {"event": "failed", "message": str(error)}
        except ModuleNotFoundError as error:
            return {
                "event": "failed",
                "message": f"The worker has no {error.name}: install latent-explorer there.",
            }
        except Exception as error:
            # Dask's own: KilledWorker after three tries of its.
            if type(error).__name__ == "KilledWorker":
                return None
            if self._has_raised():
                return {"event": "failed", "message": f"{type(error).__name__}: {error}"}
            self.release()
            raise SchedulerLost(
                f"The Dask scheduler at {self.scheduler!r} was lost; jobs wait for it."
            ) from error
        return {"event": "done"}

    def _has_raised(self) -> bool:
        """Tell a job whose own code raised from one that was lost with its scheduler.

        The error does not tell: both may be an OSError or a TimeoutError.
        """
        return self._future is not None and self._future.status == "error"

    def kill(self) -> None:
        """Let the cluster forget the job."""
        if self._future is not None:
            self._future.cancel()

    def finish(self) -> None:
        """Nothing is to be done: the cluster ends what it has."""

    def release(self) -> None:
        """Leave the cluster."""
        client, self._client, self._future = self._client, None, None
        if client is not None:
            with contextlib.suppress(Exception):  # Whatever a lost scheduler leaves behind.
                client.close(timeout=1)


def _import_path() -> str:
    """Return a PYTHONPATH on which the worker finds this very package."""
    package_parent = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([package_parent, *filter(None, [os.environ.get("PYTHONPATH")])])
