"""Usage and swaps of a codebook, on codes that can be counted by hand."""

import math

import numpy as np
import pytest
import torch

from explorer.analysis.representation.codebook import (
    decode_indices,
    encode_indices,
    measure_usage,
    picture_entries,
    sample_by_position,
    sample_uniform,
    score_indices,
    swap_code,
)
from explorer.config import ModelConfig
from explorer.elbo.encoding import draw_targets
from explorer.errors import ExplorerError
from explorer.models import VAE, build_model
from tests.helpers import present


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = ModelConfig(
        network="conv", hidden=(4, 8), latent="categorical", latent_dim=49, codebook=10, code_size=4
    )
    return build_model(config, (1, 28, 28)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (1, 28, 28), dtype=np.uint8)


def test_even_use_has_the_perplexity_of_the_codebook():
    usage = measure_usage(np.arange(12).reshape(3, 4), 12)
    assert usage.perplexity == pytest.approx(12)
    assert (usage.used, usage.entries, usage.images) == (12, 12, 3)
    assert usage.rate_by_usage == pytest.approx(usage.rate)
    assert usage.rate == pytest.approx(4 * math.log(12))
    np.testing.assert_allclose(usage.share, 1 / 12)


def test_one_entry_has_perplexity_one():
    usage = measure_usage(np.full((5, 4), 3), 8)
    assert usage.perplexity == 1 and usage.used == 1 and usage.perplexity_error == 0


def test_perplexity_is_exp_of_the_entropy_and_its_error_shrinks():
    generator = np.random.default_rng(0)
    share = np.array([0.5, 0.25, 0.125, 0.125])
    codes = generator.choice(4, (20_000, 6), p=share)
    usage = measure_usage(codes, 4)
    expected = math.exp(-(share * np.log(share)).sum())
    assert usage.perplexity == pytest.approx(expected, abs=5 * usage.perplexity_error)
    few = measure_usage(codes[:200], 4)
    assert few.perplexity_error == pytest.approx(10 * usage.perplexity_error, rel=0.2)


def test_dropped_positions_count_nowhere():
    usage = measure_usage([[0, -1, 1, -1], [1, 0, -1, -1]], 2)
    assert usage.counts.tolist() == [2, 2] and usage.perplexity == pytest.approx(2)
    assert usage.rate == pytest.approx(2 * np.log(2)) and usage.perplexity_error == 0
    with pytest.raises(ExplorerError):
        measure_usage([[-1, -1]], 2)


def test_codes_that_are_none_are_refused():
    with pytest.raises(ExplorerError, match="0 to 7"):
        measure_usage([[0, 8]], 8)
    with pytest.raises(ExplorerError, match="whole numbers"):
        measure_usage([[0.5]], 8)
    with pytest.raises(ExplorerError, match="codebook"):
        decode_indices(VAE(ModelConfig(hidden=(4,)), (1, 8, 8)), [[0, 1]])


def test_a_swap_changes_one_code_and_only_the_pixels_around_it(model, picture):
    codes = encode_indices(model, picture)
    assert codes.shape == (49,)
    swapped = swap_code(codes, 24, (codes[24] + 1) % 10)
    assert (swapped != codes).sum() == 1 and swapped is not codes
    before, after = decode_indices(model, np.stack([codes, swapped]))
    changed = np.abs(after - before)[0] > 0
    assert changed[14, 14] and not changed[:4].any() and not changed[:, -4:].any()
    vectors = model.quantiser.codebook[torch.from_numpy(swapped)][None]
    np.testing.assert_allclose(after, model.decode(vectors).mean[0].numpy(), atol=1e-6)


def test_the_score_is_that_of_the_likelihood(model, picture):
    codes = encode_indices(model, picture)
    x = draw_targets(model, picture[None])
    expected = -model.decode(torch.from_numpy(codes)[None]).log_prob(x)
    np.testing.assert_allclose(score_indices(model, codes[None], x), expected.numpy(), rtol=1e-6)


def test_an_entry_is_pictured_by_the_mean_of_where_it_is_used(model):
    codes = np.zeros((2, 49), np.int64)
    codes[:, 24] = 5
    pictures = picture_entries(model, codes)
    assert pictures.shape == (10, 1, 8, 8)
    middle = decode_indices(model, codes[:1])[0, :, 10:18, 10:18]
    np.testing.assert_allclose(pictures[5], middle, atol=1e-6)
    assert not pictures[7].any()


def test_draws_are_seeded_and_by_position_come_from_that_position(model):
    assert np.array_equal(sample_uniform(model, 3, 1), sample_uniform(model, 3, 1))
    assert sample_uniform(model, 3).shape == (3, 49)
    codes = np.arange(49) + 49 * np.arange(4)[:, None]
    drawn = sample_by_position(codes, 20)
    assert np.array_equal(drawn % 49, np.tile(np.arange(49), (20, 1)))


@pytest.mark.parametrize("name", ["strokes-vq", "mnist-vq"])
def test_shipped_codebooks_are_in_use(name):
    """More than 80 % of the entries, on held-out images."""
    from explorer.runs.store import open_run

    run = open_run(name)
    usage = measure_usage(
        present(present(run.codes()).indices), present(run.info.config).model.codebook
    )
    assert usage.used > 0.8 * usage.entries
    assert usage.perplexity > 0.5 * usage.entries
    assert "kl" not in run.info.results["test"]
