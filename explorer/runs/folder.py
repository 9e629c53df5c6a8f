"""The folder that a run is written to: what is in the way there, and what can go on."""

import contextlib
import os
import shutil
from pathlib import Path

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder
from explorer.runs.run import Run


def find_unfinished(path: Path, config: Config) -> Run | None:
    """Return the unfinished run of the same config at `path`, if that is what is there.

    A finished one is an ExplorerError that says what can be done with it.
    """
    if not os.path.isfile(path / "run.json"):
        return None
    run = Run(path)
    try:
        info = run.info
    except ExplorerError:
        return None
    if info.status.state in ("running", "paused") and info.status.is_alive():
        raise ExplorerError(f"{path} is being trained right now by process {info.status.pid}.")
    if info.config != config:
        return None
    if info.status.state == "finished":
        raise ExplorerError(
            f"{path} holds this very training, finished at step {info.status.step:,}: look at it "
            "as it is, choose another folder or another seed, or overwrite it."
        )
    return run


def refuse_foreign(path: Path) -> None:
    """Raise ExplorerError where a file is in the way, or a folder of anything but a run."""
    try:
        with contextlib.suppress(FileNotFoundError):
            path.stat()  # A path through a file is told too.
        if os.path.isfile(path):
            raise ExplorerError(f"{path} is a file; a run needs a folder.")
        is_taken = os.path.isdir(path) and any(path.iterdir())
        if is_taken and not os.path.isfile(path / "run.json"):
            raise ExplorerError(f"{path} holds other files; choose an empty folder.")
    except OSError as error:
        raise explain_os_error(error, path) from error


def prepare_folder(path: Path, overwrite: bool) -> None:
    """Make `path` an empty run folder; only an earlier run is ever removed, and only on request.

    A run that cannot be read, after a crash of the machine, say, is removed like any other.
    """
    refuse_foreign(path)
    try:
        if os.path.isdir(path) and any(path.iterdir()):
            if not overwrite:
                raise ExplorerError(
                    f"{path} holds another run; choose another folder or overwrite it."
                )
            if Run(path).is_trained():
                raise ExplorerError(f"{path} is being trained right now; stop that job first.")
            shutil.rmtree(path)
    except OSError as error:
        raise explain_os_error(error, path) from error
    make_folder(path)
    if not os.access(path, os.W_OK):
        raise ExplorerError(f"The folder {path} cannot be written to.")
