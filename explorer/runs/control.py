"""What viewers ask of a running job, through `control.json`.

Commands are numbered and appended under a lock; the job applies each number once, in order, and
acknowledges the last one in its status and in its log points. The file is cleared when a job is
queued, or starts without a queue, so that an old "stop" does no harm and two tabs do not lose each
other's commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from explorer.errors import ExplorerError
from explorer.files import explain_os_error, read_json, replace_json
from explorer.runs.fields import Fields, WrongField

ACTIONS = ("pause", "resume", "step", "stop", "beta")
LARGEST_BETA = 1e4


@dataclass(frozen=True)
class Command:
    """One request: its number, the action and, for "beta", the value."""

    number: int
    action: str
    value: float | None = None


class Control:
    """The command channel of the run in `directory`; used by viewers and by the job alike."""

    def __init__(self, directory: Path) -> None:
        self._path = Path(directory) / "control.json"
        self._lock = FileLock(self._path.with_name(".control.lock"), timeout=2)
        self._seen: tuple[int, int, int] | None = None

    def send(self, action: str, value: float | None = None) -> int:
        """Append a command and return its number."""
        if action not in ACTIONS:
            raise ExplorerError(f"A job knows {', '.join(ACTIONS)}, not {action!r}.")
        if action == "beta":
            if value is None or not 0 <= value <= LARGEST_BETA:
                raise ExplorerError(f"β must be from 0 to {LARGEST_BETA:g}; it is {value!r}.")
            value = float(value)
        homes = ("run.json", "sweep.json")
        if not any(self._path.with_name(name).is_file() for name in homes):
            raise ExplorerError(f"There is no run at {self._path.parent}.")
        with self._locked():
            commands = self._read()
            number = commands[-1].number + 1 if commands else 1
            commands.append(Command(number, action, value))
            self._write(commands)
        return number

    def clear(self) -> None:
        """Forget all commands: an old "stop" must not reach a job that starts."""
        with self._locked():
            self._write([])

    def latest(self, action: str) -> Command | None:
        """Return the newest command of a kind, None where there is none."""
        return next((c for c in reversed(self._read()) if c.action == action), None)

    def pending(self, after: int) -> list[Command]:
        """Return the commands numbered above `after`; cheap while the file has not changed."""
        try:
            status = self._path.stat()
        except OSError:
            return []
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self._seen:
            return []
        self._seen = stamp
        return [command for command in self._read() if command.number > after]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except Timeout as error:
            raise ExplorerError("Another viewer holds this job's controls; try again.") from error
        except OSError as error:
            raise explain_os_error(error, self._path) from error

    def _read(self) -> list[Command]:
        try:
            rows = read_json(self._path)
            return [_read_command(Fields(row)) for row in rows] if isinstance(rows, list) else []
        except (ExplorerError, WrongField):
            return []

    def _write(self, commands: list[Command]) -> None:
        replace_json(self._path, [vars(command) for command in commands])


def _read_command(row: Fields) -> Command:
    action = row.text("action")
    value = row.number("value", 0, LARGEST_BETA) if action == "beta" else None
    return Command(row.whole("number"), action, value)
