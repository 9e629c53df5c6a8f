"""One visitor's runs, images and jobs: the app, the command line and notebooks ask it alone.

Local use is one Library; a server with many visitors has one for each. It answers three questions
in one place: which run an id opens, which runs serve a purpose, and whose images a run was made
from. What is computed on runs stands above it, in `analysis`.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.config import Config
from explorer.datasets import (
    DATASETS,
    ImageDataset,
    Progress,
    image_shape,
    is_available,
    load_dataset,
    opens_at_once,
)
from explorer.datasets.own.store import OwnSet, list_own, remove_own
from explorer.errors import ExplorerError
from explorer.files import read_json
from explorer.runs.images import (
    explain_missing,
    find_images_of,
    is_named,
    is_to_be_drawn,
    may_be_at_hand,
)
from explorer.runs.info import DatasetInfo, RunInfo
from explorer.runs.run import Run
from explorer.runs.store import RunStore, find_run, list_runs, pretrained_store
from explorer.runs.sweeps import Sweep, list_sweeps

if TYPE_CHECKING:
    from concurrent.futures import Future

    from explorer.jobs.queue import LocalRunner
    from explorer.jobs.readings import ReadingQueue

Root = str | os.PathLike[str] | None
Fits = Callable[[Run, RunInfo], bool]

NEEDS: dict[str, Fits] = {
    "model": lambda run, info: info.has_model and (run.path / "checkpoint.safetensors").is_file(),
    "codes": lambda run, info: (run.path / "codes.npz").is_file(),
    "density": lambda run, info: info.has_density,
    "shares": lambda run, info: info.has_shares,
    "map": lambda run, info: info.is_continuous,
    "codebook": lambda run, info: not info.is_continuous,
    "adopted": lambda run, info: info.model.adopted is not None,
    "config": lambda run, info: info.config is not None,
    "images": lambda run, info: info.dataset is not None,
    "ended": lambda run, info: info.status.state in ("finished", "stopped"),
    "training": lambda run, info: info.is_trained_here,
    "film": lambda run, info: bool(run.snapshot_steps()),
}
"""What a page can ask of a run: weights at hand, stored codes, a q(z|x) with a density, KL shared
out among dimensions, codes that are coordinates, codes that are entries of a codebook, a config,
images that are named, a training that is over, a training of ours, frames of it. For those that
have it not there is a sentence, `need.<name>`."""


def find_lack(run: Run, needs: Iterable[str]) -> str | None:
    """Return the first of `needs` (keys of NEEDS) that a run does not meet, None for none."""
    info = run.info
    return next((need for need in needs if not NEEDS[need](run, info)), None)


class Library:
    """Runs below `folder`, the shipped ones beside them, and the images below `data_root`.

    `folder` is by default that of `explorer.runs_folder()`; `data_root` comes before
    LATENT_EXPLORER_DATA and the cache. A visitor's own run goes before a shipped one of its id.
    """

    def __init__(self, folder: Root = None, data_root: Root = None) -> None:
        self.own = RunStore(folder)
        self.shipped = pretrained_store()
        self.others: tuple[RunStore, ...] = (self.shipped,)
        """Whose runs are seen beside one's own, and changed by nobody here."""
        self.data_root = data_root
        self.terms: dict[str, Any] = {}
        """On which its jobs are queued: whose they are, and how long they may take."""

    # Runs

    def find(self, run_id: str) -> Run:
        """Return the run that an id opens; an unknown id is an ExplorerError."""
        return find_run(run_id, (self.own, *self.others))

    def runs(self, needs: Iterable[str] = (), *, first: str = "own") -> list[Run]:
        """Return the readable runs that have all of `needs` (keys of NEEDS), newest first.

        The visitor's come before the shipped ones, or after them with `first="shipped"`.
        """
        asked = [NEEDS[need] for need in needs]
        found = list_runs(
            lambda run, info: all(fits(run, info) for fits in asked), (self.own, *self.others)
        )
        return sorted(found, key=lambda run: self.is_own(run) == (first != "own"))

    def is_own(self, run: Run) -> bool:
        """Tell a visitor's run from a shipped one."""
        return self.holds(run.path)

    def holds(self, path: Path) -> bool:
        """Tell whether a folder is the visitor's."""
        return not any(path.is_relative_to(store.folder) for store in self.others)

    def describe(self, run: Run, name: str, tags: Sequence[str]) -> None:
        """Change what a run is shown as, and the words that it is kept under."""
        run.tag(tags)
        if name != run.name:
            run.rename(name)

    def admit(self, runs: int = 0, size_bytes: int = 0) -> None:
        """Raise ExplorerError where so much more may not be kept; one user has no limits."""

    def admit_upload(self, size_bytes: int) -> None:
        """Raise ExplorerError for a file that may not be handed over; one user may all."""

    def sweeps(self) -> dict[str, Sweep]:
        """Return the sweeps and families by id: the visitor's, newest first, then shipped ones."""
        own = {sweep.id: sweep for sweep in list_sweeps(self.own.folder)}
        shipped = {sweep.id: sweep for sweep in list_sweeps(self.shipped.folder)}
        return own | {name: sweep for name, sweep in shipped.items() if name not in own}

    def stored(self, run: Run, name: str) -> Any:
        """Return what was found on a shipped run and travels with it, None where nothing did.

        `name` is diagnosis, holes or theory. A file of that name in a visitor's run is no answer:
        it may be of other weights, or of anyone's making.
        """
        return self._stored(run.path / f"{name}.json")

    def stored_beside(self, sweep: Sweep, name: str) -> Any:
        """Return what travels with a shipped sweep, as `stored` does with a run."""
        return self._stored(sweep.path / f"{name}.json")

    def _stored(self, path: Path) -> Any:
        is_shipped = path.is_relative_to(self.shipped.folder)
        return read_json(path) if is_shipped and path.is_file() else None

    # Images

    def image_sets(self) -> list[str]:
        """Return the names of the data sets that load without a download, own ones last."""
        ready = [name for name in DATASETS if is_available(name, self.data_root)]
        return ready + [own.name for own in self.own_sets()]

    def own_sets(self) -> list[OwnSet]:
        """Return what is known of the visitor's own data sets."""
        return list_own(self.data_root)

    def absent_sets(self) -> list[str]:
        """Return the names of the data sets that have to be downloaded first."""
        return [name for name in DATASETS if not is_available(name, self.data_root)]

    def download(self, name: str, progress: Progress | None = None) -> None:
        """Fetch one of the absent sets, telling `progress` as `load_dataset` does.

        Raises ExplorerError where it cannot be had.
        """
        load_dataset(name, data_root=self.data_root, download=True, progress=progress)

    def remove_images(self, name: str) -> None:
        """Remove one of the visitor's own data sets; an ExplorerError where there is none."""
        remove_own(name, self.data_root)

    def has_images(self, name: str) -> bool:
        """Tell whether a data set loads without the network."""
        return name in self.image_sets()

    def opens_at_once(self, name: str) -> bool:
        """Tell whether a data set needs neither a download nor a long drawing."""
        return self.has_images(name) and (name not in DATASETS or opens_at_once(name))

    def images(self, name: str) -> ImageDataset:
        """Return a data set by name, one of ours or the visitor's own; else an ExplorerError."""
        return load_dataset(name, data_root=self.data_root)

    def image_shape(self, name: str) -> tuple[int, int, int]:
        """Return the shape (C, H, W) of a data set's images without loading them.

        Raises ExplorerError where there is none of this name.
        """
        return image_shape(name, self.data_root)

    def images_of(self, run: Run, *, at_once: bool = False) -> ImageDataset | None:
        """Return the images that a run was made from, None where they are not at hand.

        They are known by the digest of their pixels, or by the fingerprint that older runs hold;
        never by their name alone, which any images may have. `at_once` leaves out what would have
        to be drawn first.
        """
        return find_images_of(run.info.dataset, self.data_root, at_once=at_once)

    def has_images_of(self, run: Run) -> bool:
        """Tell by a look at files whether a run's images seem to be at hand."""
        return may_be_at_hand(run.info.dataset, self.data_root)

    # Jobs

    @property
    def queue(self) -> "LocalRunner":
        """The job queue of this process."""
        from explorer.jobs.host import get_runner

        return get_runner(self.own.folder, self._job_root(), **self.terms)

    @property
    def readings(self) -> "ReadingQueue":
        """The uploaded files that are on their way to a data set of this data folder."""
        from explorer.jobs.host import get_readings

        return get_readings(self._job_root())

    def start(
        self,
        config: Config,
        name: str | None = None,
        *,
        path: Path | None = None,
        images: DatasetInfo | None = None,
    ) -> Run:
        """Queue a training and return its run.

        `name` is what it is shown as. With `path` an unfinished run there goes on. `images` are
        those that another run names, whatever they are called now; without them the config names a
        data set. Raises ExplorerError where they are not at hand.
        """
        path = path or self.own.new_path(config.dataset, f"{config.model.latent_dim}d")
        self.submit(config, path, images)
        run = Run(path, path.relative_to(self.own.folder).as_posix())
        if name is not None:
            run.rename(name)
        return run

    def go_on(self, run: Run) -> Run:
        """Queue an unfinished run anew; it goes on from its last checkpoint, on its own images.

        Raises ExplorerError where they are not at hand. A run that never began may name none yet.
        """
        info = run.info
        if info.config is None:
            raise ExplorerError(f"The run {run.id} does not say how it was trained.")
        self.submit(info.config, run.path, info.dataset)
        return run

    def jobs_before(self, path: Path) -> int:
        """Return how many jobs of this process come before the one that trains `path`."""
        return self.queue.expect(path)[0]

    def submit(
        self, config: Config, path: Path, images: DatasetInfo | None = None
    ) -> "Future[Any]":
        """Queue a training at `path`, on the images that a run names, and return its future."""
        if images is None:
            images = self._identify(config.dataset)
        elif is_named(images) and not is_to_be_drawn(images):  # Else the job finds it out.
            if find_images_of(images, self.data_root) is None:
                raise explain_missing(images)
        return self.queue.submit(config, path, self._job_root(), images, **self.terms)

    def submit_family(self, configs: Mapping[str, Config], path: Path) -> "Future[Any]":
        """Queue models that are trained together."""
        images = self._identify(next(iter(configs.values())).dataset) if configs else None
        return self.queue.submit_family(configs, path, self._job_root(), images, **self.terms)

    def _identify(self, name: str) -> DatasetInfo | None:
        """Return what an own set of this name is, so that a job finds it whatever it is called."""
        sets = self.own_sets()
        own = next((own for own in sets if own.name == name and name not in DATASETS), None)
        if own is None:
            return None
        # Of the same pixels with other labels or splits there may be another set.
        alone = [other.pixel_digest for other in sets].count(own.pixel_digest) == 1
        fingerprint = "" if alone else self.images(name).fingerprint
        return DatasetInfo(own.name, own.shape, own.class_names, fingerprint, own.pixel_digest)

    def _job_root(self) -> str | None:
        return None if self.data_root is None else os.fspath(self.data_root)
