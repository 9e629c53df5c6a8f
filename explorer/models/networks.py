"""Encoder and decoder bodies: plain `nn.Sequential`s of a few standard layers.

Shapes: B images, C channels, H × W pixels, D = C·H·W, K latents. The layers used here are the
ones that the browser's interpreter knows; a new one needs its counterpart there.
"""

from collections.abc import Callable

from torch import nn

from explorer.config import ModelConfig
from explorer.errors import ExplorerError

Shape = tuple[int, int, int]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
}


def build_mlp(
    config: ModelConfig, shape: Shape, code_size: int, output_channels: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return (encoder (B, C, H, W) → (B, code_size), decoder (B, K) → (B, output_channels, H, W)).

    The hidden layers of the decoder mirror those of the encoder.
    """
    channels, height, width = shape
    output_shape = (output_channels, height, width)
    encoder: list[nn.Module] = [nn.Flatten()]
    size = channels * height * width
    for units in config.hidden:
        encoder += [nn.Linear(size, units), ACTIVATIONS[config.activation]()]
        size = units
    encoder.append(nn.Linear(size, code_size))
    decoder: list[nn.Module] = []
    size = config.latent_dim
    for units in reversed(config.hidden):
        decoder += [nn.Linear(size, units), ACTIVATIONS[config.activation]()]
        size = units
    decoder += [
        nn.Linear(size, output_channels * height * width),
        nn.Unflatten(1, output_shape),
    ]
    return nn.Sequential(*encoder), nn.Sequential(*decoder)


def build_linear(
    config: ModelConfig, shape: Shape, code_size: int, output_channels: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return a one-layer encoder and decoder: the model of probabilistic PCA."""
    if config.hidden:
        raise ExplorerError("A linear network has no hidden layers: leave `hidden` empty.")
    return build_mlp(config, shape, code_size, output_channels)


def build_conv(
    config: ModelConfig, shape: Shape, code_size: int, output_channels: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return strided convolutions down to at most 7 × 7 and transposed ones back.

    Each stage halves the picture (kernel 4, stride 2) while both sides are even and above 7; the
    last entries of `hidden` beyond that many stages are not used.
    """
    channels, height, width = shape
    stages: list[int] = []
    for filters in config.hidden:
        if height % 2 or width % 2 or min(height, width) <= 7:
            break
        stages.append(filters)
        height, width = height // 2, width // 2
    if not stages:
        raise ExplorerError(
            f"Convolutions need even sides of at least 8 pixels and one stage; the images are "
            f"{shape[1]} × {shape[2]} and `hidden` is {list(config.hidden)}."
        )
    encoder: list[nn.Module] = []
    previous = channels
    for filters in stages:
        encoder += [nn.Conv2d(previous, filters, 4, 2, 1), ACTIVATIONS[config.activation]()]
        previous = filters
    size = previous * height * width
    encoder += [nn.Flatten(), nn.Linear(size, code_size)]
    decoder: list[nn.Module] = [
        nn.Linear(config.latent_dim, size),
        ACTIVATIONS[config.activation](),
        nn.Unflatten(1, (previous, height, width)),
    ]
    for filters in [*reversed(stages[:-1]), output_channels]:
        decoder.append(nn.ConvTranspose2d(previous, filters, 4, 2, 1))
        decoder.append(ACTIVATIONS[config.activation]())
        previous = filters
    return nn.Sequential(*encoder), nn.Sequential(*decoder[:-1])


NETWORKS = {"mlp": build_mlp, "conv": build_conv, "linear": build_linear}
