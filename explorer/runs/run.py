"""The run directory: the one interface between training and everything that looks at a model.

A run is a folder:
    run.json              schema, config, kinds, planned steps, status, versions, results
    metrics.jsonl         a line per log point, nats per image
    snapshots/<step>.npz  the film: codes of a fixed probe set, reconstructions, samples
    checkpoint.safetensors  weights (and, while unfinished, optimiser and random state)
    codes.npz             mean, logvar, labels, ids of the evaluated split; indices (N, P) in
                          place of mean and logvar where codes are categorical
    control.json          what viewers ask of the job (see `control.py`)
    viewer.json           display name and notes; the viewers' only file
Every file is replaced whole or appended by one writer, so readers may look at any time.
"""

import json
import os
import re
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from explorer.codes import Array, Codes
from explorer.errors import ExplorerError
from explorer.files import replace_json
from explorer.paths import resource, runs_folder
from explorer.runs.info import RunInfo

if TYPE_CHECKING:
    from explorer.models import VAE

NEEDED = ("step", "seconds", "beta", "objective", "elbo", "reconstruction")
"""What every log point has."""
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79})?")


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
        if not (self.path / "run.json").is_file():
            raise ExplorerError(f"There is no run at {self.path}.")

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @property
    def info(self) -> RunInfo:
        """The content of run.json as it is now."""
        path = self.path / "run.json"
        try:
            values = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ExplorerError(f"{path} cannot be read as a run description.") from error
        if not isinstance(values, dict):
            raise ExplorerError(f"{path} cannot be read as a run description.")
        return RunInfo.from_dict(values, str(path))

    @property
    def name(self) -> str:
        """The display name: the viewers' choice, else the id."""
        return str(self._viewer().get("name") or self.id)

    def rename(self, name: str) -> None:
        """Change the display name; the folder and the id stay."""
        name = name.strip()
        if not 1 <= len(name) <= 80:
            raise ExplorerError("A name has 1 to 80 characters.")
        replace_json(self.path / "viewer.json", {**self._viewer(), "name": name})

    def _viewer(self) -> dict[str, Any]:
        try:
            values = json.loads((self.path / "viewer.json").read_text())
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    @property
    def fingerprint(self) -> str:
        """A key that changes whenever the stored weights change."""
        try:
            status = (self.path / "checkpoint.safetensors").stat()
        except OSError:
            return f"{self.path.resolve()}:none"
        return f"{self.path.resolve()}:{status.st_mtime_ns}:{status.st_size}"

    def metrics(self, split: str | None = None) -> list[dict[str, Any]]:
        """Return the log points in order of step, of one split or of all.

        A torn last line and lines that are no log points are left out. Keys: step, images,
        seconds, beta, objective, elbo, reconstruction, split and, where the model has a KL, kl
        and kl_per_dim; nats per image.
        """
        try:
            lines = (self.path / "metrics.jsonl").read_bytes().split(b"\n")
        except OSError:
            return []
        points = []
        for line in lines[:-1]:
            try:
                point = json.loads(line)
            except ValueError:
                continue
            if not isinstance(point, dict) or split not in (None, point.get("split")):
                continue
            if all(isinstance(point.get(key), int | float) for key in NEEDED):
                points.append(point)
        return points

    def snapshot_steps(self) -> list[int]:
        """Return the steps that have a snapshot, ascending."""
        names = (path.stem for path in (self.path / "snapshots").glob("*.npz"))
        return sorted(int(name) for name in names if name.isdigit())

    def snapshot(self, step: int) -> Snapshot:
        """Return the snapshot taken at `step`."""
        arrays = _load_arrays(self.path / "snapshots" / f"{step:09d}.npz")
        return Snapshot(
            step=step,
            mean=_read_means(arrays),
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
        arrays = _load_arrays(path)
        return Codes(
            mean=_read_means(arrays),
            logvar=arrays["logvar"].astype(np.float32) if "logvar" in arrays else None,
            labels=arrays.get("labels"),
            ids=arrays["ids"],
            indices=arrays.get("indices"),
        )

    @cached_property
    def model(self) -> "VAE":
        """The model with the stored weights, in evaluation mode on the CPU."""
        from explorer.runs.checkpoint import load_model

        return load_model(self)


def open_run(name_or_path: str | os.PathLike[str]) -> Run:
    """Open a pretrained run by name, a run of the default runs folder by id, or a path."""
    text = os.fspath(name_or_path)
    if RUN_ID.fullmatch(text):
        for folder in (resource("pretrained"), runs_folder()):
            if (folder / text / "run.json").is_file():
                return Run(folder / text, text)
    if (Path(text) / "run.json").is_file():
        return Run(text)
    names = ", ".join(run.id for run in list_pretrained())
    raise ExplorerError(f"There is no run {text!r}; the pretrained ones are {names or 'missing'}.")


def list_pretrained() -> list[Run]:
    """Return the shipped runs in alphabetical order, members of families left out."""
    folder = resource("pretrained")
    return [Run(path.parent, path.parent.name) for path in sorted(folder.glob("*/run.json"))]


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


def _load_arrays(path: Path) -> dict[str, Array]:
    try:
        # Opened here, since np.load leaves the file open where it is no archive.
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise ExplorerError(f"{path.name} of run {path.parent.name} cannot be read.") from error


def _read_means(arrays: Mapping[str, Array]) -> Array:
    if "indices" in arrays:
        return np.empty((len(arrays["indices"]), 0), np.float32)
    return arrays["mean"].astype(np.float32)


def mean_kl(points: Sequence[Mapping[str, Any]]) -> Array:
    """Stack kl_per_dim of log points to (T, K)."""
    return np.array([point["kl_per_dim"] for point in points if "kl_per_dim" in point])
