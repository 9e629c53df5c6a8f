"""Recipes: configs that were measured to be good for so many latents and so long a budget."""

from explorer.config import (
    BudgetConfig,
    Config,
    ModelConfig,
    ObjectiveConfig,
    OptimiserConfig,
    code_grid,
)

LONG_BUDGET = 90.0
"""Seconds of training from which two latents on MNIST gain more by a wider network than by more
updates of a narrow one; on two cores."""


def default_config(
    dataset: str = "digits", latent_dim: int = 2, seconds: float = 30.0, network: str = "mlp"
) -> Config:
    """Return the recipe that was measured to be good for so many latents and so long a budget.

    Up to three latents take a deeper network, twice as wide from LONG_BUDGET on, and a β warm-up
    over the first fifth; more take one hidden layer and none. `seconds` is the budget.
    """
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
        model=ModelConfig(network=network, hidden=hidden, latent_dim=latent_dim),
        objective=ObjectiveConfig(schedule="linear" if small else "constant"),
        optimiser=OptimiserConfig(learning_rate=2e-3 if network != "mlp" or wide else 3e-3),
        budget=BudgetConfig(seconds=seconds),
    )


def categorical_config(
    dataset: str, shape: tuple[int, int, int], seconds: float = 60.0, codebook: int = 64
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
