"""The cost of a decode: what the layers' sizes say."""

import torch
from torch import nn

from explorer.config import ModelConfig
from explorer.models import VAE
from explorer.models.cost import decoding_cost


def test_of_a_linear_decoder_it_is_its_weights_and_outputs():
    model = VAE(ModelConfig(network="linear", hidden=(), latent_dim=3), (1, 4, 5))
    linear = sum(m.weight.numel() for m in model.decoder.modules() if isinstance(m, nn.Linear))
    assert linear == 3 * 20 and linear <= decoding_cost(model) <= linear + 2 * 20


def test_convolutions_count_at_every_place():
    model = VAE(ModelConfig(network="conv", hidden=(8, 16), latent_dim=2), (3, 16, 16))
    counted = decoding_cost(model)
    weights = sum(p.numel() for p in model.decoder.parameters())
    assert counted > 4 * weights
    hooks = [len(module._forward_hooks) for module in model.decoder.modules()]
    assert not any(hooks) and torch.is_grad_enabled()
