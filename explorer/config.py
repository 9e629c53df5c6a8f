"""Everything that decides a run, in frozen dataclasses: validated once, JSON and TOML both ways.

A `Config` holds four parts. Units: learning rates are per update of the batch-mean objective in
nats per image; fractions are of the planned steps, so that a schedule depends on the step alone.
"""

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS, NETWORKS, PRIORS

NETWORK_NAMES = tuple(NETWORKS)
LIKELIHOOD_NAMES = tuple(LIKELIHOODS)
ACTIVATIONS = ("relu", "tanh", "silu")
BETA_SCHEDULES = ("constant", "linear", "cyclical")
LEARNING_RATE_SCHEDULES = ("cosine", "constant", "burda")
DEVICES = ("auto", "cpu", "cuda", "mps")
MATMUL_PRECISIONS = ("auto", "float32", "bfloat16")
FITS = {
    "ppca": ("gaussian", "gaussian-learned"),
    "fa": ("gaussian", "gaussian-diagonal"),
    "ica": ("point", "gaussian-learned"),
}
"""The linear models that are fitted in closed form, with the latent and likelihood they take."""
LEARNING_RATE = 2e-3
GENTLE_WIDTH = 128
"""Channels up to which convolutions bear LEARNING_RATE."""
LARGEST_SEED = 2**31 - 1
LONGEST_TOML = 10_000
"""Characters; Python's parser takes a gigabyte for a key of some ten thousand parts."""
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){40}""")
"""A dotted key of more parts than any table of a config lies deep."""


@dataclass(frozen=True)
class ModelConfig:
    """The two networks, the latent code and the likelihood."""

    network: str = "mlp"
    """A key of `models.NETWORKS`: mlp, conv or linear."""
    hidden: tuple[int, ...] = (512, 256, 128)
    """Units of each hidden layer (mlp) or channels of each stage (conv); the decoder mirrors it."""
    activation: str = "relu"
    latent_dim: int = 2
    latent: str = "gaussian"
    """gaussian: q(z|x) is a diagonal normal. point: a plain autoencoder, without KL. categorical:
    a VQ-VAE, whose code is a grid of `latent_dim` positions, each one of `codebook` vectors."""
    noise: float = 0.0
    """Standard deviation added to a point code (an autoencoder with fixed noise)."""
    likelihood: str = "bernoulli"
    sigma2: float = 0.05
    """A pixel's variance where the likelihood has one; where it is learned, its starting value."""
    binarise: bool = True
    """Bernoulli: score a fresh binary draw of each grey image. False scores the grey values
    themselves, which is a cross-entropy and no likelihood."""
    posterior_cap: float = 1.0
    """c: q's variances stay below it, so that KL_i ≥ ½(c − 1 − ln c); 1 is off (see networks)."""
    mean_norm: float = 0.0
    """γ: the spread that batch norm gives each dimension of μ; 0 is off (see networks)."""
    skip: bool = False
    """Feed z to every layer of the decoder (mlp)."""
    prior: str = "standard"
    """p(z) of a Gaussian code. standard: N(0, I). mixture: `prior_components` diagonal normals,
    learned with the rest."""
    prior_components: int = 10
    codebook: int = 64
    """How many vectors a categorical code chooses from at each position."""
    code_size: int = 16
    """Numbers in each of these vectors."""
    commitment: float = 0.25
    """What the encoder pays per squared distance to the vector it chose."""
    precision: str = "float32"

    def __post_init__(self) -> None:
        _choice("network", self.network, NETWORK_NAMES)
        _choice("activation", self.activation, ACTIVATIONS)
        _choice("latent", self.latent, tuple(LATENTS))
        _choice("likelihood", self.likelihood, LIKELIHOOD_NAMES)
        _choice("precision", self.precision, ("float32", "float64"))
        _whole("latent_dim", self.latent_dim, 1, 512)
        _between("noise", self.noise, 0.0, 100.0)
        _between("sigma2", self.sigma2, 1e-8, 1e6)
        _between("posterior_cap", self.posterior_cap, 1e-6, 1.0)
        _between("mean_norm", self.mean_norm, 0.0, 100.0)
        _truth("skip", self.skip)
        _choice("prior", self.prior, tuple(PRIORS))
        _whole("prior_components", self.prior_components, 1, 200)
        _whole("codebook", self.codebook, 2, 1024)
        _whole("code_size", self.code_size, 1, 256)
        _between("commitment", self.commitment, 0.0, 100.0)
        code = LATENTS[self.latent]
        if not code.has_density and (self.posterior_cap < 1 or self.mean_norm):
            raise ExplorerError("Only a Gaussian q(z|x) can be capped or normalised.")
        if not code.has_density and self.prior != "standard":
            raise ExplorerError("A learned mixture prior goes with a Gaussian q(z|x).")
        if self.network not in code.networks:
            raise ExplorerError("A VQ-VAE is convolutional: choose the network conv.")
        if self.skip and not NETWORKS[self.network].takes_skips:
            raise ExplorerError("Skips from z are built for mlp networks.")
        _truth("binarise", self.binarise)
        if not isinstance(self.hidden, list | tuple):
            raise ExplorerError(f"hidden must be a list of layer sizes; it is {self.hidden!r}.")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if len(self.hidden) > 8:
            raise ExplorerError(f"At most 8 hidden layers are supported, not {len(self.hidden)}.")
        for units in self.hidden:
            _whole("hidden", units, 1, 8192)


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised: reconstruction + β·KL, and how β moves."""

    beta: float = 1.0
    schedule: str = "constant"
    """constant; linear (0 to β over the first `warmup`); cyclical (`cycles` such ramps)."""
    warmup: float = 0.2
    """Fraction of the planned steps (linear) or of each cycle (cyclical) in which β rises."""
    cycles: int = 4
    samples: int = 1
    """L, the Monte-Carlo samples of z per image."""
    importance_samples: int = 1
    """k of the importance-weighted bound; 1 is the plain ELBO."""
    free_bits: float = 0.0
    """λ in nats per dimension below which KL costs nothing."""
    free_bits_total: float = 0.0
    """λ in nats over all dimensions together below which KL costs nothing."""
    capacity: float = 0.0
    """C in nats: γ·|KL − C| is priced in place of β·KL, and C rises as β would; 0 is off."""
    capacity_weight: float = 10.0
    """γ of the capacity target."""

    def __post_init__(self) -> None:
        _choice("schedule", self.schedule, BETA_SCHEDULES)
        _between("beta", self.beta, 0.0, 1e4)
        _between("warmup", self.warmup, 0.0, 1.0)
        _whole("cycles", self.cycles, 1, 1000)
        _whole("samples", self.samples, 1, 1000)
        _whole("importance_samples", self.importance_samples, 1, 1000)
        _between("free_bits", self.free_bits, 0.0, 100.0)
        _between("free_bits_total", self.free_bits_total, 0.0, 1e4)
        _between("capacity", self.capacity, 0.0, 1e4)
        _between("capacity_weight", self.capacity_weight, 0.0, 1e6)
        floors = (self.free_bits, self.free_bits_total, self.capacity)
        if sum(floor > 0 for floor in floors) > 1:
            raise ExplorerError("Choose one of free bits, total free bits and a capacity target.")
        if self.importance_samples > 1 and (
            self.samples > 1 or any(floors) or self.beta != 1 or self.schedule != "constant"
        ):
            raise ExplorerError(
                "An importance-weighted bound (importance_samples > 1) goes with β = 1, a constant "
                "schedule, one sample, no free bits and no capacity target."
            )

    @property
    def is_plain(self) -> bool:
        """Whether it is reconstruction + β·KL from one sample of z, and nothing else."""
        floors = (self.free_bits, self.free_bits_total, self.capacity)
        return self.samples == self.importance_samples == 1 and not any(floors)

    def at(self, step: int, steps: int) -> "ObjectiveConfig":
        """Return what holds at 0-based `step` of `steps`: a capacity target C rises like β.

        Burgess et al. 2018, Eq. 8: C from 0 to its final value, linearly.
        """
        if not self.capacity or self.schedule == "constant":
            return self
        # C must stay above 0, which would turn the target off.
        risen = max(1e-9, self.capacity * self._rise(step, steps))
        return dataclasses.replace(self, capacity=risen)

    def beta_at(self, step: int, steps: int) -> float:
        """Return β at 0-based `step` of `steps` planned ones.

        Linear warm-up as in Bowman et al. 2016; cyclical as in Fu et al. 2019, Eq. 6.
        """
        return self.beta * self._rise(step, steps)

    def _rise(self, step: int, steps: int) -> float:
        if self.schedule == "constant":
            return 1.0
        cycles = 1 if self.schedule == "linear" else min(self.cycles, steps)
        # In whole numbers, so that each cycle begins at 0 whatever `steps / cycles` rounds to.
        position = step * cycles % steps / steps
        return min(1.0, position / self.warmup) if self.warmup else 1.0


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam and its learning rate over the planned steps."""

    batch_size: int = 128
    learning_rate: float | None = None
    """None: `suited_rate` of the model, which a `Config` puts in its place."""
    schedule: str = "cosine"
    """cosine (after `warmup_steps`, down to `final_fraction`); constant; burda (eight plateaus
    lr·10^(−i/7), i = 0…7, of lengths in proportion 3^i: Burda et al. 2015, Sect. 5)."""
    warmup_steps: int = 200
    final_fraction: float = 0.02
    epsilon: float = 1e-8
    inner_steps: int = 0
    """At most so many encoder-only updates before each update of the decoder, until the mutual
    information of held-out codes stops rising (He et al. 2019); 0 is off."""
    matmul_precision: str = "auto"
    """What the wide layers multiply in while they learn: float32; bfloat16 (sums, weights and the
    layers next to the code stay float32); auto takes bfloat16 where the processor has it and it was
    measured to cost nothing (an mlp in float32 with a Bernoulli likelihood, on the CPU)."""

    def __post_init__(self) -> None:
        _choice("schedule", self.schedule, LEARNING_RATE_SCHEDULES)
        _choice("matmul_precision", self.matmul_precision, MATMUL_PRECISIONS)
        _whole("batch_size", self.batch_size, 1, 65536)
        if self.learning_rate is not None:
            _between("learning_rate", self.learning_rate, 1e-8, 10.0)
        _whole("warmup_steps", self.warmup_steps, 0, 10**9)
        _between("final_fraction", self.final_fraction, 0.0, 1.0)
        _between("epsilon", self.epsilon, 1e-16, 1.0)
        _whole("inner_steps", self.inner_steps, 0, 1000)

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return LEARNING_RATE if self.learning_rate is None else self.learning_rate

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate at 0-based `step` of `steps` planned ones."""
        if self.schedule == "burda":
            ends = [(3**stage - 1) / (3**8 - 1) for stage in range(1, 9)]
            stage = sum(step >= end * steps for end in ends[:-1])
            return float(self.peak * 10 ** (-stage / 7))
        warmup = min(self.warmup_steps, steps // 10)
        if step < warmup:
            return self.peak * (step + 1) / warmup
        if self.schedule == "constant":
            return self.peak
        position = min(1.0, (step - warmup) / max(1, steps - warmup))
        fall = 0.5 * (1 + math.cos(math.pi * position))
        return self.peak * (self.final_fraction + (1 - self.final_fraction) * fall)


def suited_rate(model: ModelConfig) -> float:
    """Return a learning rate that convolutions of these widths bear from the first update on.

    Adam moves every weight by about as much, whatever its gradient, so that what reaches a unit
    moves with the number of its inputs: the rate falls as 1/width beyond GENTLE_WIDTH channels
    (Yang et al. 2022, arXiv:2203.03466, Table 3). Measured on `colour-shapes`, σ² = 0.1, nats per
    image of −log p(x|z) at the start and at its highest in the first updates:

    | channels | batch | rate | start | highest | KL after 14 updates |
    |---|---|---|---|---|---|
    | 64-128-256-512 | 16 | 2e-3 | −252 | 14,460 | 0 |
    | 64-128-256-512 | 16 | 5e-4 | −252 | 199 | 8 |
    | 64-128-256-512 | 128 | 2e-3 | −253 | 2,174 | |
    | 64-128-256-512 | 128 | 5e-4 | −253 | −253 | |
    | 32-64-128-256 | 16 | 2e-3 | −245 | 229 | 0 |
    | 32-64-128-256 | 16 | 1e-3 | −245 | 238 | 1 |

    At 256 channels both do; at 512 2e-3 ends trainings. A warm-up over 200 updates in place of it
    reaches −692 with KL 0 where 5e-4 has −997 with KL 8.
    """
    widest = max(model.hidden, default=1) if model.network == "conv" else 1
    return LEARNING_RATE * min(1.0, GENTLE_WIDTH / widest)


@dataclass(frozen=True)
class BudgetConfig:
    """How long: exactly one of steps, epochs or seconds.

    Seconds are those of learning, film included. They come to fewer updates on a machine that turns
    out slower than it was at the start; the last figures and codes are measured afterwards.
    """

    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.steps, self.epochs, self.seconds)) != 1:
            raise ExplorerError("Give exactly one budget: steps, epochs or seconds.")
        if self.steps is not None:
            _whole("steps", self.steps, 1, 10**9)
        if self.epochs is not None:
            _between("epochs", self.epochs, 1e-6, 1e6)
        if self.seconds is not None:
            _between("seconds", self.seconds, 0.1, 7 * 86400)


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
        _choice("device", self.device, DEVICES)
        _choice("method", self.method, ("gradient", *FITS))
        kinds = (self.model.latent, self.model.likelihood)
        if self.method in FITS and (self.model.network != "linear" or kinds != FITS[self.method]):
            latent, likelihood = FITS[self.method]
            raise ExplorerError(
                f"{self.method} is a linear network with a {latent} code and the likelihood "
                f"{likelihood}."
            )
        _choice("split", self.split, ("train", "all"))
        _whole("seed", self.seed, 0, LARGEST_SEED)
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


def code_grid(shape: tuple[int, int, int], hidden: tuple[int, ...]) -> tuple[int, int]:
    """Return (rows, columns) of the grid that stages of `hidden` halve images of `shape` to.

    >>> code_grid((1, 28, 28), (32, 64)), code_grid((1, 8, 8), (32, 64))
    ((7, 7), (4, 4))
    """
    _, rows, columns = shape
    for _ in hidden:
        if rows % 2 or columns % 2 or min(rows, columns) <= 7:
            break
        rows, columns = rows // 2, columns // 2
    if (rows, columns) == shape[1:]:
        raise ExplorerError(
            f"A VQ-VAE needs images with even sides of at least 8 pixels; these are {shape[1]} × "
            f"{shape[2]}."
        )
    return rows, columns


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


def check_seed(seed: int) -> int:
    """Return a seed; an ExplorerError for a number that not every generator takes."""
    # NumPy's whole numbers are none of Python's.
    plain = int(seed) if hasattr(seed, "__index__") and not isinstance(seed, bool) else seed
    _whole("seed", plain, 0, LARGEST_SEED)
    return plain


def _choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ExplorerError(f"{name} must be one of {', '.join(choices)}; it is {value!r}.")


def _truth(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ExplorerError(f"{name} must be true or false; it is {value!r}.")


def _between(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ExplorerError(f"{name} must be a number from {low:g} to {high:g}; it is {value!r}.")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, float):
        raise ExplorerError(f"{name} must be a whole number; it is {value!r}.")
    _between(name, value, low, high)
