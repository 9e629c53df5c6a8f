"""The content of run.json: what a run is, which images it was made from, where its job stands.

Anybody may have written the file, so every value is checked here, once, for all that read it.
"""

import dataclasses
import json
import math
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.config import Config, ModelConfig
from explorer.errors import ExplorerError, shorten
from explorer.facts import LATENTS, LIKELIHOODS, PRIORS
from explorer.runs.fields import Fields, WrongField, is_number

SCHEMA = 2
READABLE = (1, 2)
"""Schemas of run.json that are read; the last is what is written."""
MODEL_KINDS = ("config", "layers", "onnx", "none")
"""Whence a run's model: built from its config, kept as layers or as a graph; or there is none."""
_FIRST_KINDS = {"builtin": "config", "exported": "none", "none": "none"}
"""What schema 1 called them."""
STATES = ("queued", "running", "paused", "finished", "stopped", "failed")
LIVE_STATES = ("queued", "running", "paused")
HEARTBEAT_TIMEOUT_SECONDS = 30.0
LARGEST_LATENT = 100_000
LARGEST_SIDE, MOST_PIXELS = 65_536, 2**28
LATEST = 253_402_300_799.0
"""The end of the year 9999, in Unix seconds."""
SPLITS_BY_WORTH = ("test", "validation", "all", "train")
"""Splits whose results speak for a run, the best first."""
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
    """Of pixels, labels and splits."""
    pixels: str = ""
    """The digest of the pixels alone, in order; empty where whoever wrote the run did not say."""


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
class LikelihoodInfo:
    """Which p(x|z) a model's nats are of."""

    name: str
    sigma2: float | None = None
    """A pixel's variance where it is held fixed, or where it started."""
    binarise: bool | None = None
    """Whether grey images are drawn binary before they are scored; None where it has no meaning."""
    told: bool = True
    """Whether somebody said so, or it was inferred."""


