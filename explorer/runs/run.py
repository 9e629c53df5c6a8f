"""The run directory: the one interface between training and everything that looks at a model.

A run is a folder:
    run.json              schema, config, kinds, planned steps, status, versions, results
    metrics.jsonl         a line per log point, nats per image
    snapshots/<step>.npz  the film: codes of a fixed probe set, reconstructions, samples
    checkpoint.safetensors  weights (and, while unfinished, optimiser and random state)
    codes.npz             mean, logvar, labels, ids of the evaluated split; indices (N, P) in
                          place of mean and logvar where codes are categorical
    control.json          what viewers ask of the job (see `control.py`)
    viewer.json           display name and tags; the viewers' only file
Every file is replaced whole or appended by one writer, so readers may look at any time. Anybody may
have written them: what is no figure, no code and no picture is left out or told, once, here.
"""

import os
import re
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.archives.npz import load_arrays
from explorer.codes import Array, Codes
from explorer.errors import ExplorerError
from explorer.files import parse_json, read_json, read_limited, replace_json
from explorer.runs.arrays import tidy_codes, tidy_frame
from explorer.runs.fields import LARGEST_WHOLE, is_text
from explorer.runs.info import RunInfo, UnreadableRun
from explorer.runs.info_read import read_info
from explorer.runs.points import find_fault
from explorer.runs.words import describe_run

if TYPE_CHECKING:
    from explorer.models import Model

LARGEST_LOG = 128_000_000
"""Bytes of the largest metrics.jsonl that is read: some hundred thousand log points."""
LARGEST_KEPT = 64_000
"""Bytes of the largest run.json whose content is kept once it was read."""
SETTLED_SECONDS = 2.0
"""From this age on no clock of a file system is so coarse that a newer file has the same time."""
LONGEST_NAME = 80
MOST_TAGS, LONGEST_TAG = 8, 24
RUN_ID = re.compile(r"[^\W_][\w.-]{0,79}(/[^\W_][\w.-]{0,79})?")
"""Letters and digits of any script, dots, dashes, underscores; with its family's before a slash."""


@dataclass(frozen=True)
class Snapshot:
    """One frame of the film: probe codes, uint8 reconstructions and samples (M, C, H, W).

    Codes are as in `Codes`.
    """

    step: int
    mean: Array
    logvar: Array | None
    labels: Array | None
    inputs: Array | None
    reconstructions: Array | None
    samples: Array | None
    indices: Array | None = None


