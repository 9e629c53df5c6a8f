"""A folder of runs: list, open, delete, and ids for new ones. Ids are names, never paths.

Which run an id opens is decided here, for every page and every command: see `find_run`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ExplorerError, shorten
from explorer.paths import resource, runs_folder
from explorer.runs.bin import Bin, Binned
from explorer.runs.info import RunInfo, UnreadableRun
from explorer.runs.run import RUN_ID, Run, new_run_id

SWEEP_FILES = {"sweep.json", "control.json", ".control.lock", "checkpoint.safetensors"}
"""What stands beside the runs of a sweep or a family."""

Fits = Callable[[Run, RunInfo], bool]


@dataclass(frozen=True)
class Unreadable:
    """A folder that holds a run.json and is no run, with the reason (see `UnreadableRun`)."""

    id: str
    path: Path
    reason: UnreadableRun


Survey = tuple[list[Run], list[Unreadable]]


class RunStore:
    """The runs below `folder`; `read_only` stores (the pretrained ones) refuse changes."""

    def __init__(self, folder: str | os.PathLike[str] | None = None, read_only: bool = False):
        self.folder = Path(folder) if folder is not None else runs_folder()
        self.read_only = read_only

    def survey(self, fits: Fits | None = None) -> Survey:
        """Return the readable runs that `fits` keeps, newest first, and the unreadable ones.

        Members of sweeps are included; what has no run.json, and what is hidden, is no run.
        """
        found, unreadable = [], []
        for path in sorted([*self.folder.glob("*/run.json"), *self.folder.glob("*/*/run.json")]):
            run_id = path.parent.relative_to(self.folder).as_posix()
            if any(part.startswith(".") for part in Path(run_id).parts):
                continue
            try:
                run = Run(path.parent, _check_id(run_id))
                info = run.info
            except UnreadableRun as error:
                unreadable.append(Unreadable(run_id, path.parent, error))
            except ExplorerError:
                if path.exists():  # Else it was deleted between the two looks.
                    reason = UnreadableRun(f"{path} is no plain file.")
                    unreadable.append(Unreadable(run_id, path.parent, reason))
            else:
                if fits is None or fits(run, info):
                    found.append((info.created, run))
        found.sort(key=lambda pair: (-pair[0], pair[1].id))
        return [run for _, run in found], unreadable

    def list(self, fits: Fits | None = None) -> list[Run]:
        """Return the readable runs that `fits` keeps, newest first, members of sweeps included."""
        return self.survey(fits)[0]

    def has(self, run_id: str) -> bool:
        """Tell whether this id is taken here, be its run readable or not."""
        return bool(RUN_ID.fullmatch(run_id)) and os.path.isfile(self.folder / run_id / "run.json")

    def open(self, run_id: str) -> Run:
        """Open a run by id; an unknown or malformed id is an ExplorerError."""
        if self.has(run_id):
            return Run(self.folder / run_id, run_id)
        raise ExplorerError(f"There is no run {run_id[:80]!r} here.")

    def new_path(self, *parts: str) -> Path:
        """Return the path of a run still to be made, named after the time and `parts`."""
        return self.folder / new_run_id(*parts)

    @property
    def bin(self) -> Bin:
        """What was deleted here and can still be taken back."""
        return Bin(self.folder)

    def delete(self, run_id: str) -> Binned:
        """Move a run to the bin, readable or not; one that is trained or shipped is refused.

        With its last run what is left of a sweep's folder goes too.
        """
        run = self.open(run_id)
        if self.read_only:
            raise ExplorerError(f"{run.name} is shipped with the app and cannot be deleted.")
        if run.is_trained():
            raise ExplorerError(f"{run.name} is being trained; stop it before deleting it.")
        try:
            entry = self.bin.put(run.path, run.id, run.name)
            if run.path.parent != self.folder and _is_bare_sweep(run.path.parent):
                self.bin.put_beside(entry, run.path.parent)
        except OSError as error:
            raise ExplorerError(f"{run.name} could not be deleted: {error.strerror}.") from error
        return entry


def find_run(run_id: str, stores: Sequence[RunStore] | None = None) -> Run:
    """Return the run that an id opens: the visitor's own, else the shipped one.

    A visitor's run is never hidden by a shipped one, not even by one that a later version brings;
    who names a folder as a shipped run gets what is in it. `stores`, in order of precedence, are by
    default the visitor's and the shipped runs. An unknown id is an ExplorerError.
    """
    for store in all_stores() if stores is None else stores:
        if store.has(run_id):
            return store.open(run_id)
    shipped = ", ".join(run.id for run in list_pretrained())
    raise ExplorerError(
        f"There is no run {shorten(run_id, 80)!r}; the pretrained ones are {shipped or 'missing'}."
    )


def list_runs(fits: Fits | None = None, stores: Sequence[RunStore] | None = None) -> list[Run]:
    """Return the readable runs that `fits` keeps, each as `find_run` opens it by its id.

    The visitor's come first, newest first; a shipped run whose id is taken is left out.
    """
    stores = all_stores() if stores is None else stores
    return [
        run
        for place, store in enumerate(stores)
        for run in store.list(fits)
        if not any(earlier.has(run.id) for earlier in stores[:place])
    ]


def open_run(name_or_path: str | os.PathLike[str]) -> Run:
    """Open a run by id, as `find_run` does, or by the path of its folder."""
    text = os.fspath(name_or_path)
    if os.path.isfile(Path(text) / "run.json") and not any(s.has(text) for s in all_stores()):
        return Run(text)
    return find_run(text)


def all_stores() -> tuple[RunStore, RunStore]:
    """Return the stores in order of precedence: the visitor's own runs, then the shipped ones."""
    return RunStore(), pretrained_store()


def is_shipped(run: Run) -> bool:
    """Tell whether a run came with the app."""
    return run.path.is_relative_to(resource("pretrained"))


def list_pretrained() -> list[Run]:
    """Return the shipped runs in alphabetical order, members of families left out."""
    folder = resource("pretrained")
    return [Run(path.parent, path.parent.name) for path in sorted(folder.glob("*/run.json"))]


def _check_id(run_id: str) -> str:
    if not RUN_ID.fullmatch(run_id):
        raise UnreadableRun(
            f"{shorten(run_id, 80)!r} is no id of a run: letters, digits, dots, dashes and "
            "underscores alone make one.",
            "name",
        )
    return run_id


def _is_bare_sweep(folder: Path) -> bool:
    """Tell whether a sweep's folder holds nothing but the sweep's own files."""
    found = {path.name for path in folder.iterdir()}
    return "sweep.json" in found and found <= SWEEP_FILES


def pretrained_store() -> RunStore:
    """Return the store of the shipped runs."""
    return RunStore(resource("pretrained"), read_only=True)
