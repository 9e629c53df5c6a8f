"""Moves through the latent space."""

import numpy as np
import pytest
import torch

from explorer.analysis.representation import latents
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models import VAE
from tests.analysis import oracles


def test_decode_is_the_models_mean():
    model = oracles.small_bernoulli(3)
    z = np.random.default_rng(0).normal(size=(5, 3))
    expected = model.decode(torch.from_numpy(z).float()).mean.detach().numpy()
    assert latents.decode_codes(model, z) == pytest.approx(expected)
    assert latents.decode_codes(model, z[:0]).shape == (0, 1, 8, 8)


def test_draws_of_q_are_its_mean_and_its_own_noise():
    """z = μ + σ(x)ε: the noise scales with σ, and ε is the same whatever σ is."""
    model = oracles.linear_vae(2)
    still, narrow, wide = (
        latents.decode_draws(model, [0.5, -1.0], sigma, 6, seed=3)
        for sigma in ([0.0, 0.0], [0.1, 0.2], [1.0, 2.0])
    )
    assert still == pytest.approx(
        np.repeat(latents.decode_codes(model, [[0.5, -1.0]]), 6, 0), abs=1e-6
    )
    assert wide - still == pytest.approx(10 * (narrow - still), abs=1e-5)
    assert np.abs(wide - still).max() > 0.1


def test_traverse_moves_one_dimension():
    model = oracles.linear_vae(3)
    images = latents.traverse(model, [0.5, -1, 2], 1, [-1.0, 0.0, 1.0])
    weight = model.decoder[0].weight.detach().numpy()[:, 1].reshape(1, 8, 8)
    assert images[2] - images[1] == pytest.approx(weight, abs=1e-6)


def test_a_collapsed_dimension_is_moved_over_the_whole_prior():
    model = oracles.linear_vae(2)
    mean = np.stack([np.linspace(-1, 3, 101), np.zeros(101)], 1)
    logvar = np.log(np.stack([np.full(101, 0.1), np.ones(101)], 1))
    values, images = latents.traverse_aggregate(model, mean, logvar, 1, 5)
    assert values == pytest.approx([-2, -1, 0, 1, 2])
    assert images == pytest.approx(latents.traverse(model, [1.0, 0.0], 1, values))
    values, _ = latents.traverse_aggregate(model, mean, logvar, 0, 3)
    spread = 2 * np.sqrt(mean[:, 0].var() + 0.1)
    assert values == pytest.approx([1 - spread, 1.0, 1 + spread])


def test_lerp_and_slerp():
    a, b = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    straight, round_ = (latents.interpolate(a, b, 9, kind) for kind in ("lerp", "slerp"))
    assert straight[4] == pytest.approx([1.5, 1.5, 0])
    assert np.linalg.norm(round_, axis=1) == pytest.approx(np.full(9, 3.0))
    for path in (straight, round_):
        assert path[0] == pytest.approx(a)
        assert path[-1] == pytest.approx(b)


@pytest.mark.parametrize("end", [[0, 0], [2, 0], [-1, 0], [1, 0]])
def test_slerp_of_zero_parallel_and_opposite_codes_is_finite(end):
    assert np.isfinite(latents.interpolate([1.0, 0.0], end, 5, "slerp")).all()


def test_grid_reads_like_a_picture():
    codes = latents.grid_codes(3, 2.0)
    assert codes[0].tolist() == [-2, 2]
    assert codes[2].tolist() == [2, 2]
    assert codes[-1].tolist() == [2, -2]


def test_decode_grid():
    model = oracles.small_bernoulli(3)
    grid = latents.decode_grid(model, 4, dimensions=(2, 0), base=[0, 1, 0])
    assert grid.shape == (4, 4, 1, 8, 8)
    assert grid[0, 0] == pytest.approx(latents.decode_codes(model, [[3.0, 1, -3.0]])[0], rel=1e-4)


def test_one_latent_has_a_grid_too():
    assert latents.decode_grid(oracles.linear_vae(1), 3, dimensions=(0, 0)).shape[:2] == (3, 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: latents.decode_codes(m, np.zeros((2, 5))),
        lambda m: latents.decode_codes(m, np.full((2, 2), np.nan)),
        lambda m: latents.traverse(m, [0, 0], 7, [0]),
        lambda m: latents.interpolate([0, 0], [1, 1, 1], 3),
        lambda m: latents.interpolate([0, 0], [1, 1], 3, "cubic"),
        lambda m: latents.decode_grid(m, 0),
        lambda m: latents.decode_grid(m, 3, dimensions=(1, 1)),
    ],
)
def test_bad_input_is_one_clear_error(call):
    with pytest.raises(ExplorerError):
        call(oracles.small_bernoulli())


def test_components_are_what_a_unit_of_each_latent_adds():
    config = ModelConfig(network="linear", hidden=(), latent_dim=3, likelihood="gaussian-pixel")
    model = VAE(config, (1, 4, 4)).eval()
    decoded = latents.decode_codes(model, np.concatenate([np.zeros((1, 3)), np.eye(3)]))
    found = latents.linear_components(model)
    assert found == pytest.approx(decoded[1:] - decoded[:1], abs=1e-6)
    with pytest.raises(ExplorerError, match="linear"):
        latents.linear_components(VAE(ModelConfig(hidden=(4,)), (1, 4, 4)))
