"""What one decode costs, so that what decodes often can take fewer draws of costly networks."""

import torch
from torch import Tensor, nn

from explorer.models.adopted.layers.modules import count_multiply_adds
from explorer.models.base import Model


def decoding_cost(model: Model) -> int:
    """Return the multiply-adds of the decoder of one code, by one pass; 1 at least."""
    total = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += count_multiply_adds(module, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))

    leaves = [module for module in model.decoder.modules() if next(module.children(), None) is None]
    hooks = [leaf.register_forward_hook(add) for leaf in leaves]
    try:
        with torch.no_grad():
            model.decoder(torch.zeros((1, model.latent_dim)).to(model.reference))
    finally:
        for hook in hooks:
            hook.remove()
    return max(total, 1)
