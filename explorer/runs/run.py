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
import socket
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from explorer.codes import Array, Codes
from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.files import replace_json
from explorer.paths import resource, runs_folder

if TYPE_CHECKING:
    from explorer.models import VAE

SCHEMA = 1
STATES = ("queued", "running", "paused", "finished", "stopped", "failed")
LIVE_STATES = ("queued", "running", "paused")
HEARTBEAT_TIMEOUT_SECONDS = 30.0
NEEDED = ("step", "seconds", "beta", "objective", "elbo", "reconstruction")
"""What every log point has."""
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79})?")


@dataclass(frozen=True)
class DatasetInfo:
    """Which images a run was made from."""

    name: str
    shape: tuple[int, int, int]
    """(channels, height, width)"""
    class_names: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True)
class Status:
    """Where a job stands; written by the job alone."""

    state: str = "queued"
    step: int = 0
    message: str = ""
    pid: int = 0
    host: str = ""
    heartbeat: float = 0.0
    """Unix seconds of the last sign of life."""
    control: int = 0
    """Number of the last command that was applied."""
    family_control: int = 0
    """Likewise of the commands to the family that it is trained with."""

    def is_alive(self) -> bool:
        """Tell a living job from one that died: its process, if on this host, and its heartbeat."""
        silence = time.time() - self.heartbeat
        if self.state not in LIVE_STATES or silence > HEARTBEAT_TIMEOUT_SECONDS:
            return False
        return self.host != socket.gethostname() or _process_exists(self.pid)

    def shown_state(self) -> str:
        """Return the state, with "interrupted" for a job that died without saying so."""
        return self.state if self.state not in LIVE_STATES or self.is_alive() else "interrupted"


@dataclass(frozen=True)
class RunInfo:
    """The content of run.json."""

    config: Config | None
    model_kind: str
    """builtin, exported or none"""
    latent_kind: str
    """gaussian, point or categorical"""
    latent_dim: int
    dataset: DatasetInfo | None
    planned_steps: int | None
    status: Status
    created: float
    versions: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Final figures by split: elbo, reconstruction, kl, kl_per_dim, images."""
    timing: Mapping[str, float] = field(default_factory=dict)
    """seconds, images_per_second, parameters"""

    @property
    def prior(self) -> str:
        """Name of the prior: mixture, or standard, N(0, I), where the config says nothing else."""
        return "standard" if self.config is None else self.config.model.prior

    def to_dict(self) -> dict[str, Any]:
        """Return run.json's content."""
        dataset = self.dataset
        return {
            "schema": SCHEMA,
            "created": self.created,
            "model": {"kind": self.model_kind},
            "latent": {"kind": self.latent_kind, "dim": self.latent_dim},
            "dataset": None if dataset is None else vars(dataset),
            "seed": None if self.config is None else self.config.seed,
            "planned_steps": self.planned_steps,
            "status": vars(self.status),
            "timing": dict(self.timing),
            "results": dict(self.results),
            "versions": dict(self.versions),
            "config": None if self.config is None else self.config.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str) -> "RunInfo":
        """Read run.json's content; an unknown schema is an ExplorerError."""
        schema = values.get("schema")
        if schema != SCHEMA:
            raise ExplorerError(
                f"{where} was written by another version (schema {schema!r}; this version reads "
                f"schema {SCHEMA})."
            )
        try:
            dataset = values["dataset"]
            if dataset is not None:
                dataset = DatasetInfo(
                    dataset["name"],
                    tuple(dataset["shape"]),
                    tuple(dataset["class_names"]),
                    dataset["fingerprint"],
                )
            return cls(
                config=None if values["config"] is None else Config.from_dict(values["config"]),
                model_kind=values["model"]["kind"],
                latent_kind=values["latent"]["kind"],
                latent_dim=values["latent"]["dim"],
                dataset=dataset,
                planned_steps=values["planned_steps"],
                status=Status(**values["status"]),
                created=values["created"],
                versions=values["versions"],
                results=values["results"],
                timing=values["timing"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ExplorerError(f"{where} is not a complete run description: {error}.") from error


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


def _process_exists(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0


def mean_kl(points: Sequence[Mapping[str, Any]]) -> Array:
    """Stack kl_per_dim of log points to (T, K)."""
    return np.array([point["kl_per_dim"] for point in points if "kl_per_dim" in point])
