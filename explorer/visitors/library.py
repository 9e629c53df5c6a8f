"""A visitor's Library: shipped runs, what the lecturer shared, their own; within their limits."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.config import Config
from explorer.datasets import ImageDataset
from explorer.datasets.own.store import OwnSet
from explorer.errors import ExplorerError
from explorer.files import describe_bytes
from explorer.library import Library
from explorer.runs.info import DatasetInfo
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.visitors.limits import Limits
from explorer.visitors.mode import Mode

if TYPE_CHECKING:
    from concurrent.futures import Future


class VisitorLibrary(Library):
    """The runs in a visitor's `home`, and beside them the shipped and the `shared` ones.

    Own images are those below `home` alone: what whoever runs the server keeps is nobody's here.
    `count_refusal` is called for each wish that is not met.
    """

    def __init__(
        self,
        home: Path,
        shared: RunStore,
        mode: Mode,
        limits: Limits,
        owner: str,
        count_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(home / "runs", home / "data")
        self.others = (shared, self.shipped)
        self.home = home
        self.mode = mode
        self.limits = limits
        self.terms = {"owner": owner, "longest": limits.seconds}
        self._count_refusal = count_refusal

    # What is changed

    def describe(self, run: Run, name: str, tags: Sequence[str]) -> None:
        """Change what one's own run is shown as; another's is an ExplorerError."""
        self._check_own(run.path)
        super().describe(run, name, tags)

    def admit(self, runs: int = 0, size_bytes: int = 0) -> None:
        """Raise ExplorerError where so much more is over the visitor's limits."""
        limits = self.limits
        if runs and len(self.own.list()) + runs > limits.runs:
            raise self._refuse(
                f"You may keep {limits.runs:.0f} runs here: delete one, and empty the bin, first."
            )
        allowed = limits.megabytes * 1e6
        if (runs or size_bytes) and measure_bytes(self.home) + size_bytes > allowed:
            raise self._refuse(
                f"Your runs and images may take {describe_bytes(allowed)} here: delete some, and "
                "empty the bin, first."
            )

    def admit_upload(self, size_bytes: int) -> None:
        """Raise ExplorerError for a file that may not be handed over here."""
        if not self.mode.uploads:
            raise self._refuse("This server takes no files.")
        largest = self.limits.upload_megabytes * 1e6
        if size_bytes > largest:
            raise self._refuse(f"A file may have {describe_bytes(largest)} here.")
        self.admit(runs=1, size_bytes=size_bytes)

    # Images

    def own_sets(self) -> list[OwnSet]:
        """Return the visitor's own data sets, and nobody else's."""
        home = Path(os.fspath(self.home)).absolute()
        return [own for own in super().own_sets() if own.folder.is_relative_to(home)]

    def absent_sets(self) -> list[str]:
        """Return nothing: what is downloaded is decided by whoever runs the server."""
        return []

    def download(self, name: str, progress: Any = None) -> None:
        """Refuse."""
        raise self._refuse("This server downloads no data sets for its visitors.")

    def remove_images(self, name: str) -> None:
        """Remove one of the visitor's own data sets; an ExplorerError where there is none."""
        self._check_images(name, [own.name for own in self.own_sets()])
        super().remove_images(name)

    def images(self, name: str) -> ImageDataset:
        """Return a data set that is seen here by name; else an ExplorerError."""
        self._check_images(name, self.image_sets())
        return super().images(name)

    def image_shape(self, name: str) -> tuple[int, int, int]:
        """Return the shape (C, H, W) of the images of a set that is seen here."""
        self._check_images(name, self.image_sets())
        return super().image_shape(name)

    # Jobs

    def submit(
        self, config: Config, path: Path, images: DatasetInfo | None = None
    ) -> "Future[Any]":
        """Queue a training of the visitor's own, within their limits."""
        self._check_job(path, {"": config}, images)
        return super().submit(config, path, images)

    def submit_family(self, configs: Mapping[str, Config], path: Path) -> "Future[Any]":
        """Queue models that are trained together, within the visitor's limits."""
        self._check_job(path, configs, None)
        return super().submit_family(configs, path)

    def _check_job(
        self, path: Path, configs: Mapping[str, Config], images: DatasetInfo | None
    ) -> None:
        self._check_own(path)
        is_new = not any((path / name).exists() for name in ("run.json", "sweep.json"))
        self.admit(runs=len(configs) if is_new else 0)
        waiting = [job for job in self.queue.jobs() if job.directory.is_relative_to(self.home)]
        if len(waiting) >= self.limits.waiting:
            raise self._refuse(
                f"You may have {self.limits.waiting:.0f} trainings here at a time: let one finish, "
                "or stop it."
            )
        for config in configs.values():
            if images is None:
                self._check_images(config.dataset, self.image_sets())
            if (config.budget.seconds or 0) > self.limits.seconds:
                raise self._refuse(
                    f"A training may take {self.limits.seconds:.0f} seconds here: choose fewer."
                )
            shape = images.shape if images is not None else super().image_shape(config.dataset)
            count = count_parameters(config, shape)
            if count > self.limits.parameters:
                raise self._refuse(
                    f"A network may have {self.limits.parameters:,.0f} parameters here; this one "
                    f"has {count:,}."
                )

    def _refuse(self, why: str) -> ExplorerError:
        self._count_refusal()
        return ExplorerError(why)

    def _check_own(self, path: Path) -> None:
        if not path.is_relative_to(self.own.folder):
            raise self._refuse("This run is seen by all: it can be changed by nobody here.")

    def _check_images(self, name: str, seen: Sequence[str]) -> None:
        if name not in seen:
            raise ExplorerError(f"There is no data set {name[:60]!r} here.")


def measure_bytes(folder: Path) -> int:
    """Return how much disk a folder takes; what goes while it is measured counts nothing."""
    found = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                found += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue
    return found


def count_parameters(config: Config, shape: tuple[int, ...]) -> int:
    """Return how many weights a network of `config` has for images of `shape` (C, H, W).

    None of them is made.
    """
    import torch

    from explorer.models import build_model

    channels, height, width = shape
    with torch.device("meta"):
        model = build_model(config.model, (channels, height, width))
    return sum(math.prod(weights.shape) for weights in model.parameters())
