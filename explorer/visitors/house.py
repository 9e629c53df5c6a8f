"""All visitors of a server: who comes in, whose Library it is, what all see, who has gone.

RUNS/                       the lecturer's own runs
RUNS/.visitors/key          signs the passes
RUNS/.visitors/of/ID/       one visitor: runs/, data/, seen (when last)
RUNS/.visitors/shared/      copies of runs that all see
RUNS/.visitors/extended     by whom more may be had, and how many times as much
"""

import contextlib
import dataclasses
import hmac
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, read_json, replace_json
from explorer.jobs.host import make_runners
from explorer.library import Library
from explorer.paths import runs_folder
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.visitors.library import VisitorLibrary, measure_bytes
from explorer.visitors.limits import Limits
from explorer.visitors.mode import Mode, read_mode
from explorer.visitors.passes import LECTURER, Passes, Visitor, load_key

if TYPE_CHECKING:
    from explorer.jobs.queue import LocalRunner

SEEN_SECONDS = 60.0
"""A visit is noted again after so long."""
SWEEP_SECONDS = 600.0
EXTENDED = ("runs", "megabytes", "waiting", "seconds")
"""The limits that the lecturer may multiply for a visitor."""
MOST_TIMES = 64
LONGEST = 8000
"""Characters of an address."""
ATTEMPTS = 3
"""How often a training is begun whose worker died."""


@dataclass(frozen=True)
class Present:
    """What the lecturer is told of a visitor: nothing of what is in their runs."""

    id: str
    runs: int
    jobs: int
    """That wait or train."""
    seen: float
    """Unix seconds."""
    times: int
    """How many times the limits they have."""


@dataclass(frozen=True)
class Scene:
    """What the lecturer has all look at."""

    number: int = 0
    """Of the showing; 0 before the first."""
    address: str = ""
    """Path and query of a page here."""


