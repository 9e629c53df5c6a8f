"""Holes on models whose answer is known: pixels that are the code itself."""

import numpy as np
import pytest
import torch

from explorer.analysis.representation import holes
from explorer.analysis.representation.holes import (
    SOURCES,
    draw_codes,
    measure_distances,
    measure_holes,
    share_beyond,
)
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models import VAE


def mirror(latent="point"):
    """A model of two pixels whose code is the picture: x̂ = z."""
    config = ModelConfig(network="linear", hidden=(), latent=latent, likelihood="gaussian")
    model = VAE(config, (1, 1, 2)).eval()
    with torch.no_grad():
        for network in (model.encoder, model.decoder):
            (layer,) = (part for part in network if isinstance(part, torch.nn.Linear))
            layer.weight.zero_()
            layer.bias.zero_()
            layer.weight[:2] = torch.eye(2)
    return model


def two_islands(count, seed=0):
    """Pictures around (.2, .2) and (.8, .8), half of them each, as bytes."""
    rng = np.random.default_rng(seed)
    centre = np.where(np.arange(count) % 2, 0.2, 0.8)[:, None]
    x = centre + 0.03 * rng.standard_normal((count, 2))
    return (255 * x).round().clip(0, 255).astype(np.uint8).reshape(count, 1, 1, 2)


def test_the_nearest_image_is_found_and_its_distance_is_exact():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 256, (40, 1, 3, 3), dtype=np.uint8)
    pictures = rng.random((1100, 1, 3, 3))
    distance, nearest = measure_distances(pictures, reference)
    every = np.linalg.norm(pictures.reshape(-1, 1, 9) - reference.reshape(1, -1, 9) / 255, axis=2)
    assert distance == pytest.approx(every.min(1), abs=1e-6)
    assert (nearest == every.argmin(1)).all()
    assert measure_distances(reference, reference)[0] == pytest.approx(0)


def test_codes_that_lie_as_those_of_images_have_five_percent_of_each():
    found = measure_holes(
        mirror(),
        two_islands(1500, 3).reshape(-1, 2) / 255,
        two_islands(1500, 1),
        two_islands(1500, 2),
    )
    assert found.holes == pytest.approx(0.05, abs=3 * found.holes_error)
    assert found.missed == pytest.approx(0.05, abs=3 * found.missed_error)
    assert 0 < found.holes_error < 0.02
    assert found.squared_error == pytest.approx(0, abs=1e-9)
    assert found.real == pytest.approx(found.reconstructed, abs=1e-6)


def test_the_water_between_the_islands_is_a_hole():
    rng = np.random.default_rng(0)
    between = 0.5 + 0.02 * rng.standard_normal((400, 2))
    half = np.concatenate([between, two_islands(400, 5).reshape(-1, 2) / 255])
    images = two_islands(1000, 1), two_islands(1000, 2)
    assert measure_holes(mirror(), between, *images).holes == 1
    found = measure_holes(mirror(), half, *images)
    assert found.holes == pytest.approx(0.5 + 0.5 * 0.05, abs=4 * found.holes_error)
    assert (found.distances[:400] > found.threshold).all()


def test_an_island_that_is_never_drawn_is_missed():
    one = two_islands(800, 4)[::2].reshape(-1, 2) / 255
    found = measure_holes(mirror(), one, two_islands(800, 1), two_islands(800, 2))
    assert found.holes == pytest.approx(0.05, abs=0.04)
    assert found.missed == pytest.approx(0.5 + 0.5 * 0.05, abs=0.04)


def test_the_error_of_a_share_is_that_of_repeated_measurements(monkeypatch):
    rng = np.random.default_rng(0)
    with monkeypatch.context() as patch:
        patch.setattr(holes, "REPEATS", 1)  # Of the hundred shares nobody asks for the error.
        shares = [share_beyond(rng.normal(size=300), rng.normal(size=300))[0] for _ in range(100)]
    error = np.mean(
        [share_beyond(rng.normal(size=300), rng.normal(size=300), seed=s)[1] for s in range(5)]
    )
    assert error == pytest.approx(np.std(shares), rel=0.35)


def test_random_codes_come_from_where_they_should():
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(-8, 0.1, (500, 2)), rng.normal(8, 0.1, (500, 2))])
    drawn = {s: draw_codes(mirror(), s, 2000, codes=codes) for s in SOURCES}
    assert drawn["prior"].std(0) == pytest.approx(1, abs=0.1)
    assert np.cov(drawn["matched"].T) == pytest.approx(np.cov(codes.T), rel=0.15)
    # The matched normal fills the middle, the mixture leaves it empty.
    assert (np.abs(drawn["matched"]).max(1) < 4).mean() > 0.1
    assert (np.abs(drawn["mixture"]).max(1) < 4).mean() == 0
    assert (draw_codes(mirror(), "prior", 9) == draw_codes(mirror(), "prior", 9)).all()


def test_bad_input_is_one_sentence():
    with pytest.raises(ExplorerError, match="one of prior, matched, mixture"):
        draw_codes(mirror(), "uniform", 3)
    with pytest.raises(ExplorerError, match="needs them"):
        draw_codes(mirror(), "mixture", 3)
    with pytest.raises(ExplorerError, match="at least two"):
        measure_holes(mirror(), np.zeros((1, 2)), two_islands(10), two_islands(10))
