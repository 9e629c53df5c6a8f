"""Encoder and decoder take turns; one step in slow motion."""

import copy

import numpy as np
import pytest
import torch

from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.teaching.players import Game, slow_motion
from explorer.app.bounded import count_bytes
from explorer.errors import ExplorerError
from tests.analysis import oracles


@pytest.fixture
def image():
    return torch.from_numpy(oracles.digit_pixels()[:2])


def test_the_start_is_the_models_own_bound(image):
    model = oracles.linear_vae(2, rotate=0.5)
    start = Game(model, image).positions[0]
    exact = infer_posterior(model, image)
    assert start.log_px == pytest.approx(exact.log_px.mean(), abs=2e-3)
    assert start.elbo == pytest.approx(exact.elbo.mean(), abs=1e-6)
    assert start.is_exact and start.doubtful == 0


def test_an_encoder_step_raises_the_bound_and_leaves_log_px(image):
    game = Game(oracles.linear_vae(2), image, start="fresh-encoder")
    game.play("encoder", 50)
    first, last = game.positions[0], game.positions[-1]
    assert [p.step for p in game.positions] == [0, 10, 20, 30, 40, 50]
    assert last.log_px == first.log_px
    assert last.elbo > first.elbo
    assert last.gap < first.gap
    exact = infer_posterior(game.model, image)
    assert last.log_px == pytest.approx(exact.log_px.mean(), abs=2e-3)


def test_a_decoder_step_moves_log_px_and_not_the_encoder(image):
    game = Game(oracles.linear_vae(2), image)
    before = copy.deepcopy(game.model.encoder.state_dict())
    game.play("decoder", 10)
    first, last = game.positions
    assert last.log_px > first.log_px
    assert last.elbo > first.elbo
    after = game.model.encoder.state_dict()
    assert all((value == before[key]).all() for key, value in after.items())


def test_the_model_itself_is_never_touched(image):
    model = oracles.linear_vae(2)
    before = copy.deepcopy(model.state_dict())
    Game(model, image).play("both", 3)
    slow_motion(model, image[:1])
    assert all((value == before[key]).all() for key, value in model.state_dict().items())


def test_a_game_that_nobody_has_played_holds_hardly_more_than_its_weights(image):
    model = oracles.linear_vae(2)
    weights = sum(value.nbytes for value in model.state_dict().values())
    game = Game(model, image)
    assert weights <= count_bytes(game.model) <= count_bytes(game) < 2 * weights + image.nbytes
    game.play("encoder", 1)
    assert count_bytes(game) > 3 * weights


def test_more_latents_are_estimated_and_minibatches_are_drawn(image):
    images = (255 * oracles.digit_pixels()[:100]).astype(np.uint8)
    game = Game(oracles.linear_vae(4), image, images, start="fresh")
    game.play("both", 20)
    first, last = game.positions
    assert not last.is_exact
    assert last.elbo > first.elbo
    assert last.log_px > last.elbo


def test_an_estimated_log_px_is_one_number_per_decoder(image):
    game = Game(oracles.linear_vae(4), image, start="fresh-encoder")
    game.play("encoder", 20)
    values = {position.log_px for position in game.positions}
    assert len(values) == 1
    assert all(position.gap >= 0 for position in game.positions)
    game.play("decoder", 1)
    assert game.positions[-1].log_px not in values


def test_unknown_starts_and_players_are_one_clear_error(image):
    with pytest.raises(ExplorerError, match="start must be one of"):
        Game(oracles.linear_vae(), image, start="nowhere")
    with pytest.raises(ExplorerError, match="A player is one of"):
        Game(oracles.linear_vae(), image).play("referee", 1)


def test_slow_motion_adds_up(image):
    model = oracles.linear_vae(3, rotate=0.5)
    walk = slow_motion(model, image[:1], seed=2)
    assert walk.z == pytest.approx(walk.mean + walk.sd * walk.noise)
    assert walk.pixel_nats.sum() == pytest.approx(walk.reconstruction)
    q = model.encode(image[:1])
    assert walk.mean == pytest.approx(q.mean[0].detach().numpy())
    kl = torch.distributions.kl_divergence(q, model.prior.distribution())
    assert walk.kl == pytest.approx(kl.item())
    assert walk.after < walk.objective
    assert min(walk.gradients) > 0
