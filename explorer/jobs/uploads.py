"""Uploaded files, worked on one after the other by a thread that starts a process for each.

An upload outlives the page that asked for it: once that is closed, whoever opens it next finds the
upload here, until what came of it is kept or let go.
"""

import contextlib
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Generic, TypeVar

from explorer.datasets.own.shelf import Root, writable_home
from explorer.datasets.own.workshop import Workshop
from explorer.errors import ExplorerError
from explorer.files import explain_os_error

COPIED_BYTES = 1 << 20
LONGEST_STEM = 40
ON_THE_WAY = ("waiting", "reading")
STATES = (*ON_THE_WAY, "read", "failed")


@dataclass(eq=False, kw_only=True)
class Upload:
    """What was handed over, and how far it is."""

    name: str
    """Of the file, fit to be shown."""
    workshop: Workshop
    """Holds the uploaded files for as long as they are needed."""
    owner: str = ""
    """The visit that handed it over; "" for none."""
    state: str = "waiting"
    """One of STATES."""
    message: str = ""
    """Why it failed."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Remove all of its files."""
        self.workshop.close()


U = TypeVar("U", bound=Upload)


class UploadQueue(Generic[U]):
    """Uploads of one kind, at most `most` of one visit; `work` says what is done with each.

    Nothing of them is decoded in this process. Raises ExplorerError in one sentence for what is
    refused.
    """

    most, most_of_all = 4, 24
    """So many of one visit, and of all together, may wait, be read or be looked at; each holds its
    files on disk."""

    def __init__(self, name: str, data_root: Root = None) -> None:
        self.data_root = data_root
        self._uploads: list[U] = []
        self._waiting: deque[U] = deque()
        self._changed = threading.Condition()
        self._closed = False
        with contextlib.suppress(ExplorerError):
            # A new workshop sweeps away what a server that was killed has left.
            Workshop(writable_home(data_root) / "work").close()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def work(self, upload: U) -> None:
        """Do what is asked of an upload, in the queue's thread; raise what it is refused for."""
        raise NotImplementedError

    def uploads(self) -> list[U]:
        """Return those that are neither kept nor let go, in the order in which they came."""
        with self._changed:
            return list(self._uploads)

    def discard(self, upload: U) -> None:
        """Stop an upload's work, or let go what came out."""
        upload.stopped.set()
        with self._changed:
            if upload.state == "reading":
                self._uploads = [other for other in self._uploads if other is not upload]
                return  # Its thread removes the files once the worker has ended.
            if upload in self._waiting:
                self._waiting.remove(upload)
        self.forget(upload)

    def stop(self, upload: U) -> None:
        """Discard an upload on its way; what was done before the press came is shown, not lost."""
        with self._changed:
            if upload.state in ON_THE_WAY:
                self.discard(upload)

    def close(self) -> None:
        """Take no more files, and let go those that are here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for upload in self.uploads():
            self.discard(upload)

    def check_room(self, owner: str = "") -> None:
        """Raise where so many are here, of a visit or of all, that no more is taken."""
        uploads = self.uploads()
        if sum(upload.owner == owner for upload in uploads) >= self.most:
            raise ExplorerError(f"{self.most} files are here already: keep one, or let one go.")
        if len(uploads) >= self.most_of_all:
            raise ExplorerError(
                f"{len(uploads)} files of all visitors are here already: try again later."
            )

    def enqueue(self, upload: U) -> U:
        """Have an upload worked on once those before it are done, for the first time or again."""
        with self._changed:
            upload.state = "waiting"
            if upload not in self._uploads:
                self._uploads.append(upload)
            self._waiting.append(upload)
            self._changed.notify_all()
        return upload

    def forget(self, upload: U) -> None:
        """Be done with an upload: its files go."""
        with self._changed:
            self._uploads = [other for other in self._uploads if other is not upload]
        upload.release()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                upload = self._waiting.popleft()
                upload.state = "reading"
            self._do(upload)

    def _do(self, upload: U) -> None:
        state, message = "read", ""
        try:
            self.work(upload)
        except ExplorerError as error:
            state, message = "failed", str(error)
        except Exception as error:  # The queue must outlive any one file.
            state, message = "failed", f"{type(error).__name__}: {error}"
        with self._changed:
            upload.message, upload.state = message, state
            wanted = upload in self._uploads
        if not wanted:
            upload.release()


def open_workshop(data_root: Root = None) -> Workshop:
    """Return a new folder for uploaded files."""
    return Workshop(writable_home(data_root) / "work")


def receive(file: IO[bytes], workshop: Workshop, stem: str, suffix: str, inside: str = ".") -> Path:
    """Copy an uploaded file into a workshop's folder; where that fails the workshop is closed."""
    try:
        folder = workshop.folder / inside
        folder.mkdir(exist_ok=True)
        # Its own name is what it is called by later, cut to what any disk takes.
        path = folder / f"{stem[:LONGEST_STEM]}{suffix}"
        with open(path, "wb") as copy:
            while part := file.read(COPIED_BYTES):
                copy.write(part)
    except OSError as error:
        workshop.close()
        raise explain_os_error(error, workshop.folder) from error
    except BaseException:
        workshop.close()
        raise
    return path
