"""Recipes: configs that were measured to be good for so many latents and so long a budget."""

import math

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.config.model import code_grid

LONG_BUDGET = 90.0
"""Seconds of training from which two latents on MNIST gain more by a wider network than by more
updates of a narrow one; on two cores."""


MLP_PIXELS = 2_000
"""Numbers in an image from which convolutions learn more in the same time than an mlp."""
COLOUR_SIGMA2 = 0.1
Shape = tuple[int, int, int]


def default_config(
    dataset: str = "digits",
    latent_dim: int = 2,
    seconds: float = 30.0,
    network: str | None = None,
    shape: Shape | None = None,
) -> Config:
    """Return the recipe that was measured to be good for so many latents and so long a budget.

    Up to three latents take a deeper network, twice as wide from LONG_BUDGET on, and a β warm-up
    over the first fifth; more take one hidden layer and none. `seconds` is the budget. `shape`
    (C, H, W), where it is given, decides what the network is unless `network` does, and gives
    images in colour another likelihood (see `choose_network`, `choose_likelihood`).
    """
    network = network or choose_network(shape)
    if network == "conv" and is_large(shape):
        return _large_config(dataset, latent_dim, seconds, shape)
    small = latent_dim <= 3
    wide = small and seconds >= LONG_BUDGET
    deep = (512, 256, 128) if wide else (256, 128, 64)
    hidden = {
        "mlp": deep if small else (400,),
        "conv": (16, 32, 64),
        "linear": (),
    }.get(network, ())
    return Config(
        dataset=dataset,
        model=ModelConfig(
            network=network,
            hidden=hidden,
            latent_dim=latent_dim,
            likelihood=choose_likelihood(shape),
            sigma2=choose_sigma2(shape),
        ),
        objective=ObjectiveConfig(schedule="linear" if small else "constant"),
        optimiser=OptimiserConfig(learning_rate=2e-3 if network != "mlp" or wide else 3e-3),
        budget=BudgetConfig(seconds=seconds),
    )


def is_large(shape: Shape | None) -> bool:
    """Tell whether images (C, H, W) are larger than an mlp is good for."""
    return shape is not None and math.prod(shape) >= MLP_PIXELS


def choose_network(shape: Shape | None) -> str:
    """Return the network for images (C, H, W): convolutions for large ones whose sides halve."""
    halves = shape is not None and not (shape[1] % 2 or shape[2] % 2) and min(shape[1:]) >= 8
    return "conv" if halves and is_large(shape) else "mlp"


def choose_likelihood(shape: Shape | None) -> str:
    """Return the likelihood for images (C, H, W): a normal of σ² = COLOUR_SIGMA2 for colour.

    Channels are no chances of black and white, which is what a Bernoulli pixel takes them for. σ²
    is held: where it is learned, a few hundred images are soon known by heart and others diverge,
    and codes lie far outside the prior (on `colour-shapes` KL is 62 nats, and 31 where it is held).
    """
    return "gaussian" if shape is not None and shape[0] > 1 else "bernoulli"


def choose_sigma2(shape: Shape | None) -> float:
    """Return a pixel's variance for images (C, H, W), where their likelihood has one."""
    return COLOUR_SIGMA2 if shape is not None and shape[0] > 1 else ModelConfig().sigma2


def _large_config(dataset: str, latent_dim: int, seconds: float, shape: Shape | None) -> Config:
    """Return the recipe for 64 × 64 pixels in colour: few channels, SiLU, small batches.

    Measured on `colour-shapes` with ten latents: the share of held-out variance that is explained
    after so many seconds of one core, schedules being spread over 20 to 25 of them, σ² learned.

    | channels | activation | batch | 6 s | 12 s | 18 s |
    |---|---|---|---|---|---|
    | 8-16-32-64 | SiLU | 16 | .75 | .88 | .91 |
    | 8-16-32-64 with group norm | SiLU | 16 | .50 | .84 | .87 |
    | 8-16-32-64 with residual blocks from 8 × 8 on | SiLU | 16 | .38 | .68 | .74 |
    | 16-32-64-128 | SiLU | 32 | .45 | .65 | .83 |
    | 8-16-32-64 | ReLU | 32 | .51 | .63 | .68 |
    | 16-32-64-128 | ReLU | 32 | .42 | .52 | .57 |
    """
    return Config(
        dataset=dataset,
        model=ModelConfig(
            network="conv",
            hidden=(8, 16, 32, 64),
            activation="silu",
            latent_dim=latent_dim,
            likelihood=choose_likelihood(shape),
            sigma2=choose_sigma2(shape),
        ),
        objective=ObjectiveConfig(schedule="linear"),
        optimiser=OptimiserConfig(batch_size=16, learning_rate=4e-3),
        budget=BudgetConfig(seconds=seconds),
    )


def categorical_config(
    dataset: str, shape: Shape, seconds: float = 60.0, codebook: int = 64
) -> Config:
    """Return the recipe of a small VQ-VAE for images of `shape` (C, H, W): 7 × 7 codes for 28 × 28.

    Raises ExplorerError for images whose sides cannot be halved.
    """
    hidden = (32, 64)
    rows, columns = code_grid(shape, hidden)
    return Config(
        dataset=dataset,
        model=ModelConfig(
            network="conv",
            hidden=hidden,
            latent="categorical",
            latent_dim=rows * columns,
            codebook=codebook,
        ),
        budget=BudgetConfig(seconds=seconds),
    )
