"""What was understood of a pasted loss: fields that a person can correct."""

import math
from dataclasses import dataclass, field
from typing import Any

from explorer.analysis.checks import Record, plain
from explorer.analysis.loss.weights import Sizes
from explorer.errors import ExplorerError

RECONSTRUCTIONS = (
    "squared-error", "absolute-error", "bernoulli", "bernoulli-logits", "gaussian",
    "gaussian-learned", "gaussian-optimal", "laplace", "laplace-learned", "discretised-logistic",
    "categorical", "log-likelihood", "unknown",
)  # fmt: skip
"""squared-error is Σ(x − x̂)², absolute-error Σ|x − x̂|; the rest are negative log-likelihoods in
nats: gaussian ½Σ(x − x̂)²/σ², laplace Σ|x − x̂|/b. Learned: the scale is trained; optimal: it is
the squared error itself (Rybkin et al. 2021). categorical: over classes, per token or pixel."""
WITHOUT_SCALE = ("squared-error", "absolute-error")
KLS = ("kl", "kl-without-half", "kl-sampled", "none", "unknown")
"""kl-without-half is μ² + σ² − 1 − log σ², twice the KL; kl-sampled log q(z) − log p(z);
unknown: the paste names one, or has terms that may be one, and does not spell it out."""
OVER_BATCH = ("sum", "mean")
OVER_PIXELS = ("sum", "mean", "channel-mean")
"""channel-mean: averaged over channels, summed over the image, as Keras' losses do."""
OVER_LATENTS = ("sum", "mean")
ANNEALING = ("none", "warm-up", "cyclical")
FLOORS = ("none", "free_bits", "capacity")
CHOICES = {
    "reconstruction": RECONSTRUCTIONS,
    "reconstruction_batch": OVER_BATCH,
    "reconstruction_pixels": OVER_PIXELS,
    "kl": KLS,
    "kl_batch": OVER_BATCH,
    "kl_latents": OVER_LATENTS,
    "annealing": ANNEALING,
    "floor": FLOORS,
}
"""What each field that is a word may say."""


@dataclass(frozen=True)
class Doubt(Record):
    """Something not understood or taken for granted: a code and the piece of the paste."""

    code: str
    text: str = ""


@dataclass(frozen=True)
class Names:
    """What the paste calls its tensors, as code that can be pasted back.

    `batch` is a tensor with one row per item; `variance` and `log_variance` are of q(z|x), `scale`
    and `log_scale` are a learned likelihood's variance (or b) and its logarithm. `posterior` and
    `prior` are set where the paste has distributions instead of tensors, `likelihood` where
    p(x|z) is one (or its density as code). `reshaped`: the paste flattens one of output and
    target; `soft`: classes are given as shares. `invented` are the usual names that stand where
    the paste has none.
    """

    output: str = "x_hat"
    target: str = "x"
    batch: str = "x"
    mean: str = "mu"
    variance: str = "logvar.exp()"
    log_variance: str = "logvar"
    scale: str = ""
    log_scale: str = ""
    posterior: str = ""
    prior: str = ""
    sample: str = "z"
    likelihood: str = ""
    reshaped: bool = False
    soft: bool = False
    invented: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understood:
    """A loss as weights and reductions; correct it with `dataclasses.replace`.

    Weights are those at the end of training; None where the paste gives no number. `…_sizes` are
    powers of sizes (B, C, H, W, D, K) that stand in front beside the reductions, such as
    (("D", -1.0),) for a KL divided by the number of pixels. `scale` is the σ (or b) of a fixed
    likelihood where the paste gives it.
    """

    reconstruction: str = "squared-error"
    reconstruction_batch: str = "mean"
    reconstruction_pixels: str = "sum"
    reconstruction_weight: float | None = 1.0
    reconstruction_sizes: Sizes = ()
    scale: float | None = None
    kl: str = "kl"
    kl_batch: str = "mean"
    kl_latents: str = "sum"
    kl_weight: float | None = 1.0
    kl_sizes: Sizes = ()
    annealing: str = "none"
    floor: str = "none"
    library: str = "torch"
    names: Names = field(default_factory=Names)
    doubts: tuple[Doubt, ...] = ()

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ExplorerError(
                    f"{name} must be one of {', '.join(choices)}; it is {getattr(self, name)!r}."
                )
        weight = self.reconstruction_weight
        if weight is not None and not 0 < weight < float("inf"):
            raise ExplorerError("The reconstruction's weight must be a number above 0.")
        if self.kl_weight is not None and not abs(self.kl_weight) < float("inf"):
            raise ExplorerError("The KL's weight must be a finite number.")
        if self.scale is not None and not 0 < self.scale < float("inf"):
            raise ExplorerError("The likelihood's scale must be a number above 0.")

    def has(self, code: str) -> bool:
        """Return whether a doubt of this code stands."""
        return any(doubt.code == code for doubt in self.doubts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain({**vars(self), "names": vars(self.names)})


@dataclass(frozen=True)
class Data:
    """The data that a loss is meant for.

    `shape` is (C, H, W), (H, W) or (features,), a sequence's is (length,); `latents` their number
    or a shape. `batch_size` matters where the two terms treat the batch differently. `low` and
    `high` are the range of the values, `standardised` that each has mean 0 and variance 1.
    """

    shape: tuple[int, ...] = (1, 28, 28)
    latents: int | tuple[int, ...] = 20
    batch_size: int | None = None
    low: float = 0.0
    high: float = 1.0
    standardised: bool = False

    def __post_init__(self) -> None:
        batch = () if self.batch_size is None else (self.batch_size,)
        for value in (*self.shape, *self.latent_shape, *batch):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ExplorerError(f"Sizes must be whole numbers above 0; {value!r} is none.")
        if not 1 <= len(self.shape) <= 3:
            raise ExplorerError("Data have the shape (C, H, W), (H, W) or (features,).")
        if not self.low < self.high:
            raise ExplorerError("The values' range must go from a lower to a higher number.")

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The latents' shape, batch apart."""
        return self.latents if isinstance(self.latents, tuple) else (self.latents,)

    @property
    def size(self) -> int:
        """Pixels or features of one item, channels counted."""
        return math.prod(self.shape)

    @property
    def latent_size(self) -> int:
        """Latent dimensions of one item."""
        return math.prod(self.latent_shape)

    def sizes(self) -> dict[str, int | None]:
        """Return each axis' size by its label."""
        labels = {1: ("D",), 2: ("H", "W"), 3: ("C", "H", "W")}[len(self.shape)]
        found: dict[str, int | None] = dict(zip(labels, self.shape, strict=True))
        latents = [
            ("K" if place == 0 else f"K{place + 1}", value)
            for place, value in enumerate(self.latent_shape)
        ]
        return {**found, **dict(latents), "B": self.batch_size}
