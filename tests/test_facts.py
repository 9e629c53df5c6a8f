"""What is said of models before torch is loaded is what they answer for themselves."""

import pytest
import torch

from explorer import facts
from explorer.analysis.representation.latents import linear_components
from explorer.config import ModelConfig
from explorer.elbo.terms import OBJECTIVES
from explorer.errors import ExplorerError
from explorer.models import LIKELIHOODS, MODELS, NETWORKS, VAE

SHAPE = (1, 8, 8)


def test_what_a_config_may_name_can_be_built_and_the_other_way_round():
    assert set(LIKELIHOODS) == set(facts.LIKELIHOODS)
    assert set(NETWORKS) == set(facts.NETWORKS)
    assert set(MODELS) == set(facts.LATENTS)


@pytest.mark.parametrize("latent", facts.LATENTS)
def test_what_is_said_of_a_code_its_encoder_puts_out(latent):
    said = facts.LATENTS[latent]
    config = ModelConfig(latent=latent, network=said.networks[0], hidden=(8,), latent_dim=16)
    mean, logvar = MODELS[latent](config, SHAPE).encode_parameters(torch.rand(3, *SHAPE))
    assert said.has_density == (logvar is not None)
    assert said.is_continuous == mean.is_floating_point()
    assert said.objective in OBJECTIVES


@pytest.mark.parametrize("latent", facts.LATENTS)
def test_a_code_is_built_of_the_networks_it_names_alone(latent):
    for network in facts.NETWORKS:
        if network in facts.LATENTS[latent].networks:
            assert ModelConfig(latent=latent, network=network).network == network
        else:
            with pytest.raises(ExplorerError, match="convolutional"):
                ModelConfig(latent=latent, network=network)


@pytest.mark.parametrize("network", facts.NETWORKS)
def test_a_network_that_is_said_to_be_linear_has_components(network):
    hidden = () if facts.NETWORKS[network].is_linear else (8,)
    model = VAE(ModelConfig(network=network, hidden=hidden), SHAPE)
    if facts.NETWORKS[network].is_linear:
        assert linear_components(model).shape == (2, *SHAPE)
    else:
        with pytest.raises(ExplorerError, match="Only a linear decoder"):
            linear_components(model)
