"""The content of run.json: what a run is, which images it was made from, where its job stands.

Anybody may have written the file: it is read, and checked, in `info_read`.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.config import Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS, PRIORS
from explorer.runs.fields import is_number

SCHEMA = 2
MODEL_KINDS = ("config", "layers", "onnx", "none")
"""Whence a run's model: built from its config, kept as layers or as a graph; or there is none."""
STATES = ("queued", "running", "paused", "finished", "stopped", "failed")
LIVE_STATES = ("queued", "running", "paused")
HEARTBEAT_TIMEOUT_SECONDS = 30.0
LARGEST_LATENT = 100_000
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


def is_recent(moment: float) -> bool:
    """Tell whether a sign of life, in Unix seconds, is of now; one from the future is none."""
    return abs(time.time() - moment) <= HEARTBEAT_TIMEOUT_SECONDS


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
