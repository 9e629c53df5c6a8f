"""Folders for work in progress, which vanish with their process, if need be at the next start."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder

PATIENCE_SECONDS = 10
LOCK = "lock"


class Workshop:
    """A new folder in `root`, held by a lock that the system lets go when the process ends.

    Whoever opens the next workshop there removes those that nobody holds any more: whatever was
    killed leaves nothing for good. Raises ExplorerError where the root cannot be written.
    """

    def __init__(self, root: Path) -> None:
        make_folder(root)
        try:
            # Behind one gate: nobody sweeps between the making of a folder and its lock.
            with FileLock(root / ".gate", timeout=PATIENCE_SECONDS):
                sweep(root)
                self.folder = Path(tempfile.mkdtemp(dir=root))
                self._lock = _make_lock(self.folder)
                self._lock.acquire()
        except Timeout as error:
            raise ExplorerError(f"Somebody else is at work in {root}: try again.") from error
        except OSError as error:
            raise explain_os_error(error, root / "work") from error

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def sweep(root: Path) -> None:
    """Remove the workshops in `root` whose process has ended."""
    for folder in root.iterdir():
        # The lock is let go before the folder is removed: Windows keeps files that are open.
        if folder.is_dir() and not _is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    try:
        with _make_lock(folder).acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True


def _make_lock(folder: Path) -> FileLock:
    # Any thread may close what another one opened.
    return FileLock(folder / LOCK, thread_local=False)
