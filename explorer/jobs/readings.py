"""Somebody's pictures on their way to a data set: uploaded, read in a worker, looked at, kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.shelf import Root
from explorer.datasets.own.store import Pending
from explorer.errors import ExplorerError
from explorer.files import describe_bytes, shown_name
from explorer.jobs.reader import READING_SECONDS, read_in_worker
from explorer.jobs.uploads import Upload, UploadQueue, open_workshop, receive

LARGEST_UPLOAD = 200_000_000
"""Bytes that a page takes; what is larger is added by command line."""
UPLOADABLE = (".zip", ".npz")


@dataclass(eq=False, kw_only=True)
class Reading(Upload):
    """One upload of pictures: what was asked for, how far it is, and what came out."""

    rules: dict[str, Any]
    """size, fit, channels and background, as `read_in_worker` takes them."""
    path: Path
    done: int = 0
    total: int = 0
    """Pictures; 0 until they are counted."""
    pending: Pending | None = None
    """What came out, once it is read."""

    @property
    def dataset(self) -> ImageDataset:
        """The images that came out."""
        if self.pending is None:
            raise ExplorerError(f"{self.name} has not been read.")
        return self.pending.dataset

    def release(self) -> None:
        """Remove all of its files."""
        super().release()
        if self.pending is not None:
            self.pending.discard()


class ReadingQueue(UploadQueue[Reading]):
    """Uploads of pictures, each read by a reading worker and then waiting for a name."""

    def __init__(self, data_root: Root = None, seconds: float = READING_SECONDS) -> None:
        self.seconds = seconds
        super().__init__("readings", data_root)

    def add(
        self, file: IO[bytes], name: str, size_bytes: int, *, owner: str = "", **rules: Any
    ) -> Reading:
        """Copy an uploaded file to disk and queue its reading.

        `owner` is the visit that hands it over, `rules` as `read_in_worker` takes them.
        """
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
        self.check_room(owner)
        workshop = open_workshop(self.data_root)
        path = receive(file, workshop, Path(shown).stem or "images", suffix)
        return self.enqueue(
            Reading(name=shown, workshop=workshop, owner=owner, rules=rules, path=path)
        )

    def keep(self, reading: Reading, name: str) -> ImageDataset:
        """Keep what came out as the data set `name`; the reading is done with."""
        if reading.pending is None:
            raise ExplorerError(f"{reading.name} has not been read.")
        dataset = reading.pending.keep(name)
        self.forget(reading)
        return dataset

    def work(self, upload: Reading) -> None:
        """Read the pictures; the uploaded file goes once that is done."""

        def note(done: int, total: int) -> None:
            upload.done, upload.total = done, total

        try:
            upload.pending = read_in_worker(
                upload.path,
                data_root=self.data_root,
                seconds=self.seconds,
                progress=note,
                stop=upload.stopped.is_set,
                **upload.rules,
            )
        finally:
            upload.workshop.close()
