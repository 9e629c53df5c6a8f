"""The content of run.json: what a run is, which images it was made from, where its job stands."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError

SCHEMA = 1
STATES = ("queued", "running", "paused", "finished", "stopped", "failed")
LIVE_STATES = ("queued", "running", "paused")
HEARTBEAT_TIMEOUT_SECONDS = 30.0


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
