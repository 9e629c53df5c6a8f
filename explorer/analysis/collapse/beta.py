"""What is my β? From a loss as people write it to the β and σ² that it means.

A loss weighs reconstruction and KL per element, per image or per batch; only their ratio, brought
to nats per image summed over pixels and latents, is a β. For a squared error a·Σ(x − x̂)² + b·KL the
model is a Gaussian with σ²_eff = βσ² = b/(2a); for an L1 loss a·Σ|x − x̂| + b·KL a Laplace
distribution whose scale s has βs = b/a; for a negative log-likelihood in nats β = b/a.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from explorer.analysis.checks import plain
from explorer.analysis.collapse.linear import active_dimensions
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class Reconstruction:
    """A reconstruction term Σ over pixels, as people write it."""

    likelihood: str
    """What it is −log p(x|z) of, up to a scale; the wake-up rule's eigenvalues are of this."""
    factor: float
    """How often it holds the term that the likelihood's scale divides."""
    scale: str
    """What a weight fixes beside β: sigma2 (βσ²), scale (βs of a Laplace), or nothing (nats)."""
    line: str
    """The term in nats per batch, in PyTorch."""
    unit: float = 1.0
    """The `sigma2` of the likelihood at which its scale is 1, for eigenvalues."""


RECONSTRUCTIONS = {
    "squared-error": Reconstruction(
        "gaussian", 2.0, "sigma2", 'F.mse_loss(x_hat, x, reduction="sum") / (2 * sigma2)'
    ),
    "half-squared-error": Reconstruction(
        "gaussian", 1.0, "sigma2", 'F.mse_loss(x_hat, x, reduction="sum") / (2 * sigma2)'
    ),
    "absolute-error": Reconstruction(
        "laplace", 1.0, "scale", 'F.l1_loss(x_hat, x, reduction="sum") / scale', unit=2.0
    ),
    "cross-entropy": Reconstruction(
        "bernoulli",
        1.0,
        "nats",
        'F.binary_cross_entropy_with_logits(logits, x, reduction="sum")',
    ),
    "discretized-logistic": Reconstruction(
        "discretized-logistic", 1.0, "nats", "discretized_logistic_nll(x_hat, log_scale, x).sum()"
    ),
}
RECONSTRUCTION_REDUCTIONS = ("sum", "image-sum", "mean")
"""sum: over pixels and batch. image-sum: over pixels, then a mean over the batch. mean: over all
of them."""
KL_REDUCTIONS = ("sum", "image-sum", "mean")
"""The same, over latents in place of pixels."""


