"""Somebody's files on their way to a data set: uploaded, read in a worker, looked at, kept.

A reading outlives the page that asked for it: whoever opens the page next finds it here, until it
is kept by a name or let go.
"""

import contextlib
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.shelf import Root, writable_home
from explorer.datasets.own.store import Pending
from explorer.datasets.own.workshop import Workshop
from explorer.errors import ExplorerError
from explorer.files import describe_bytes, explain_os_error, shown_name
from explorer.jobs.reader import READING_SECONDS, read_in_worker

LARGEST_UPLOAD = 200_000_000
"""Bytes that a page takes; what is larger is added by command line."""
MOST_READINGS = 4
"""So many may wait, be read or be looked at; each holds its pictures on disk."""
COPIED_BYTES = 1 << 20
UPLOADABLE = (".zip", ".npz")

STATES = ("waiting", "reading", "read", "failed")


@dataclass(eq=False)
class Reading:
    """One upload: what was asked for, how far it is, and what came out."""

    name: str
    """Of the file, fit to be shown."""
    rules: dict[str, Any]
    """size, fit, channels and background, as `read_in_worker` takes them."""
    workshop: Workshop
    """Holds the uploaded file until it has been read."""
    path: Path
    state: str = "waiting"
    """One of STATES."""
    done: int = 0
    total: int = 0
    """Pictures; 0 until they are counted."""
    message: str = ""
    """Why it failed."""
    pending: Pending | None = None
    """What came out, once it is read."""
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def dataset(self) -> ImageDataset:
        """The images that came out."""
        if self.pending is None:
            raise ExplorerError(f"{self.name} has not been read.")
        return self.pending.dataset

    def release(self) -> None:
        """Remove all of its files."""
        self.workshop.close()
        if self.pending is not None:
            self.pending.discard()


class ReadingQueue:
    """Uploads, read one after the other by a thread that starts a reading worker for each.

    Nothing is decoded in this process. Raises ExplorerError in one sentence for what is refused.
    """

    def __init__(self, data_root: Root = None, seconds: float = READING_SECONDS) -> None:
        self.data_root = data_root
        self.seconds = seconds
        self._readings: list[Reading] = []
        self._waiting: deque[Reading] = deque()
        self._changed = threading.Condition()
        self._closed = False
        with contextlib.suppress(ExplorerError):
            # A new workshop sweeps away what a server that was killed has left.
            Workshop(writable_home(data_root) / "work").close()
        threading.Thread(target=self._serve, name="readings", daemon=True).start()

    def add(self, file: IO[bytes], name: str, size_bytes: int, **rules: Any) -> Reading:
        """Copy an uploaded file to disk and queue its reading; `rules` as `read_in_worker`."""
        shown = shown_name(Path(name.replace("\\", "/")).name)
        suffix = Path(shown).suffix.lower()
        if suffix not in UPLOADABLE:
            raise ExplorerError(f"{shown} is not read as it is: drop a .zip or an .npz file.")
        if size_bytes > LARGEST_UPLOAD:
            raise ExplorerError(
                f"{shown} has {describe_bytes(size_bytes)}: what is larger than "
                f"{describe_bytes(LARGEST_UPLOAD)} is added by command line, "
                "`latent-explorer data add PATH --name N`."
            )
        with self._changed:
            if len(self._readings) >= MOST_READINGS:
                raise ExplorerError(
                    f"{MOST_READINGS} files are here already: keep one, or let one go."
                )
            reading = self._receive(file, shown, suffix, rules)
            self._readings.append(reading)
            self._waiting.append(reading)
            self._changed.notify_all()
            return reading

    def readings(self) -> list[Reading]:
        """Return those that are neither kept nor let go, in the order in which they came."""
        with self._changed:
            return list(self._readings)

    def keep(self, reading: Reading, name: str) -> ImageDataset:
        """Keep what came out as the data set `name`; the reading is done with."""
        if reading.pending is None:
            raise ExplorerError(f"{reading.name} has not been read.")
        dataset = reading.pending.keep(name)
        self._forget(reading)
        return dataset

    def discard(self, reading: Reading) -> None:
        """Stop a reading, or let go what came out."""
        reading.stopped.set()
        with self._changed:
            if reading.state == "reading":
                self._readings = [other for other in self._readings if other is not reading]
                return  # Its thread removes the files once the worker has ended.
            if reading in self._waiting:
                self._waiting.remove(reading)
        self._forget(reading)

    def close(self) -> None:
        """Take no more files, and let go those that are here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for reading in self.readings():
            self.discard(reading)

    def _receive(self, file: IO[bytes], name: str, suffix: str, rules: dict[str, Any]) -> Reading:
        workshop = Workshop(writable_home(self.data_root) / "work")
        try:
            # Its own name is what its data set is called by default, cut to what any disk takes.
            path = workshop.folder / f"{Path(name).stem[:40] or 'images'}{suffix}"
            with open(path, "wb") as copy:
                while part := file.read(COPIED_BYTES):
                    copy.write(part)
        except OSError as error:
            workshop.close()
            raise explain_os_error(error, workshop.folder) from error
        except BaseException:
            workshop.close()
            raise
        return Reading(name, rules, workshop, path)

    def _forget(self, reading: Reading) -> None:
        with self._changed:
            self._readings = [other for other in self._readings if other is not reading]
        reading.release()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                reading = self._waiting.popleft()
                reading.state = "reading"
            self._read(reading)

    def _read(self, reading: Reading) -> None:
        pending = None
        state, message = "read", ""

        def note(done: int, total: int) -> None:
            reading.done, reading.total = done, total

        try:
            pending = read_in_worker(
                reading.path,
                data_root=self.data_root,
                seconds=self.seconds,
                progress=note,
                stop=reading.stopped.is_set,
                **reading.rules,
            )
        except ExplorerError as error:
            state, message = "failed", str(error)
        except Exception as error:  # The queue must outlive any one file.
            state, message = "failed", f"{type(error).__name__}: {error}"
        reading.workshop.close()
        with self._changed:
            reading.pending, reading.message, reading.state = pending, message, state
            wanted = reading in self._readings
        if not wanted:
            reading.release()
