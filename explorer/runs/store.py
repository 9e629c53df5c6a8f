"""A folder of runs: list, open, delete, and ids for new ones. Ids are names, never paths."""

import os
import shutil
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.paths import resource, runs_folder
from explorer.runs.run import RUN_ID, Run, new_run_id

SWEEP_FILES = {"sweep.json", "control.json", ".control.lock", "checkpoint.safetensors"}
"""What stands beside the runs of a sweep or a family."""


class RunStore:
    """The runs below `folder`; `read_only` stores (the pretrained ones) refuse changes."""

    def __init__(self, folder: str | os.PathLike[str] | None = None, read_only: bool = False):
        self.folder = Path(folder) if folder is not None else runs_folder()
        self.read_only = read_only

    def list(self) -> list[Run]:
        """Return the readable runs, newest first, members of sweeps included.

        A folder without a run.json, or with one of an unknown schema, is left out.
        """
        found = []
        for path in [*self.folder.glob("*/run.json"), *self.folder.glob("*/*/run.json")]:
            run_id = path.parent.relative_to(self.folder).as_posix()
            if not RUN_ID.fullmatch(run_id):
                continue
            try:
                run = Run(path.parent, run_id)
                created = run.info.created
            except ExplorerError:
                continue
            found.append((created, run))
        return [run for _, run in sorted(found, key=lambda pair: (-pair[0], pair[1].id))]

    def open(self, run_id: str) -> Run:
        """Open a run by id; an unknown or malformed id is an ExplorerError."""
        if RUN_ID.fullmatch(run_id) and (self.folder / run_id / "run.json").is_file():
            return Run(self.folder / run_id, run_id)
        raise ExplorerError(f"There is no run {run_id[:80]!r} here.")

    def new_path(self, *parts: str) -> Path:
        """Return the path of a run still to be made, named after the time and `parts`."""
        return self.folder / new_run_id(*parts)

    def delete(self, run_id: str) -> None:
        """Remove a run for good; one that is being trained or shipped is refused.

        With its last run a sweep's folder goes too.
        """
        run = self.open(run_id)
        if self.read_only:
            raise ExplorerError(f"{run.name} is shipped with the app and cannot be deleted.")
        if run.info.status.is_alive():
            raise ExplorerError(f"{run.name} is being trained; stop it before deleting it.")
        try:
            shutil.rmtree(run.path)
            if run.path.parent != self.folder and _is_bare_sweep(run.path.parent):
                shutil.rmtree(run.path.parent)
        except OSError as error:
            raise ExplorerError(f"{run.name} could not be deleted: {error.strerror}.") from error


def _is_bare_sweep(folder: Path) -> bool:
    """Tell whether a sweep's folder holds nothing but the sweep's own files."""
    found = {path.name for path in folder.iterdir()}
    return "sweep.json" in found and found <= SWEEP_FILES


def pretrained_store() -> RunStore:
    """Return the store of the shipped runs."""
    return RunStore(resource("pretrained"), read_only=True)
