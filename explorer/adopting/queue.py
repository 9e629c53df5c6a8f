"""Somebody's networks on their way to a run: uploaded, adopted in a worker, asked about, opened."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from explorer.adopting.files import SECONDS, ModelFiles, adopt_files
from explorer.adopting.record import settle_reading
from explorer.adopting.told import Told
from explorer.datasets.own.shelf import Root
from explorer.errors import ExplorerError
from explorer.files import describe_bytes, shown_name
from explorer.jobs.uploads import Upload, UploadQueue, open_workshop, receive
from explorer.models.adopted.question import told_by
from explorer.runs.run import Run

LARGEST_UPLOAD = 200_000_000
"""Bytes of one file that a page takes; what is larger is adopted by command line."""
LONGEST_SUFFIX = 14
STEPS = ("pictures", "reading", "testing", "measuring")
"""What a worker is at, in this order."""


class File(NamedTuple):
    """An uploaded file: its bytes, its name and its size."""

    content: IO[bytes]
    name: str
    size_bytes: int


@dataclass(eq=False, kw_only=True)
class Adoption(Upload):
    """One upload of networks: what was told of them, how far it is, and the run that came out."""

    files: ModelFiles
    path: Path
    """Where the run goes."""
    told: Told
    overwrite: bool = False
    """Whether a run that was adopted from the same files gives way."""
    step: str = ""
    """One of STEPS, "" before the first."""
    begun: float = 0.0
    """When the worker started, by `time.monotonic`."""
    run: Run | None = None
    asks: bool = False
    """Whether readings fit alike, so that one of them is to be chosen."""

    def readings(self) -> list[dict[str, Any]]:
        """Return the readings that fit, the one that was taken first."""
        adopted = None if self.run is None else self.run.info.model.adopted
        return [] if adopted is None else [adopted["fit"], *adopted["also_fits"]]


class AdoptionQueue(UploadQueue[Adoption]):
    """Uploads of networks, each adopted by a worker; where readings fit alike it waits to be told.

    The files go as soon as nothing is open any more; a run that came out stays.
    """

    def __init__(self, data_root: Root = None, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        super().__init__("adoptions", data_root)

    def add(
        self, files: Mapping[str, File], path: Path, told: Told, *, owner: str = ""
    ) -> Adoption:
        """Copy uploaded files to disk and queue their adoption as a run at `path`.

        `owner` is the visit that hands them over; `files` are named as in `ModelFiles`.
        """
        names = {part: _show(file.name) for part, file in files.items()}
        for part, file in files.items():
            if file.size_bytes > LARGEST_UPLOAD:
                raise ExplorerError(
                    f"{names[part]} has {describe_bytes(file.size_bytes)}: what is larger than "
                    f"{describe_bytes(LARGEST_UPLOAD)} is adopted by command line, "
                    "`latent-explorer adopt`."
                )
        self.check_room(owner)
        workshop = open_workshop(self.data_root)
        copied: dict[str, Any] = {}
        for part, file in files.items():
            name = Path(names[part])
            suffix = name.suffix.lower()[:LONGEST_SUFFIX]
            copied[part] = receive(file.content, workshop, name.stem or part, suffix, part)
        shown = next(iter(names.values()))
        return self.enqueue(
            Adoption(
                name=shown,
                workshop=workshop,
                owner=owner,
                files=ModelFiles(**copied),
                path=path,
                told=told,
            )
        )

    def choose(self, adoption: Adoption, reading: Mapping[str, Any]) -> None:
        """Take one of the readings that fit alike: another than the first is adopted anew."""
        if adoption.run is None or not adoption.asks:
            raise ExplorerError(f"Nothing is asked of {adoption.name}.")
        if reading == adoption.readings()[0]:
            settle_reading(adoption.run)
            adoption.asks = False
            adoption.workshop.close()
            return
        adoption.told = replace(adoption.told, reading=told_by(reading))
        adoption.overwrite = True
        adoption.step = ""
        self.enqueue(adoption)

    def work(self, upload: Adoption) -> None:
        """Adopt the networks; their files go unless something is still open."""
        upload.begun = time.monotonic()
        asks = False

        def note(step: str) -> None:
            upload.step = step

        try:
            upload.run, question = adopt_files(
                upload.path,
                upload.files,
                upload.told,
                overwrite=upload.overwrite,
                data_root=self.data_root,
                seconds=self.seconds,
                progress=note,
                stop=upload.stopped.is_set,
            )
            upload.asks = asks = bool(question)
        finally:
            if not asks:
                upload.workshop.close()


def _show(path: str) -> str:
    return shown_name(Path(path.replace("\\", "/")).name)


_lock = threading.Lock()
_adoptions: dict[str | None, AdoptionQueue] = {}
"""By the data folder that their images are looked for in."""


def get_adoptions(data_root: str | None = None) -> AdoptionQueue:
    """Return the process's adoptions of uploaded files for a data folder, made at first use."""
    with _lock:
        if data_root not in _adoptions:
            _adoptions[data_root] = AdoptionQueue(data_root)
        return _adoptions[data_root]
