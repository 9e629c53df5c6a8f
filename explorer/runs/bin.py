"""The bin of a folder of runs: what was deleted lies there for a day and can be taken back.

An entry is a hidden folder of its own: `entry.json` (id, name and when it was deleted), the run as
`run`, and as `beside` what its sweep had left when it was the last. Whole folders are moved, so
that a run is in the bin or in its place, never half in both.
"""

import os
import secrets
import shutil
import time
from dataclasses import dataclass
from os import replace as move
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, read_json, replace_json
from explorer.runs.fields import is_number, is_text
from explorer.runs.run import RUN_ID

KEPT_SECONDS = 24 * 3600.0
FOLDER = ".bin"
"""Hidden, so that no list of runs looks into it."""


@dataclass(frozen=True)
class Binned:
    """A deleted run: where it lies, the id it had, its name, and when it was deleted (Unix s)."""

    path: Path
    id: str
    name: str
    deleted: float

    @property
    def goes(self) -> float:
        """When it is removed for good, in Unix seconds."""
        return self.deleted + KEPT_SECONDS


class Bin:
    """What was deleted from the runs below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder
        self.folder = folder / FOLDER

    def entries(self) -> list[Binned]:
        """Return what lies in the bin, what was deleted last first."""
        found = [_read_entry(path.parent) for path in self.folder.glob("*/entry.json")]
        readable = [entry for entry in found if entry is not None]
        return sorted(readable, key=lambda entry: (-entry.deleted, entry.id))

    def put(self, path: Path, run_id: str, name: str) -> Binned:
        """Move a run's folder into the bin; an OSError where it cannot be moved."""
        entry = Binned(self.folder / secrets.token_hex(8), run_id, name, time.time())
        make_folder(entry.path)
        values = {"id": entry.id, "name": entry.name, "deleted": entry.deleted}
        replace_json(entry.path / "entry.json", values)
        try:
            move(path, entry.path / "run")
        except OSError:
            shutil.rmtree(entry.path, ignore_errors=True)
            raise
        return entry

    def put_beside(self, entry: Binned, sweep: Path) -> None:
        """Move what is left of a sweep's folder to the last of its runs."""
        move(sweep, entry.path / "beside")

    def restore(self, entry: Binned) -> None:
        """Put a run back in its place; an ExplorerError where another run has taken it."""
        place = self.runs / entry.id
        if os.path.lexists(place):
            raise ExplorerError(f"{entry.name} cannot come back: another run has its folder now.")
        try:
            make_folder(place.parent)
            move(entry.path / "run", place)
            for path in (entry.path / "beside").glob("*"):
                if not (place.parent / path.name).exists():
                    move(path, place.parent / path.name)
            shutil.rmtree(entry.path)
        except FileNotFoundError as error:
            raise ExplorerError(f"{entry.name} is no longer in the bin.") from error
        except OSError as error:
            raise explain_os_error(error, place) from error

    def empty(self, before: float | None = None) -> None:
        """Remove for good what was deleted before a moment (Unix s), or all of it.

        What cannot be removed stays for the next time.
        """
        for entry in self.entries():
            if before is None or entry.deleted < before:
                shutil.rmtree(entry.path, ignore_errors=True)


def _read_entry(path: Path) -> Binned | None:
    """Return an entry; None of one that is on its way, was emptied, or cannot be read."""
    try:
        values = read_json(path / "entry.json")
    except ExplorerError:
        return None
    if not isinstance(values, dict) or not (path / "run").is_dir():
        return None
    run_id, name, deleted = (values.get(key) for key in ("id", "name", "deleted"))
    if not (is_text(run_id, 200) and RUN_ID.fullmatch(run_id)):
        return None
    if not (is_text(name, 200) and is_number(deleted)):
        return None
    return Binned(path, run_id, name, float(deleted))
