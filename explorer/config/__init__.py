"""Everything that decides a run, in frozen dataclasses: validated once, JSON and TOML both ways.

A `Config` holds four parts. Units: learning rates are per update of the batch-mean objective in
nats per image; fractions are of the planned steps, so that a schedule depends on the step alone.
"""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.config.budget import BudgetConfig
from explorer.config.checks import LARGEST_SEED, check_choice, check_whole
from explorer.config.model import ModelConfig
from explorer.config.objective import ObjectiveConfig
from explorer.config.optimiser import OptimiserConfig, suited_rate
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, PRIORS

__all__ = ["BudgetConfig", "Config", "ModelConfig", "ObjectiveConfig", "OptimiserConfig"]

DEVICES = ("auto", "cpu", "cuda", "mps")
FITS = {
    "ppca": ("gaussian", "gaussian-learned"),
    "fa": ("gaussian", "gaussian-diagonal"),
    "ica": ("point", "gaussian-learned"),
}
"""The linear models that are fitted in closed form, with the latent and likelihood they take."""
LONGEST_TOML = 10_000
"""Characters; Python's parser takes a gigabyte for a key of some ten thousand parts."""
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){40}""")
"""A dotted key of more parts than any table of a config lies deep."""


@dataclass(frozen=True)
class Config:
    """One training run: data, model, objective, optimiser, budget, seed and device."""

    dataset: str = "digits"
    split: str = "train"
    """The images that are trained on: train, or all (for studies without a held-out set)."""
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    budget: BudgetConfig = field(default_factory=lambda: BudgetConfig(epochs=20))
    seed: int = 0
    device: str = "auto"
    method: str = "gradient"
    """gradient: descent on the objective. ppca, fa, ica: fitted at once (`training.fit`)."""

    def __post_init__(self) -> None:
        check_choice("device", self.device, DEVICES)
        check_choice("method", self.method, ("gradient", *FITS))
        kinds = (self.model.latent, self.model.likelihood)
        if self.method in FITS and (self.model.network != "linear" or kinds != FITS[self.method]):
            latent, likelihood = FITS[self.method]
            raise ExplorerError(
                f"{self.method} is a linear network with a {latent} code and the likelihood "
                f"{likelihood}."
            )
        check_choice("split", self.split, ("train", "all"))
        check_whole("seed", self.seed, 0, LARGEST_SEED)
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ExplorerError("A data set is given by its name, such as 'digits'.")
        if self.optimiser.learning_rate is None:
            suited = dataclasses.replace(self.optimiser, learning_rate=suited_rate(self.model))
            object.__setattr__(self, "optimiser", suited)
        objective = self.objective
        has_density = LATENTS[self.model.latent].has_density
        if not has_density and objective.importance_samples > 1:
            raise ExplorerError("A plain autoencoder or a VQ-VAE has no importance-weighted bound.")
        if not has_density and self.optimiser.inner_steps:
            raise ExplorerError("Encoder-only updates are made for a Gaussian q(z|x).")
        if not PRIORS[self.model.prior].has_shares and objective.free_bits:
            raise ExplorerError(
                "KL to a mixture has no share per dimension: use free_bits_total in place of "
                "free_bits."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the config as plain JSON-compatible values."""
        return dataclasses.asdict(self)

    def by_field(self) -> dict[str, Any]:
        """Return the value of each field by its name with its part's, such as "model.hidden"."""
        found: dict[str, Any] = {}
        for name, value in self.to_dict().items():
            if name in _PARTS:
                found |= {f"{name}.{inner}": each for inner, each in value.items()}
            else:
                found[name] = value
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Config":
        """Build a config from plain values; an unknown or ill-typed field is an ExplorerError."""
        return _build(cls, values, "config")

    def to_toml(self) -> str:
        """Return the config as TOML text."""
        import tomli_w

        values = self.to_dict()
        values["budget"] = {key: v for key, v in values["budget"].items() if v is not None}
        return tomli_w.dumps(values)

    @classmethod
    def from_toml(cls, text: str) -> "Config":
        """Read a config from TOML text."""
        if len(text) > LONGEST_TOML:
            raise ExplorerError(f"A config has at most {LONGEST_TOML:,} characters of TOML.")
        if _LONG_KEY.search(text):  # Of which the parser makes as many tables at each part.
            raise ExplorerError("The config is not valid TOML: it is nested too deeply.")
        try:
            return cls.from_dict(tomllib.loads(text))
        except ValueError as error:  # Of numbers with thousands of digits too.
            raise ExplorerError(f"The config is not valid TOML: {error}.") from error
        except RecursionError as error:
            raise ExplorerError("The config is not valid TOML: it is nested too deeply.") from error


_PARTS = {
    "model": ModelConfig,
    "objective": ObjectiveConfig,
    "optimiser": OptimiserConfig,
    "budget": BudgetConfig,
}


def _build(cls: type, values: Mapping[str, Any], where: str) -> Any:
    if not isinstance(values, Mapping):
        raise ExplorerError(f"{where} must be a table of named values; it is {values!r}.")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := sorted(set(values) - set(fields)):
        raise ExplorerError(
            f"{where} has no field {unknown[0]!r}; its fields are {', '.join(fields)}."
        )
    built: dict[str, Any] = {}
    for name, value in values.items():
        if cls is Config and name in _PARTS:
            value = _build(_PARTS[name], value, name)
        elif fields[name].type in (int, int | None) and isinstance(value, float):
            value = int(value) if value.is_integer() else value
        built[name] = value
    return cls(**built)
