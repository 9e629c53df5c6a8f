"""Linear layers with the gradient written out: a fraction of the operations that autograd records.

For a normal code held against N(0, I), one sample of z and the objective −log p(x|z) + β·KL.
Shapes: M members or none, B images, D pixels, K latents.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.config import Config
from explorer.elbo.terms import draw_noise, reparameterise
from explorer.facts import LATENTS, NETWORKS, PRIORS
from explorer.models import VAE
from explorer.models.likelihoods import Likelihood
from explorer.models.networks import LOGVAR_BOUND, bound_logvar
from explorer.models.priors import gaussian_kl
from explorer.models.products import differentiate, multiply
from explorer.models.stacked import StackedModels
from explorer.training.engine import Means

Slope = Callable[[Tensor, Tensor], Tensor]
ACTIVATIONS: dict[type[nn.Module], tuple[Callable[[Tensor], Tensor], Slope]] = {
    nn.ReLU: (torch.relu_, lambda slope, y: torch.ops.aten.threshold_backward(slope, y, 0)),
    nn.Tanh: (torch.tanh_, torch.ops.aten.tanh_backward),
}
"""What each puts out, and the slope before it from that after it and what it put out."""


def write_out(
    configs: Sequence[Config], model: VAE | StackedModels, likelihood: Likelihood
) -> "WrittenOut | None":
    """Return the passes through `model` if the gradient of each config's objective stands here."""
    if all(may_write_out(config, likelihood) for config in configs):
        return WrittenOut(model.encoder, model.decoder, likelihood)
    return None


def may_write_out(config: Config, likelihood: Likelihood) -> bool:
    """Tell whether the gradient of this config's objective is one that stands here."""
    model, objective = config.model, config.objective
    return (
        NETWORKS[model.network].may_stack
        and LATENTS[model.latent].has_density
        and PRIORS[model.prior].has_shares
        and likelihood.has_slope
        and model.activation in ("relu", "tanh")
        and not (model.skip or model.mean_norm or model.posterior_cap < 1)
        and objective.is_plain
        and not config.optimiser.inner_steps
    )


class WrittenOut:
    """Forward and backward pass through an encoder and a decoder, of one model or of several.

    Gradients are left with the parameters, where an optimiser looks for them.
    """

    def __init__(
        self, encoder: nn.Sequential, decoder: nn.Sequential, likelihood: Likelihood
    ) -> None:
        self.encoder, self.decoder = _read_layers(encoder), _read_layers(decoder)
        self.likelihood = likelihood

    @torch.no_grad()
    def learn(self, x: Tensor, beta: float | Sequence[float], generator: torch.Generator) -> Means:
        """Go through images x (B, C, H, W) and back; `beta` is one number, or each member's."""
        pixels = x.flatten(1)
        mean, raw = _forward(self.encoder, pixels).chunk(2, dim=-1)
        logvar = bound_logvar(raw)
        noise = draw_noise(mean, 1, generator)
        z = reparameterise(mean, logvar, noise)
        nll, slope = self.likelihood.nll_and_slope(_forward(self.decoder, z), pixels)
        kl = gaussian_kl(mean, logvar).mean(-2)
        betas = mean.new_tensor(beta)

        slope = _backward(self.decoder, slope.div_(len(x)))
        price = betas[..., None, None] / len(x)
        to_mean = slope + price * mean
        to_logvar = 0.5 * (slope * (z - mean) + price * torch.expm1(logvar))
        to_raw = to_logvar * (1 - (logvar / LOGVAR_BOUND).square())
        _backward(self.encoder, torch.cat([to_mean, to_raw], dim=-1), is_first=True)

        reconstruction = nll.mean(-1)
        return Means(reconstruction + betas * kl.sum(-1), reconstruction, kl)


@dataclass
class _Layer:
    """A linear layer with what follows it; it remembers the last batch."""

    linear: Any
    """`nn.Linear`, or `StackedLinear` of several members."""
    activation: type[nn.Module] | None = None
    x: Tensor | None = None
    y: Tensor | None = None

    @property
    def halve(self) -> bool:
        return bool(getattr(self.linear, "half_products", False))


def _read_layers(body: nn.Sequential) -> list[_Layer]:
    layers: list[_Layer] = []
    for module in body:
        if hasattr(module, "weight"):
            layers.append(_Layer(module))
        elif type(module) in ACTIVATIONS:
            layers[-1].activation = type(module)
    return layers


def _forward(layers: list[_Layer], x: Tensor) -> Tensor:
    for layer in layers:
        weight = layer.linear.weight
        # Images are the same for all members.
        layer.x = x if x.dim() == weight.dim() else x.expand(len(weight), *x.shape)
        x = multiply(layer.x, weight, layer.linear.bias, layer.halve)
        if layer.activation is not None:
            x = ACTIVATIONS[layer.activation][0](x)
        layer.y = x
    return x


def _backward(layers: list[_Layer], slope: Tensor, is_first: bool = False) -> Tensor:
    """Leave the gradients of the layers with them; return that of their input.

    The input of the `is_first` layers of a model has none.
    """
    for layer in reversed(layers):
        linear, x, y = layer.linear, layer.x, layer.y
        assert x is not None and y is not None
        if layer.activation is not None:
            slope = ACTIVATIONS[layer.activation][1](slope, y)
        wanted = not (is_first and layer is layers[0])
        further, linear.weight.grad, linear.bias.grad = differentiate(
            x, linear.weight, slope, layer.halve, wanted
        )
        slope = slope if further is None else further
        layer.x = layer.y = None
    return slope
