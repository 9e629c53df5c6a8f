"""Somebody's file in a process of its own, with limits: what crashes there is one sentence here.

The process takes one job, as JSON: its only argument, or the first line of standard input, which
then stays open as long as it is wanted (a line "stop" ends it in good order, the end of the input
at once). It answers with one JSON object per line: progress, then done or failed. Its parent,
`run_worker`, ends it when it takes too long or too much memory. Any module that calls `serve` can
be such a process; this one imports little, so that it starts at once.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from explorer.datasets.report import ReadingStopped
from explorer.errors import ExplorerError
from explorer.files import describe_bytes

POLL_SECONDS = 0.1
STOPPING_SECONDS = 5.0
"""How long a process that is asked to stop may take before it is ended."""
ORPHANED = 3

Work = Callable[[dict[str, Any], Callable[..., None], Callable[[], bool]], Any]
"""Does a job: called with it, with how to tell of progress, and with whether to stop."""


class WorkerDied(ExplorerError):
    """A reading process ended without an answer, as a library that crashes ends it."""


def serve(work: Work) -> None:
    """Do one job, and say how it went on standard output."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # Whatever a library prints must not be mistaken for an answer.
    stopped = threading.Event()
    if len(sys.argv) > 1:
        job = json.loads(sys.argv[1])
    else:
        job = json.loads(sys.stdin.readline())
        threading.Thread(target=_heed, args=(stopped, Path(job["folder"])), daemon=True).start()
    limit_resources(job.get("data_bytes", job.get("memory_bytes")), job.get("seconds"))
    try:
        found = work(job, lambda **values: _answer(answers, **values), stopped.is_set)
        _answer(answers, event="done", **({} if found is None else {"found": found}))
    except ReadingStopped as error:
        _answer(answers, event="stopped", message=str(error))
    except ExplorerError as error:
        _answer(answers, event="failed", message=str(error))
    except MemoryError:
        _answer(answers, event="failed", message=_too_large(job))
    except Exception as error:  # The parent shows one sentence, whatever it was.
        _answer(answers, event="failed", message=f"{type(error).__name__}: {error}")


def limit_resources(memory_bytes: int | None, seconds: float | None) -> None:
    """Limit this process as far as the platform can, in case that nobody watches it."""
    try:
        import resource
    except ImportError:
        return  # Windows: the parent's watch is all there is.
    limits = [(resource.RLIMIT_CORE, 0)]
    if memory_bytes:
        # On Linux this counts memory that was asked for, mapped files not among it.
        limits.append((resource.RLIMIT_DATA, memory_bytes))
    if seconds:
        limits.append((resource.RLIMIT_CPU, int(seconds) + 60))
    for kind, limit in limits:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


def _heed(stopped: threading.Event, folder: Path) -> None:
    """Stop when told to; once the parent is gone, remove what was made and end at once."""
    for line in sys.stdin:
        if line.strip() == "stop":
            stopped.set()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(ORPHANED)


def _answer(answers: IO[str], **values: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        answers.write(json.dumps(values) + "\n")


def run_worker(
    module: str,
    job: dict[str, Any],
    progress: Callable[[Any, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Any:
    """Have a job done by `module` in a process of its own, and return what it found.

    `job` holds path, folder (removed by the process should it be orphaned), seconds, memory_bytes
    of resident memory and, where more may be mapped, data_bytes; and what the module takes.
    """
    with _start(module, job) as worker:
        return _follow(worker, job, progress, stop)


@contextmanager
def _start(module: str, job: dict[str, Any]) -> Iterator["subprocess.Popen[str]"]:
    """Start a process on a job; whatever happens, it has ended afterwards."""
    package_parent = str(Path(__file__).resolve().parents[2])
    paths = [package_parent, *filter(None, [os.environ.get("PYTHONPATH")])]
    worker = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # One thread for each of numpy's libraries: their stacks count as memory, too.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )
    assert worker.stdin is not None and worker.stdout is not None
    try:
        with contextlib.suppress(OSError):
            worker.stdin.write(json.dumps(job) + "\n")
            worker.stdin.flush()
        yield worker
    finally:
        worker.kill()
        with contextlib.suppress(OSError):
            worker.stdin.close()
        worker.wait()
        worker.stdout.close()


def _follow(
    worker: "subprocess.Popen[str]",
    job: dict[str, Any],
    progress: Callable[[Any, int], None] | None,
    stop: Callable[[], bool] | None,
) -> Any:
    """Return what the job found; raise where it fails, is stopped, or goes beyond its limits."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_collect, args=(worker, lines), daemon=True).start()
    name = Path(job["path"]).name
    deadline = time.monotonic() + (job["seconds"] or float("inf"))
    stopping = False
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=POLL_SECONDS)
            if not line:
                raise WorkerDied(f"The process that read {name} ended unexpectedly.")
            answer = json.loads(line)
            if answer["event"] == "done":
                if stop is not None and stop():  # It was done before it heard of that.
                    raise ReadingStopped("The reading was stopped.")
                return answer.get("found")
            if answer["event"] == "stopped":
                raise ReadingStopped(answer["message"])
            if answer["event"] == "failed":
                raise ExplorerError(answer["message"])
            if progress is not None:
                progress(answer["done"], answer["total"])
        if (resident_bytes(worker.pid) or 0) > job["memory_bytes"]:
            raise ExplorerError(_too_large(job))
        if time.monotonic() > deadline:
            if stopping:
                raise ReadingStopped("The reading was stopped.")
            raise ExplorerError(
                f"{name} took longer than {job['seconds']:,.0f} seconds to read and was given up."
            )
        if not stopping and stop is not None and stop():
            stopping, deadline = True, time.monotonic() + STOPPING_SECONDS
            with contextlib.suppress(OSError):
                worker.stdin.write("stop\n")  # type: ignore[union-attr]
                worker.stdin.flush()  # type: ignore[union-attr]


def _collect(worker: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    """Pass on what a worker answers, and at its end an empty line."""
    assert worker.stdout is not None
    with contextlib.suppress(ValueError):  # Closed: nobody listens any more.
        for line in worker.stdout:
            lines.put(line)
    lines.put("")


def _too_large(job: dict[str, Any]) -> str:
    memory_bytes = job.get("memory_bytes")
    allowed = f" the {describe_bytes(memory_bytes)} allowed" if memory_bytes else " the memory"
    advice = job.get("advice", "choose a smaller size, or fewer")
    return f"Reading {job.get('what', 'these pictures')} takes more than{allowed}: {advice}."


def resident_bytes(pid: int) -> int | None:
    """Return how much memory a process holds, None where the platform does not tell.

    On Linux pages of mapped files do not count: the system can have them back at any time.
    """
    try:
        resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1:3]
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    if os.name == "nt" or sys.platform == "linux":
        return None
    ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
    return int(ps.stdout) * 1024 if ps.stdout.strip().isdigit() else None
