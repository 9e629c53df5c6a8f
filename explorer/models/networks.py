"""Encoder and decoder bodies: plain `nn.Sequential`s of a few standard layers.

Shapes: B images, C channels, H × W pixels, D = C·H·W, K latents. A module of a new kind needs its
rule in `explorer.export.layers`, so that the browser interprets it.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models.products import learn_product

Shape = tuple[int, int, int]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
}


LOGVAR_BOUND = 20.0
"""Posterior log-variances lie smoothly inside ±20: σ from 4.5e-5 to 2.2e4."""


def bound_logvar(raw: Tensor) -> Tensor:
    """Return log-variances bounded smoothly to ±LOGVAR_BOUND."""
    return LOGVAR_BOUND * torch.tanh(raw / LOGVAR_BOUND)


class CapVariance(nn.Module):
    """Keeps q's variances below c, hence KL_i ≥ ½(c − 1 − ln c): δ-VAE (Razavi et al. 2019).

    Takes and gives mean and raw log-variance side by side, (B, 2K).
    """

    def __init__(self, cap: float) -> None:
        super().__init__()
        # The raw value that the bound of `VAE.encode_parameters` turns into ln c.
        self.raw_cap = LOGVAR_BOUND * math.atanh(math.log(cap) / LOGVAR_BOUND)

    def forward(self, code: Tensor) -> Tensor:
        """Return the code with its log-variances bounded smoothly from above."""
        mean, raw = code.chunk(2, dim=-1)
        capped = self.raw_cap - functional.softplus(self.raw_cap - raw)
        return torch.cat([mean, capped], dim=-1)


class NormaliseMean(nn.Module):
    """Batch norm on μ with a fixed spread γ and a learned shift (Zhu et al. 2020, Eq. 5).

    Then the expected KL is at least Kγ²/2. Takes and gives mean and raw log-variance side by side,
    (B, 2K); running statistics serve wherever no gradient is asked for.
    """

    def __init__(self, latent_dim: int, spread: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(latent_dim, affine=False)
        self.shift = nn.Parameter(torch.zeros(latent_dim))
        self.spread = spread

    def forward(self, code: Tensor) -> Tensor:
        """Return the code with normalised means."""
        mean, raw = code.chunk(2, dim=-1)
        norm = self.norm
        learning = self.training and code.requires_grad and len(code) > 1
        mean = functional.batch_norm(
            mean, norm.running_mean, norm.running_var, None, None, learning, 0.1, norm.eps
        )
        return torch.cat([self.spread * mean + self.shift, raw], dim=-1)


class WideLinear(nn.Linear):
    """A linear layer away from the code, which may multiply in bfloat16 while it learns.

    Weights, bias, optimiser state and all sums stay in float32; the factors are rounded to 8 bits.
    Wherever no gradient is asked for it is an `nn.Linear`.
    """

    half_products = False

    def forward(self, x: Tensor) -> Tensor:
        """Return x Wᵀ + b, (B, out), for x (B, in)."""
        if not (self.half_products and torch.is_grad_enabled()):
            return super().forward(x)
        return learn_product(x, self.weight, self.bias, halve=True)


def halve_products(model: nn.Module) -> None:
    """Let every wide layer of `model` multiply in bfloat16 while it learns."""
    for layer in model.modules():
        if isinstance(layer, WideLinear):
            layer.half_products = True


class SkipLinear(nn.Module):
    """A hidden layer that hands z on beside its own units (skip-VAE, Dieng et al. 2019).

    Input (B, S) ends with z; output is (B, units + K), activation(linear(input)) and z again.
    """

    def __init__(self, size: int, units: int, latent_dim: int, activation: nn.Module) -> None:
        super().__init__()
        self.linear = nn.Linear(size, units)
        self.activation = activation
        self.latent_dim = latent_dim

    def forward(self, x: Tensor) -> Tensor:
        """Return the hidden units and z side by side."""
        return torch.cat([self.activation(self.linear(x)), x[..., -self.latent_dim :]], dim=-1)


def finish_encoder(config: ModelConfig) -> list[nn.Module]:
    """Return the layers that a model-changing remedy puts after the encoder's last."""
    layers: list[nn.Module] = []
    if config.mean_norm:
        layers.append(NormaliseMean(config.latent_dim, config.mean_norm))
    if config.posterior_cap < 1:
        layers.append(CapVariance(config.posterior_cap))
    return layers


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
        encoder += [WideLinear(size, units), ACTIVATIONS[config.activation]()]
        size = units
    encoder += [nn.Linear(size, code_size), *finish_encoder(config)]
    decoder: list[nn.Module] = []
    size = config.latent_dim
    for units in reversed(config.hidden):
        activation = ACTIVATIONS[config.activation]()
        if config.skip:
            decoder.append(SkipLinear(size, units, config.latent_dim, activation))
            size = units + config.latent_dim
        else:
            decoder += [(WideLinear if decoder else nn.Linear)(size, units), activation]
            size = units
    decoder += [
        (WideLinear if decoder else nn.Linear)(size, output_channels * height * width),
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
    encoder += [nn.Flatten(), nn.Linear(size, code_size), *finish_encoder(config)]
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
