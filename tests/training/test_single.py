"""One step of a single model: which random numbers, which learning rate, which arithmetic."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.models.networks import WideLinear
from explorer.training.single import SingleEngine
from tests.helpers import present

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (100, 1, 4, 4), dtype=np.uint8)
CONFIG = Config(
    model=ModelConfig(hidden=(8,)),
    optimiser=OptimiserConfig(batch_size=30),
    budget=BudgetConfig(steps=20),
)


def weights(engine):
    return torch.cat([p.detach().flatten() for p in engine.model.parameters()])


def test_the_seed_decides_the_run_and_nobody_elses_random_numbers():
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    engines = [SingleEngine(CONFIG, IMAGES, CPU) for _ in range(2)]
    engines.append(SingleEngine(dataclasses.replace(CONFIG, seed=1), IMAGES, CPU))
    for engine in engines:
        for step in range(5):
            engine.step(step, 20, [1.0])
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(weights(engines[0]), weights(engines[1]))
    assert not torch.equal(weights(engines[0]), weights(engines[2]))


def test_a_step_follows_the_learning_rate_schedule():
    engine = SingleEngine(CONFIG, IMAGES, CPU)
    for step in range(20):
        engine.step(step, 20, [1.0])
        expected = CONFIG.optimiser.learning_rate_at(step, 20)
        assert engine.optimiser.lr == expected


def test_training_lowers_the_objective():
    config = dataclasses.replace(CONFIG, optimiser=OptimiserConfig(batch_size=100))
    two_kinds = np.repeat(np.array([0, 255], np.uint8), 50).repeat(16).reshape(100, 1, 4, 4)
    engine = SingleEngine(config, two_kinds, CPU)
    engine.step(0, 200, [1.0])
    first = engine.totals[0].means()[0]
    for step in range(1, 200):
        engine.step(step, 200, [1.0])
    engine.totals[0].clear()
    engine.step(199, 200, [1.0])
    assert engine.totals[0].means()[0] < first - 2


@pytest.mark.parametrize("network", ["mlp", "conv", "linear"])
@pytest.mark.parametrize("latent", ["gaussian", "point"])
def test_every_kind_of_model_takes_a_step(network, latent):
    hidden = {"mlp": (8,), "conv": (4,), "linear": ()}[network]
    model = ModelConfig(network=network, hidden=hidden, latent=latent, noise=0.1)
    config = Config(model=model, objective=ObjectiveConfig(samples=2))
    engine = SingleEngine(config, np.zeros((20, 1, 8, 8), np.uint8), CPU)
    before = weights(engine)
    engine.step(0, 10, [1.0])
    assert not torch.equal(weights(engine), before)
    objective, reconstruction, kl = engine.totals[0].means()
    if latent == "point":
        assert kl is None and objective == reconstruction
    else:
        assert objective == pytest.approx(reconstruction + sum(present(kl)), rel=1e-5)


def test_an_importance_weighted_step_is_one_too():
    config = dataclasses.replace(CONFIG, objective=ObjectiveConfig(importance_samples=5))
    engine = SingleEngine(config, IMAGES, CPU)
    engine.step(0, 10, [1.0])
    objective, reconstruction, kl = engine.totals[0].means()
    assert objective < reconstruction + sum(present(kl))


def test_bfloat16_products_stay_near_float32_ones_and_away_from_the_code():
    """Half products move the weights by rounding only; the layers next to the code keep theirs."""
    model = ModelConfig(hidden=(24, 20), latent_dim=2)
    found = {}
    for precision in ("float32", "bfloat16"):
        optimiser = OptimiserConfig(batch_size=50, matmul_precision=precision, schedule="constant")
        config = dataclasses.replace(CONFIG, model=model, optimiser=optimiser)
        engine = SingleEngine(config, IMAGES, CPU)
        for step in range(20):
            engine.step(step, 20, [1.0])
        found[engine.arithmetic] = engine
    half, full = found["bfloat16"], found["float32"]
    wide = [layer for layer in half.model.modules() if isinstance(layer, WideLinear)]
    assert [layer.weight.shape for layer in wide] == [(24, 16), (20, 24), (24, 20), (16, 24)]
    assert all(p.dtype == torch.float32 for p in half.model.parameters())
    assert not torch.equal(weights(half), weights(full))
    assert weights(half) == pytest.approx(weights(full), abs=0.02)
    # Whatever is evaluated, is so in float32.
    x = torch.zeros(3, 1, 4, 4)
    half.model.load_state_dict(full.model.state_dict())
    with torch.no_grad():
        assert torch.equal(half.model.encoder(x), full.model.encoder(x))