class House:
    """The visitors of the server that keeps its runs in `folder`."""

    def __init__(self, mode: Mode, folder: Path | None = None) -> None:
        self.mode = mode
        self.folder = (folder or runs_folder()).absolute()
        self.home = self.folder / ".visitors"
        self.passes = Passes(load_key(self.home), mode.code, mode.lecturer)
        self.shared = RunStore(self.home / "shared", read_only=True)
        self.refused = 0
        """Requests and wishes that were not met since the server began."""
        self._counting = threading.Lock()
        self._lock = threading.Lock()
        self._swept = 0.0

    def make_runner(self) -> "LocalRunner":
        """Return the queue of this server: so many workers here, or places on a cluster."""
        from explorer.jobs.queue import LocalRunner
        from explorer.jobs.workers import ClusterWorker, ProcessWorker, Worker

        mode = self.mode
        address = mode.scheduler
        hire: Callable[[], Worker] = partial(ProcessWorker, None if mode.workers == 1 else 1)
        if address is not None:
            hire = partial(ClusterWorker, address)
        return LocalRunner(int(mode.limits.all_waiting), mode.workers, ATTEMPTS, hire)

    def take_up(self) -> None:
        """Queue again what visitors of an earlier server had waiting."""
        for home in self._homes():
            with contextlib.suppress(ExplorerError):
                self._open(home.name).queue  # noqa: B018

    # Coming in

    def come_in(self, said: str) -> Visitor | None:
        """Return a new visitor, or the lecturer, by the code that was said; None for another."""
        mode = self.mode
        if mode.lecturer and hmac.compare_digest(said.encode(), mode.lecturer.encode()):
            return Visitor(LECTURER, LECTURER)
        if hmac.compare_digest(said.encode(), mode.code.encode()):
            return self.passes.new_visitor()
        return None

    def library(self, visitor: Visitor) -> Library:
        """Return a visitor's Library; the lecturer's holds the runs that the server began with.

        Raises ExplorerError for a new visitor where no more are taken.
        """
        self.sweep()
        if visitor.is_lecturer:
            lecturers = Library(self.folder)
            lecturers.others = (self.shared, lecturers.shipped)
            return lecturers
        self._note(self._home_of(visitor.id))
        return self._open(visitor.id)

    def limits_of(self, visitor_id: str) -> Limits:
        """Return a visitor's limits, as far as the lecturer extended them."""
        times = self._extended().get(visitor_id, 1)
        limits = self.mode.limits
        more = {name: getattr(limits, name) * times for name in EXTENDED}
        return dataclasses.replace(limits, **more)

    def home_of(self, visitor: Visitor) -> Path:
        """Return the folder of all that a visitor has."""
        return self._home_of(visitor.id)

    def count(self, since: float = 0.0) -> int:
        """Return how many visitors are kept, or were here since a time in Unix seconds."""
        return sum(1 for home in self._homes() if _last_seen(home) >= since)

    # Leading

    def present(self) -> list[Present]:
        """Return who has been here, the latest first."""
        jobs = _list_jobs()
        extended, found = self._extended(), []
        for home in self._homes():
            runs = sum(1 for _ in (home / "runs").glob("*/run.json"))
            own = sum(1 for directory in jobs if directory.is_relative_to(home))
            times = extended.get(home.name, 1)
            found.append(Present(home.name, runs, own, _last_seen(home), times))
        return sorted(found, key=lambda present: -present.seen)

    def stop_jobs(self, visitor_id: str) -> None:
        """Stop what a visitor has waiting and in training."""
        from explorer.jobs.host import peek_runner

        runner, home = peek_runner(), self._home_of(visitor_id)
        for directory in _list_jobs():
            if runner is not None and directory.is_relative_to(home):
                runner.stop(directory)

    def extend(self, visitor_id: str) -> None:
        """Give a visitor twice as much as they have."""
        with self._lock:
            extended = self._extended()
            extended[visitor_id] = min(MOST_TIMES, 2 * extended.get(visitor_id, 1))
            replace_json(self.home / "extended", extended)

    def share(self, run: Run) -> Run:
        """Have all see a run as it is now: a copy, which nobody changes.

        Raises ExplorerError for one that is still being trained, and where it cannot be written.
        """
        if run.is_trained():
            raise ExplorerError(f"{run.name} is being trained: share it once it has ended.")
        name = run.id.replace("/", "-")[:80]
        target = self.shared.folder / name
        made = self.home / f".sharing-{os.getpid()}-{time.monotonic_ns()}"
        try:
            make_folder(target.parent)
            shutil.copytree(run.path, made, ignore=shutil.ignore_patterns(".*", "control.json"))
            with self._lock:
                shutil.rmtree(target, ignore_errors=True)
                os.rename(made, target)
        except (OSError, shutil.Error) as error:
            shutil.rmtree(made, ignore_errors=True)
            if isinstance(error, OSError) and error.errno is not None:
                raise explain_os_error(error, target) from error
            raise ExplorerError(f"{run.name} could not be copied.") from error
        return Run(target, name)

    def withdraw(self, run_id: str) -> None:
        """Have nobody see a shared run any more."""
        shutil.rmtree(self.shared.open(run_id).path, ignore_errors=True)

    def show(self, address: str) -> None:
        """Have all who follow look at a page, by its path and query.

        A run of the lecturer's own that is named there is shared first, as it is.
        """
        split = urlsplit(address)
        if split.netloc or split.scheme or not split.path.startswith("/") or len(address) > LONGEST:
            raise ExplorerError("Only pages of this server can be shown to all.")
        lecturers, asked = RunStore(self.folder), dict(parse_qsl(split.query))
        for name in ("model", "run"):
            if lecturers.has(asked.get(name, "")):
                asked[name] = self.share(lecturers.open(asked[name])).id
        asked.pop("present", None)  # The projector is the lecturer's.
        shown = urlunsplit(("", "", split.path, urlencode(asked, safe=",;"), ""))
        with self._lock:
            number = self.scene().number + 1
            replace_json(self.home / "scene", {"number": number, "address": shown})

    def scene(self) -> Scene:
        """Return what all are to look at."""
        path = self.home / "scene"
        return Scene(**read_json(path)) if path.is_file() else Scene()

    # Going

    def sweep(self, now: float | None = None) -> list[str]:
        """Remove what visitors left who were not here for `days`; return their ids.

        Somebody whose training waits or runs is here. It looks every ten minutes at most.
        """
        moment = time.time() if now is None else now
        with self._lock:
            if now is None and moment - self._swept < SWEEP_SECONDS:
                return []
            self._swept = moment
        gone = []
        oldest = moment - self.mode.limits.days * 86400
        for home in self._homes():
            if _last_seen(home) < oldest:
                if not any(directory.is_relative_to(home) for directory in _list_jobs()):
                    shutil.rmtree(home, ignore_errors=True)
                    gone.append(home.name)
        return gone

    def _open(self, visitor_id: str) -> VisitorLibrary:
        limits = self.limits_of(visitor_id)
        home = self._home_of(visitor_id)
        return VisitorLibrary(home, self.shared, self.mode, limits, visitor_id, self.count_refusal)

    def count_refusal(self) -> None:
        """Note that a request or a wish was not met."""
        with self._counting:
            self.refused += 1

    def _homes(self) -> list[Path]:
        return sorted(path.parent for path in (self.home / "of").glob("*/seen"))

    def _home_of(self, visitor_id: str) -> Path:
        home = self.home / "of" / visitor_id
        if home.parent != self.home / "of" or not visitor_id.isalnum():
            raise ExplorerError("There is no such visitor.")
        return home

    def _note(self, home: Path) -> None:
        """Note that a visitor is here; a new one is let in as long as there is room."""
        limits = self.mode.limits
        try:
            if time.time() - _last_seen(home) < SEEN_SECONDS:
                return
            if not (home / "seen").is_file():
                with self._lock:
                    if len(self._homes()) >= limits.visitors:
                        self.count_refusal()
                        raise ExplorerError(
                            f"{limits.visitors:.0f} visitors are here already: come again later."
                        )
                    if measure_bytes(self.home / "of") > limits.all_megabytes * 1e6:
                        self.count_refusal()
                        raise ExplorerError("This server's disk is full: come again later.")
                    make_folder(home / "runs")
                    make_folder(home / "data")
            (home / "seen").touch()
        except OSError as error:
            raise explain_os_error(error, home) from error

    def _extended(self) -> dict[str, int]:
        path = self.home / "extended"
        return dict(read_json(path)) if path.is_file() else {}


def _list_jobs() -> list[Path]:
    """Return the folders of what waits or trains; the queue is not begun for the question."""
    from explorer.jobs.host import peek_runner

    runner = peek_runner()
    return [] if runner is None else [job.directory for job in runner.jobs()]


def _last_seen(home: Path) -> float:
    try:
        return (home / "seen").stat().st_mtime
    except OSError:
        return 0.0


_house: House | None = None


def open_house() -> House | None:
    """Open the house of the mode that this server was started in; None for that of one user."""
    global _house
    mode = read_mode()
    _house = None if mode is None else House(mode)
    if _house is not None:
        make_runners(_house.make_runner)
        threading.Thread(target=_house.take_up, name="take-up", daemon=True).start()
    return _house


def get_house() -> House | None:
    """Return the house that was opened, None on the server of one user."""
    return _house