@dataclass(frozen=True)
class ModelInfo:
    """What a run says of its model before any weights are loaded."""

    kind: str
    """One of MODEL_KINDS."""
    latent_kind: str
    """gaussian, point or categorical"""
    latent_dim: int
    shape: tuple[int, int, int] | None = None
    """(C, H, W) of its images, where they are known."""
    prior: str = "standard"
    """standard, N(0, I), mixture, or uniform over a codebook"""
    likelihood: LikelihoodInfo | None = None
    adopted: Mapping[str, Any] | None = None
    """How a model that was made elsewhere is read, and what its self-test found."""

    @property
    def is_beta_implied(self) -> bool:
        """Whether `adopted_beta` was told by nobody, and is what weights imply."""
        values: Any = (self.adopted or {}).get("beta")
        told = values.get("told") if isinstance(values, Mapping) else None
        return self.adopted_beta is not None and not (is_number(told) and told >= 0)

    @property
    def adopted_beta(self) -> float | None:
        """The β that was told of a model made elsewhere, else what its weights imply, if any."""
        values: Any = (self.adopted or {}).get("beta")
        if not isinstance(values, Mapping):
            return None
        implied: Any = values.get("implied")
        read_off = implied.get("beta") if isinstance(implied, Mapping) else None
        found = (beta for beta in (values.get("told"), read_off) if is_number(beta))
        return next((float(beta) for beta in found if beta >= 0), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the model's part of run.json."""
        return {
            "kind": self.kind,
            "shape": None if self.shape is None else list(self.shape),
            "latent": {"kind": self.latent_kind, "dim": self.latent_dim},
            "prior": {"name": self.prior},
            "likelihood": None if self.likelihood is None else vars(self.likelihood),
            "adopted": None if self.adopted is None else dict(self.adopted),
        }


def describe_config(
    config: ModelConfig, kind: str, shape: tuple[int, int, int] | None = None
) -> ModelInfo:
    """Return what is known of a model that is built from `config`."""
    facts = LIKELIHOODS[config.likelihood]
    likelihood = LikelihoodInfo(
        config.likelihood,
        None if facts.scale == "none" else config.sigma2,
        config.binarise if facts.may_binarise else None,
    )
    prior = config.prior if LATENTS[config.latent].is_continuous else "uniform"
    return ModelInfo(kind, config.latent, config.latent_dim, shape, prior, likelihood)


def state_likelihood(name: str | None, sigma2: float | None) -> LikelihoodInfo | None:
    """Return the likelihood that somebody states of a loop of their own; None where none is."""
    if name is None and sigma2 is None:
        return None
    name = "gaussian" if name is None else name
    if name not in LIKELIHOODS:
        raise ExplorerError(f"A likelihood is one of {', '.join(LIKELIHOODS)}, not {name!r}.")
    return LikelihoodInfo(name, sigma2)


@dataclass(frozen=True)
class RunInfo:
    """The content of run.json."""

    config: Config | None
    """What it was trained by; None for a run of somebody else's loop."""
    model: ModelInfo
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
    def latent_kind(self) -> str:
        """The model's kind of code: gaussian, point or categorical."""
        return self.model.latent_kind

    @property
    def latent_dim(self) -> int:
        """The model's number of latents."""
        return self.model.latent_dim

    @property
    def prior(self) -> str:
        """The name of the model's prior."""
        return self.model.prior

    @property
    def beta(self) -> float | None:
        """The β that it was trained with: its last one, planned, told or implied; else None."""
        if "beta" in self.timing:
            return float(self.timing["beta"])
        return self.model.adopted_beta if self.config is None else self.config.objective.beta

    @property
    def best_split(self) -> str | None:
        """The split whose results speak for the run, the most held out; None without any."""
        return next((name for name in SPLITS_BY_WORTH if name in self.results), None)

    @property
    def best_results(self) -> Mapping[str, Any]:
        """The results of that split, empty without any."""
        return {} if self.best_split is None else self.results[self.best_split]

    @property
    def has_model(self) -> bool:
        """Whether weights go with it from which a model can be loaded."""
        return self.model.kind != "none"

    @property
    def has_density(self) -> bool:
        """Whether q(z|x) has a density: only then are there KL and ELBO."""
        return LATENTS[self.latent_kind].has_density

    @property
    def has_shares(self) -> bool:
        """Whether KL has a share per dimension: q(z|x) has a density, and the prior grants them."""
        return self.has_density and self.prior in PRIORS and PRIORS[self.prior].has_shares

    @property
    def is_continuous(self) -> bool:
        """Whether codes are coordinates, so that they have a map."""
        return LATENTS[self.latent_kind].is_continuous

    @property
    def is_trained_here(self) -> bool:
        """Whether a training of ours made it by gradient descent, so that it can go on or vary."""
        config = self.config
        return self.model.kind == "config" and config is not None and config.method == "gradient"

    def to_dict(self) -> dict[str, Any]:
        """Return run.json's content."""
        dataset = self.dataset
        return {
            "schema": SCHEMA,
            "created": self.created,
            "model": self.model.to_dict(),
            "images": None if dataset is None else vars(dataset),
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
        if schema not in READABLE or isinstance(schema, bool):
            shown = shorten(repr(schema), 40) if isinstance(schema, str | int | None) else "none"
            raise UnreadableRun(
                f"{where} was written by another version (schema {shown}; this version reads "
                f"schemas {READABLE[0]} and {READABLE[-1]}).",
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
    is_first = fields.whole("schema") == 1
    values = fields.any("config")
    config = None if values is None else Config.from_dict(values)
    name = "dataset" if is_first else "images"
    dataset = None if fields.is_none(name) else _read_dataset(fields.part(name), is_first)
    info = RunInfo(
        config=config,
        model=(_read_first_model if is_first else _read_model)(fields, config, dataset),
        dataset=dataset,
        planned_steps=None if fields.is_none("planned_steps") else fields.whole("planned_steps"),
        status=_read_status(fields.part("status")),
        created=fields.number("created", 0, LATEST),
        versions={name: fields.part("versions").text(name) for name in fields.part("versions")},
        results=fields.any("results"),
        timing=fields.any("timing"),
    )
    check_results(fields.part("results"), info.latent_dim)
    check_timing(fields.part("timing"))
    if config is not None:
        model = config.model
        if (model.latent, model.latent_dim) != (info.latent_kind, info.latent_dim):
            raise WrongField("latent" if is_first else "model.latent")
    return info


def _read_first_model(
    fields: Fields, config: Config | None, dataset: DatasetInfo | None
) -> ModelInfo:
    """Read what schema 1 says of the model: its kind and latents; the rest is in the config."""
    kind = _FIRST_KINDS.get(fields.part("model").text("kind"))
    if kind is None:
        raise WrongField("model.kind")
    latent = fields.part("latent")
    latent_kind, dim = latent.text("kind"), latent.whole("dim", 1, LARGEST_LATENT)
    if latent_kind not in LATENTS:
        raise WrongField("latent.kind")
    shape = None if dataset is None else dataset.shape
    if config is None:
        return ModelInfo(kind, latent_kind, dim, shape)
    return dataclasses.replace(
        describe_config(config.model, kind, shape), latent_kind=latent_kind, latent_dim=dim
    )


def _read_model(fields: Fields, config: Config | None, dataset: DatasetInfo | None) -> ModelInfo:
    model = fields.part("model")
    latent = model.part("latent")
    kind, latent_kind = model.text("kind"), latent.text("kind")
    if kind not in MODEL_KINDS:
        raise WrongField("model.kind")
    if latent_kind not in LATENTS:
        raise WrongField("model.latent.kind")
    if kind == "config" and config is None:
        raise WrongField("config")
    if not model.is_none("adopted"):
        model.part("adopted")
    return ModelInfo(
        kind=kind,
        latent_kind=latent_kind,
        latent_dim=latent.whole("dim", 1, LARGEST_LATENT),
        shape=None if model.is_none("shape") else _read_shape(model),
        prior=model.part("prior").text("name", 40),
        likelihood=None if model.is_none("likelihood") else _read_likelihood(model),
        adopted=model.any("adopted"),
    )


def _read_likelihood(model: Fields) -> LikelihoodInfo:
    fields = model.part("likelihood")
    truths = {}
    for name in ("binarise", "told"):
        truths[name] = fields.any(name)
        if not isinstance(truths[name], bool) and not (name == "binarise" and truths[name] is None):
            raise WrongField(fields.path(name))
    sigma2 = None if fields.is_none("sigma2") else fields.number("sigma2", 0)
    return LikelihoodInfo(fields.text("name", 60), sigma2, truths["binarise"], truths["told"])


def _read_shape(fields: Fields) -> tuple[int, int, int]:
    shape = fields.wholes("shape", 1, LARGEST_SIDE)
    if len(shape) != 3 or math.prod(shape) > MOST_PIXELS:
        raise WrongField(fields.path("shape"))
    channels, height, width = shape
    return channels, height, width


def _read_dataset(fields: Fields, is_first: bool) -> DatasetInfo:
    return DatasetInfo(
        fields.text("name", 200),
        _read_shape(fields),
        fields.texts("class_names"),
        fields.text("fingerprint", 200),
        "" if is_first else fields.text("pixels", 200),
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
