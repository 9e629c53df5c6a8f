"""What is checked before anything is computed, and a run directory that appears whole or not."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.adopting.told import check_beta
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder
from explorer.runs.folder import prepare_folder


@dataclass(frozen=True)
class Checkpoint:
    """One state of a training: its step, whatever gives its networks, and its β where told."""

    step: int
    source: Any
    beta: float | None


def order_checkpoints(
    checkpoints: Sequence[tuple[int, Any]],
    beta: float | None = None,
    betas: Sequence[float] | None = None,
) -> list[Checkpoint]:
    """Return pairs (step, source) in the order of training; each is of a step of its own.

    `betas` has one β for each pair, in the order of the pairs; `beta` is that of all of them.
    """
    told: Sequence[float | None] = [beta] * len(checkpoints) if betas is None else betas
    if betas is not None and beta is not None:
        raise ExplorerError("Give either beta or betas, which has one for each checkpoint.")
    if len(told) != len(checkpoints):
        raise ExplorerError(
            f"betas has {len(told)} numbers for {len(checkpoints)} checkpoints: give one for each."
        )
    found = [
        Checkpoint(step, source, check_beta(one))
        for (step, source), one in zip(checkpoints, told, strict=True)
    ]
    if not found or len({checkpoint.step for checkpoint in found}) < len(found):
        raise ExplorerError("checkpoints are pairs (step, path), each of a step of its own.")
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def check_folder(path: Path, overwrite: bool) -> None:
    """Raise, before anything is computed, where no run can be written at `path`."""
    if os.path.isfile(path):
        raise ExplorerError(f"{path} is a file; a run needs a folder.")
    if os.path.isdir(path) and any(path.iterdir()):
        if not os.path.isfile(path / "run.json"):
            raise ExplorerError(f"{path} holds other files; choose an empty folder.")
        if not overwrite:
            raise ExplorerError(f"{path} holds another run; choose another folder or overwrite it.")


@contextmanager
def placed(directory: str | os.PathLike[str], overwrite: bool) -> Iterator[Path]:
    """Yield where to write a run; it is moved to `directory` afterwards, or removed on an error.

    An earlier run there stays until then.
    """
    path = Path(directory)
    check_folder(path, overwrite)
    make_folder(path.parent)
    try:
        work = Path(tempfile.mkdtemp(prefix=".adopting-", dir=path.parent))
    except OSError as error:
        raise explain_os_error(error, path) from error
    try:
        yield work / "run"
        prepare_folder(path, overwrite)
        try:
            path.rmdir()
            os.rename(work / "run", path)
        except OSError as error:
            raise explain_os_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(work)
