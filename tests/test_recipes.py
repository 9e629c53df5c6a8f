"""Recipes: which network and likelihood suit which images."""

import pytest
import torch

from explorer.config import ModelConfig
from explorer.models import build_model
from explorer.recipes import (
    COLOUR_SIGMA2,
    choose_likelihood,
    choose_network,
    default_config,
    is_large,
)

COLOUR, DIGITS = (3, 64, 64), (1, 28, 28)


@pytest.mark.parametrize(
    ("shape", "network"),
    [
        (None, "mlp"),
        ((1, 8, 8), "mlp"),
        (DIGITS, "mlp"),
        ((1, 32, 32), "mlp"),
        ((3, 28, 28), "conv"),
        ((3, 32, 32), "conv"),
        ((1, 64, 64), "conv"),
        (COLOUR, "conv"),
        ((3, 48, 80), "conv"),
        ((3, 63, 64), "mlp"),
        ((3, 4, 400), "mlp"),
    ],
)
def test_large_images_whose_sides_halve_get_convolutions(shape, network):
    assert choose_network(shape) == network
    config = default_config("own", shape=shape)
    assert config.model.network == network
    if shape is not None:
        model = build_model(config.model, shape)
        x = torch.zeros(2, *shape)
        assert model.decode(model.encode(x).mean).mean.shape == x.shape


def test_colours_are_no_chances_of_black_and_white():
    assert choose_likelihood(DIGITS) == choose_likelihood(None) == ModelConfig().likelihood
    assert choose_likelihood((3, 8, 8)) == "gaussian"
    model = default_config("own", shape=(3, 8, 8)).model
    assert (model.likelihood, model.sigma2) == ("gaussian", COLOUR_SIGMA2)
    assert default_config("own", shape=COLOUR).model.sigma2 == COLOUR_SIGMA2
    assert default_config("own", shape=DIGITS).model.sigma2 == ModelConfig().sigma2


def test_what_was_asked_for_goes_before_what_suits():
    config = default_config("own", 5, 7.0, "mlp", COLOUR)
    assert (config.model.network, config.model.latent_dim) == ("mlp", 5)
    assert config.budget.seconds == 7.0


def test_without_a_shape_a_recipe_is_what_it_was():
    assert default_config("digits", 2) == default_config("digits", 2, shape=(1, 8, 8))
    assert not is_large(None) and is_large(COLOUR) and not is_large(DIGITS)