class Run:
    """A run directory, opened for reading; every property looks at the disk anew."""

    def __init__(self, path: str | os.PathLike[str], run_id: str | None = None) -> None:
        self.path = Path(path)
        self.id = run_id or self.path.name
        # Of a name too long for the system, pathlib's own look raises.
        if not os.path.isfile(self.path / "run.json"):
            raise ExplorerError(f"There is no run at {self.path}.")

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def __str__(self) -> str:
        """Its figures in plain words, and how an adopted model was understood."""
        return describe_run(self.name, self.info)

    @property
    def info(self) -> RunInfo:
        """The content of run.json as it is now; not to be changed, it is one for all readers."""
        path = self.path / "run.json"
        state = _settled_state(path)
        return _read_info(path) if state is None else _keep_info(path, state)

    def is_trained(self) -> bool:
        """Tell whether somebody trains it right now; never of a run that cannot be read.

        Who trains a run writes its run.json anew, and whole, every second.
        """
        try:
            return self.info.status.is_alive()
        except ExplorerError:
            return False

    @property
    def name(self) -> str:
        """The display name: the viewers' choice, else the id."""
        name = self._viewer().get("name")
        return name if name and is_text(name, LONGEST_NAME) else self.id

    def rename(self, name: str) -> None:
        """Change the display name; the folder and the id stay."""
        name = name.strip()
        if not name or not is_text(name, LONGEST_NAME):
            raise ExplorerError(f"A name has 1 to {LONGEST_NAME} characters.")
        replace_json(self.path / "viewer.json", {**self._viewer(), "name": name})

    @property
    def tags(self) -> tuple[str, ...]:
        """Words that viewers keep it under, as they were written."""
        tags = self._viewer().get("tags")
        listed = tags if isinstance(tags, list) else []
        return tuple(tag for tag in listed[:MOST_TAGS] if tag and is_text(tag, LONGEST_TAG))

    def tag(self, tags: Sequence[str]) -> None:
        """Keep it under other words: each once, without the empty ones."""
        given = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        if len(given) > MOST_TAGS or not all(is_text(tag, LONGEST_TAG) for tag in given):
            raise ExplorerError(
                f"A run has at most {MOST_TAGS} tags of up to {LONGEST_TAG} characters."
            )
        replace_json(self.path / "viewer.json", {**self._viewer(), "tags": given})

    def _viewer(self) -> dict[str, Any]:
        try:
            values = read_json(self.path / "viewer.json")
        except ExplorerError:
            return {}
        return values if isinstance(values, dict) else {}

    def stamp(self, name: str) -> str:
        """Return a key that changes whenever the file `name` is replaced; "none" without one."""
        try:
            status = (self.path / name).stat()
        except OSError:
            return "none"
        return f"{status.st_mtime_ns}.{status.st_size}.{status.st_ino}"

    @property
    def fingerprint(self) -> str:
        """A key that changes whenever weights, codes or results change, or another run is there.

        What was computed from a run and is kept is kept under it.
        """
        try:
            info = self.info
            made = zlib.crc32(repr((info.created, info.results, info.timing)).encode())
        except ExplorerError:
            made = 0
        files = (self.stamp("checkpoint.safetensors"), self.stamp("codes.npz"))
        return ":".join((str(self.path.resolve()), *files, f"{made:x}"))

    def metrics(self, split: str | None = None) -> list[dict[str, Any]]:
        """Return the log points in order of step, of one split or of all.

        A torn last line and lines that are no log points are left out. Keys: step, images,
        seconds, elbo, reconstruction, split, where they were stated beta and objective, and, where
        the model has a KL, kl and kl_per_dim; nats per image.
        """
        path = self.path / "metrics.jsonl"
        if not os.path.isfile(path):
            return []
        latent_dim = self.info.latent_dim
        try:
            lines = read_limited(path, LARGEST_LOG).split(b"\n")
        except OSError:
            return []
        points = []
        for line in lines[:-1]:
            try:
                point = parse_json(line)
            except ValueError:
                continue
            if find_fault(point, latent_dim) is None and split in (None, point.get("split")):
                points.append(point)
        return sorted(points, key=lambda point: point["step"])

    def snapshot_steps(self) -> list[int]:
        """Return the steps that have a snapshot, ascending."""
        names = {path.stem for path in (self.path / "snapshots").glob("*.npz")}
        steps = {int(name) for name in names if name.isascii() and name.isdecimal()}
        return sorted(step for step in steps if step <= LARGEST_WHOLE and f"{step:09d}" in names)

    def snapshot(self, step: int) -> Snapshot:
        """Return the snapshot taken at `step`."""
        info, path = self.info, self.path / "snapshots" / f"{step:09d}.npz"
        arrays = self._load(path, lambda arrays: tidy_frame(arrays, info))
        mean = _read_means(arrays)
        return Snapshot(
            step=step,
            mean=mean,
            indices=arrays.get("indices"),
            logvar=arrays["logvar"].astype(np.float32) if "logvar" in arrays else None,
            labels=arrays.get("labels"),
            inputs=arrays.get("inputs"),
            reconstructions=arrays.get("reconstructions"),
            samples=arrays.get("samples"),
        )

    def codes(self) -> Codes | None:
        """Return the codes of the evaluated split, None while there are none."""
        path = self.path / "codes.npz"
        if not path.is_file():
            return None
        info = self.info
        arrays = self._load(path, lambda arrays: tidy_codes(arrays, info))
        mean = _read_means(arrays)
        return Codes(
            mean=mean,
            logvar=arrays["logvar"].astype(np.float32) if "logvar" in arrays else None,
            labels=arrays.get("labels"),
            ids=arrays.get("ids", np.arange(len(mean))),
            indices=arrays.get("indices"),
        )

    def _load(
        self, path: Path, tidy: Callable[[Mapping[str, Array]], dict[str, Array]]
    ) -> dict[str, Array]:
        name = f"{path.name} of run {self.path.name}"
        arrays = load_arrays(path, name=name)
        try:
            return tidy(arrays)
        except ExplorerError as error:
            raise ExplorerError(f"{name} cannot be read: {error}") from error

    @cached_property
    def model(self) -> "Model":
        """The model with the stored weights, in evaluation mode on the CPU."""
        from explorer.runs.checkpoint import load_model

        return load_model(self)


def _settled_state(path: Path) -> tuple[int, ...] | None:
    """Return what tells a small file that rests from every other one.

    None for one so new that its next version may bear the same time, and for a large one.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    changed = max(status.st_mtime, status.st_ctime)
    if status.st_size > LARGEST_KEPT or time.time() - changed < SETTLED_SECONDS:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=4096)
def _keep_info(path: Path, state: tuple[int, ...]) -> RunInfo:
    """Return what run.json holds, parsed once while it is in the same state.

    A page asks a hundred times, and lists have thousands. The state is older than the reading: of a
    file that was replaced between the two, the next look has another one.
    """
    return _read_info(path)


def _read_info(path: Path) -> RunInfo:
    try:
        values = read_json(path)
    except ExplorerError as error:
        raise UnreadableRun(f"{path} cannot be read as a run description.") from error
    if not isinstance(values, dict):
        raise UnreadableRun(f"{path} cannot be read as a run description.")
    return read_info(values, str(path))


def new_run_id(*parts: str) -> str:
    """Return a fresh id made of the date, the time and `parts`."""
    stem = "-".join([time.strftime("%Y%m%d-%H%M%S"), *parts])
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:70] + f"-{os.urandom(2).hex()}"


def versions() -> dict[str, str]:
    """Return the versions of what a result can depend on."""
    import platform
    from importlib import metadata

    found = {"python": platform.python_version()}
    for package in ("latent-explorer", "torch", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _read_means(arrays: Mapping[str, Array]) -> Array:
    if "indices" in arrays:
        return np.empty((len(arrays["indices"]), 0), np.float32)
    return arrays["mean"].astype(np.float32)


def mean_kl(points: Sequence[Mapping[str, Any]]) -> Array:
    """Stack kl_per_dim of log points to (T, K)."""
    return np.array([point["kl_per_dim"] for point in points if "kl_per_dim" in point])
