"""The content of run.json: what a run is, which images it was made from, where its job stands.

Anybody may have written the file, so every value is checked here, once, for all that read it.
"""

import json
import math
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError, shorten
from explorer.runs.fields import Fields, WrongField

SCHEMA = 1
STATES = ("queued", "running", "paused", "finished", "stopped", "failed")
LIVE_STATES = ("queued", "running", "paused")
HEARTBEAT_TIMEOUT_SECONDS = 30.0
LARGEST_LATENT = 100_000
LARGEST_SIDE, MOST_PIXELS = 65_536, 2**28
LATEST = 253_402_300_799.0
"""The end of the year 9999, in Unix seconds."""
FIGURES = ("elbo", "reconstruction", "kl")
"""What pages show of a split's results; it may lack any of them, and have others."""


class UnreadableRun(ExplorerError):
    """A run that cannot be read.

    `code` says why: broken (run.json is no JSON file), version (`detail` is its schema), part
    (`detail` is missing or wrong) or name (the folder's name is no id).
    """

    def __init__(self, message: str, code: str = "broken", detail: str = "") -> None:
        super().__init__(message)
        self.code, self.detail = code, detail


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
        if self.state not in LIVE_STATES or not is_recent(self.heartbeat):
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
        if schema != SCHEMA or isinstance(schema, bool):
            shown = shorten(repr(schema), 40) if isinstance(schema, str | int | None) else "none"
            raise UnreadableRun(
                f"{where} was written by another version (schema {shown}; this version reads "
                f"schema {SCHEMA}).",
                "version",
                shown,
            )
        incomplete = f"{where} is not a complete run description"
        try:
            return _read_info(Fields(values))
        except WrongField as error:
            message = f"{incomplete}: {error} is missing or not what it must be."
            raise UnreadableRun(message, "part", str(error)) from error
        except (ExplorerError, TypeError) as error:
            raise UnreadableRun(f"{incomplete}: {error}", "part", "config") from error
        except RecursionError as error:
            raise UnreadableRun(f"{incomplete}: it is nested too deeply.") from error


def check_info(info: RunInfo) -> RunInfo:
    """Return what run.json is to hold; an ExplorerError for what could not be read again."""
    try:
        content = json.loads(json.dumps(info.to_dict(), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ExplorerError(
            "A run is described by plain numbers, text, lists and tables."
        ) from error
    RunInfo.from_dict(content, "This run")
    return info


def is_recent(moment: float) -> bool:
    """Tell whether a sign of life, in Unix seconds, is of now; one from the future is none."""
    return abs(time.time() - moment) <= HEARTBEAT_TIMEOUT_SECONDS


def check_results(results: Fields, latent_dim: int) -> None:
    """Raise WrongField unless the figures that pages show, by split, are numbers."""
    for name in results:
        split = results.part(name)
        for figure in FIGURES:
            if figure in set(split):
                split.number(figure)
        if "kl_per_dim" in set(split):
            split.numbers("kl_per_dim", latent_dim)


def check_timing(timing: Fields) -> None:
    """Raise WrongField unless every entry is a number."""
    for name in timing:
        timing.number(name)


def _read_info(fields: Fields) -> RunInfo:
    latent = fields.part("latent")
    values = fields.any("config")
    info = RunInfo(
        config=None if values is None else Config.from_dict(values),
        model_kind=fields.part("model").text("kind"),
        latent_kind=latent.text("kind"),
        latent_dim=latent.whole("dim", 1, LARGEST_LATENT),
        dataset=None if fields.is_none("dataset") else _read_dataset(fields.part("dataset")),
        planned_steps=None if fields.is_none("planned_steps") else fields.whole("planned_steps"),
        status=_read_status(fields.part("status")),
        created=fields.number("created", 0, LATEST),
        versions={name: fields.part("versions").text(name) for name in fields.part("versions")},
        results=fields.any("results"),
        timing=fields.any("timing"),
    )
    check_results(fields.part("results"), info.latent_dim)
    check_timing(fields.part("timing"))
    if info.config is not None:
        model = info.config.model
        if (model.latent, model.latent_dim) != (info.latent_kind, info.latent_dim):
            raise WrongField("latent")
    return info


def _read_dataset(fields: Fields) -> DatasetInfo:
    shape = fields.wholes("shape", 1, LARGEST_SIDE)
    if len(shape) != 3 or math.prod(shape) > MOST_PIXELS:
        raise WrongField(fields.path("shape"))
    channels, height, width = shape
    return DatasetInfo(
        fields.text("name", 200),
        (channels, height, width),
        fields.texts("class_names"),
        fields.text("fingerprint", 200),
    )


def _read_status(fields: Fields) -> Status:
    """Read a status; what is not there is as at the start, what is not known is an error."""
    kinds = Status.__annotations__
    values: dict[str, Any] = {}
    for name in fields:
        if name not in kinds:
            raise WrongField(fields.path(name))
        if kinds[name] is str:
            values[name] = fields.text(name)
        elif kinds[name] is float:
            values[name] = fields.number(name)
        else:
            values[name] = fields.whole(name)
    status = Status(**values)
    if status.state not in STATES:
        raise WrongField(fields.path("state"))
    return status


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
