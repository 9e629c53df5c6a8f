"""Models of equal shape as one: every layer's weights stacked, so that one multiply serves all.

Shapes: M members, B images, D pixels, K latents.
"""

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.likelihoods import Likelihood
from explorer.models.networks import bound_logvar
from explorer.models.products import learn_product
from explorer.models.vae import VAE


class StackedLinear(nn.Module):
    """M linear layers side by side: weight (M, out, in), bias (M, out)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))
        self.half_products = getattr(layers[0], "half_products", False)
        """Multiply in bfloat16 while learning, as the single layers would (see `WideLinear`)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (M, B, out) for input of each member (M, B, in) or one shared by all (B, in)."""
        halve = self.half_products and torch.is_grad_enabled()
        each = x if x.dim() == 3 else x.expand(len(self.weight), *x.shape)
        return learn_product(each, self.weight, self.bias, halve)


class StackedModels(nn.Module):
    """M variational autoencoders of linear layers, trained together on the same images.

    Built from M models of one `ModelConfig`; `write_member` copies the weights back into a plain
    model. Raises ExplorerError for networks or codes that cannot be stacked.
    """

    def __init__(self, models: Sequence[VAE]) -> None:
        super().__init__()
        first = models[0]
        if first.config.network == "conv" or not first.has_density:
            raise ExplorerError("A family is made of mlp or linear networks with a Gaussian code.")
        if not first.prior.has_shares:
            raise ExplorerError("A model with a learned mixture prior is trained alone.")
        self.config = first.config
        self.latent_dim = first.latent_dim
        self.encoder = _stack([model.encoder for model in models])
        self.decoder = _stack([model.decoder for model in models])
        self.likelihoods = nn.ModuleList(copy.deepcopy(model.likelihood) for model in models)

    def __len__(self) -> int:
        return len(self.likelihoods)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logvar (M, B, K) of each member's q(z|x) for images x (B, C, H, W)."""
        mean, raw = self.encoder(x.flatten(1)).chunk(2, dim=-1)
        return mean, bound_logvar(raw)

    def nll(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x|z) (M, B) in nats of images x (B, C, H, W) for codes z (M, B, K)."""
        # unbind, because the gradient of indexing fills a zero tensor for each member.
        outputs = self.decoder(z).unflatten(2, (-1, *x.shape[2:])).unbind()
        members = zip(self.likelihoods, outputs, strict=True)
        return torch.stack([cast(Likelihood, part).nll(output, x) for part, output in members])

    @torch.no_grad()
    def write_member(self, index: int, model: VAE) -> None:
        """Copy the weights of member `index` into `model`."""
        for stacked, body in ((self.encoder, model.encoder), (self.decoder, model.decoder)):
            singles = [layer for layer in body if isinstance(layer, nn.Linear)]
            wide = [layer for layer in stacked if isinstance(layer, StackedLinear)]
            for source, target in zip(wide, singles, strict=True):
                target.weight.copy_(source.weight[index])
                target.bias.copy_(source.bias[index])
        model.likelihood.load_state_dict(self.likelihoods[index].state_dict())


def _stack(bodies: Sequence[nn.Sequential]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for parts in zip(*bodies, strict=True):
        if isinstance(parts[0], nn.Linear):
            layers.append(StackedLinear(parts))
        elif isinstance(parts[0], nn.Flatten | nn.Unflatten):
            continue  # Members' images are flat throughout.
        elif any(True for _ in [*parts[0].parameters(), *parts[0].buffers()]):
            raise ExplorerError("A family takes no skips from z and no batch norm on μ.")
        else:
            layers.append(parts[0])
    return nn.Sequential(*layers)