@dataclass(frozen=True)
class WrittenLoss:
    """A loss as it stands in somebody's code.

    `reconstruction` is a key of RECONSTRUCTIONS: squared-error Σ(x − x̂)², half-squared-error
    ½Σ(x − x̂)², absolute-error Σ|x − x̂|, cross-entropy or discretized-logistic. Each term has a
    weight and a reduction. `batch_size` matters only where the two terms treat the batch
    differently.
    """

    reconstruction: str
    channels: int
    height: int
    width: int
    latent_dim: int
    batch_size: int
    reconstruction_reduction: str = "mean"
    kl_reduction: str = "mean"
    reconstruction_weight: float = 1.0
    kl_weight: float = 1.0

    def __post_init__(self) -> None:
        for name, choices in (
            ("reconstruction", tuple(RECONSTRUCTIONS)),
            ("reconstruction_reduction", RECONSTRUCTION_REDUCTIONS),
            ("kl_reduction", KL_REDUCTIONS),
        ):
            if getattr(self, name) not in choices:
                raise ExplorerError(
                    f"{name} must be one of {', '.join(choices)}; it is {getattr(self, name)!r}."
                )
        for name in ("channels", "height", "width", "latent_dim", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ExplorerError(f"{name} must be a whole number above 0; it is {value!r}.")
        if not 0 < self.reconstruction_weight < float("inf"):
            raise ExplorerError("The reconstruction's weight must be a number above 0.")
        if not 0 <= self.kl_weight < float("inf"):
            raise ExplorerError("The KL's weight must be a number of at least 0.")


@dataclass(frozen=True)
class EffectiveBeta:
    """What a written loss means.

    `beta` is β for a term in nats, else β at σ² = 1 (½Σ(x − x̂)² + β·KL), which is σ²_eff, or at
    s = 1 (Σ|x − x̂| + β·KL), which is βs. `sigma2` is σ²_eff = βσ² of a squared error, `scale` βs
    of an L1 loss; None for others. `surviving` counts the data's
    covariance eigenvalues above σ²_eff, at most the latent size: the dimensions a linear model
    keeps (None without eigenvalues); for others pass eigenvalues of the wake-up rule (of "laplace"
    with sigma2 = 2, which is s = 1).
    `notes` are codes: kl_averaged_over_latents (β changes with the latent size),
    reconstruction_averaged_over_pixels (β changes with the image size), batch_dependent,
    grey_cross_entropy (no likelihood on grey images), no_kl, everything_collapses.
    `corrected` is the same loss in PyTorch, per image, at the β that was asked for.
    """

    beta: float
    sigma2: float | None
    scale: float | None
    surviving: int | None
    notes: tuple[str, ...]
    corrected: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain(vars(self))


def effective_beta(
    loss: WrittenLoss, eigenvalues: ArrayLike | None = None, *, intended_beta: float = 1.0
) -> EffectiveBeta:
    """Return the β and σ² that a loss as written stands for.

    `eigenvalues` (D,) of the data (see `linear.covariance_eigenvalues`; for a cross-entropy
    `wakeup.wake_up_eigenvalues`) give the dimensions that would survive in a linear model.

    >>> loss = WrittenLoss("squared-error", 3, 64, 64, latent_dim=128, batch_size=64,
    ...                    kl_reduction="image-sum", kl_weight=0.00025)
    >>> effective_beta(loss).sigma2
    1.536
    """
    pixels = loss.channels * loss.height * loss.width
    a = loss.reconstruction_weight * _per_image(loss.reconstruction_reduction, pixels, loss)
    b = loss.kl_weight * _per_image(loss.kl_reduction, loss.latent_dim, loss)
    term = RECONSTRUCTIONS[loss.reconstruction]
    beta = b / (term.factor * a)
    sigma2 = beta if term.scale == "sigma2" else None
    scale = beta if term.scale == "scale" else None
    notes = []
    if loss.kl_reduction == "mean" and loss.latent_dim > 1:
        notes.append("kl_averaged_over_latents")
    if loss.reconstruction_reduction == "mean" and pixels > 1:
        notes.append("reconstruction_averaged_over_pixels")
    if (loss.reconstruction_reduction == "sum") != (loss.kl_reduction == "sum"):
        notes.append("batch_dependent")
    if loss.reconstruction == "cross-entropy":
        notes.append("grey_cross_entropy")
    surviving = None
    if b == 0:
        notes.append("no_kl")
        surviving = None if eigenvalues is None else loss.latent_dim
    elif eigenvalues is not None:
        surviving = min(loss.latent_dim, active_dimensions(eigenvalues, beta))
        if surviving == 0:
            notes.append("everything_collapses")
    return EffectiveBeta(
        beta, sigma2, scale, surviving, tuple(notes), corrected_line(loss, intended_beta)
    )


def corrected_line(loss: WrittenLoss, beta: float = 1.0) -> str:
    """Return the loss in nats per image as one line of PyTorch, with β written out.

    >>> corrected_line(WrittenLoss("cross-entropy", 1, 28, 28, 20, 128))[:52]
    'loss = (F.binary_cross_entropy_with_logits(logits, x'
    """
    kl = "(-0.5 * (1 + logvar - mu.pow(2) - logvar.exp())).sum()"
    reconstruction = RECONSTRUCTIONS[loss.reconstruction].line
    weight = "" if beta == 1 else f"{beta:g} * "
    return f"loss = ({reconstruction} + {weight}{kl}) / len(x)"


def _per_image(reduction: str, elements: int, loss: WrittenLoss) -> float:
    """Return the weight that one image's summed term has in the loss."""
    return {
        "sum": 1.0,
        "image-sum": 1.0 / loss.batch_size,
        "mean": 1.0 / (loss.batch_size * elements),
    }[reduction]
