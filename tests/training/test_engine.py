"""One step: which images, which random numbers, which learning rate."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.errors import ExplorerError
from explorer.models.networks import WideLinear
from explorer.training import engine as engine_module
from explorer.training.engine import Engine, Totals, choose_device
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


def test_an_epoch_takes_each_image_at_most_once_in_an_order_of_its_own():
    images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1).repeat(4, 2).repeat(4, 3)
    engine = Engine(CONFIG, images, CPU)
    assert engine.steps_per_epoch == 3
    epochs = []
    for epoch in range(2):
        batches = [engine.batch(3 * epoch + index)[:, 0, 0, 0].tolist() for index in range(3)]
        epochs.append(sum(batches, []))
        assert len(set(epochs[-1])) == 90
    assert epochs[0] != epochs[1]
    # The order follows from the seed and the step alone, not from what was drawn before.
    assert Engine(CONFIG, images, CPU).batch(4)[:, 0, 0, 0].tolist() == epochs[1][30:60]


def test_few_images_are_one_batch():
    engine = Engine(CONFIG, IMAGES[:7], CPU)
    assert (engine.batch_size, engine.steps_per_epoch) == (7, 1)
    engine.step(0, 10, 1.0)


def test_the_seed_decides_the_run_and_nobody_elses_random_numbers():
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    engines = [Engine(CONFIG, IMAGES, CPU) for _ in range(2)]
    engines.append(Engine(dataclasses.replace(CONFIG, seed=1), IMAGES, CPU))
    for engine in engines:
        for step in range(5):
            engine.step(step, 20, 1.0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(weights(engines[0]), weights(engines[1]))
    assert not torch.equal(weights(engines[0]), weights(engines[2]))


def test_a_step_follows_the_learning_rate_schedule():
    engine = Engine(CONFIG, IMAGES, CPU)
    for step in range(20):
        engine.step(step, 20, 1.0)
        expected = CONFIG.optimiser.learning_rate_at(step, 20)
        assert [group["lr"] for group in engine.optimiser.param_groups] == [expected]


def test_training_lowers_the_objective():
    config = dataclasses.replace(CONFIG, optimiser=OptimiserConfig(batch_size=100))
    two_kinds = np.repeat(np.array([0, 255], np.uint8), 50).repeat(16).reshape(100, 1, 4, 4)
    engine = Engine(config, two_kinds, CPU)
    engine.step(0, 200, 1.0)
    first = engine.totals.means()[0]
    for step in range(1, 200):
        engine.step(step, 200, 1.0)
    engine.totals.clear()
    engine.step(199, 200, 1.0)
    assert engine.totals.means()[0] < first - 2


@pytest.mark.parametrize("network", ["mlp", "conv", "linear"])
@pytest.mark.parametrize("latent", ["gaussian", "point"])
def test_every_kind_of_model_takes_a_step(network, latent):
    hidden = {"mlp": (8,), "conv": (4,), "linear": ()}[network]
    model = ModelConfig(network=network, hidden=hidden, latent=latent, noise=0.1)
    config = Config(model=model, objective=ObjectiveConfig(samples=2))
    engine = Engine(config, np.zeros((20, 1, 8, 8), np.uint8), CPU)
    before = weights(engine)
    engine.step(0, 10, 1.0)
    assert not torch.equal(weights(engine), before)
    objective, reconstruction, kl = engine.totals.means()
    if latent == "point":
        assert kl is None and objective == reconstruction
    else:
        assert objective == pytest.approx(reconstruction + sum(present(kl)), rel=1e-5)


def test_an_importance_weighted_step_is_one_too():
    config = dataclasses.replace(CONFIG, objective=ObjectiveConfig(importance_samples=5))
    engine = Engine(config, IMAGES, CPU)
    engine.step(0, 10, 1.0)
    objective, reconstruction, kl = engine.totals.means()
    assert objective < reconstruction + sum(present(kl))


def test_totals_are_means_over_batches():
    totals = Totals()
    for value in (1.0, 3.0):
        totals.add(torch.tensor(value), torch.tensor(2 * value), torch.tensor([value, 0.0]))
    assert totals.means() == (2.0, 4.0, [2.0, 0.0])
    totals.clear()
    totals.add(torch.tensor(5.0), torch.tensor(5.0), None)
    assert totals.means() == (5.0, 5.0, None)


def test_bfloat16_products_stay_near_float32_ones_and_away_from_the_code(monkeypatch):
    """Half products move the weights by rounding only; the layers next to the code keep theirs."""
    model = ModelConfig(hidden=(16, 8), latent_dim=2)
    found = {}
    for precision in ("float32", "bfloat16"):
        optimiser = OptimiserConfig(batch_size=50, matmul_precision=precision, schedule="constant")
        config = dataclasses.replace(CONFIG, model=model, optimiser=optimiser)
        engine = Engine(config, IMAGES, CPU)
        for step in range(20):
            engine.step(step, 20, 1.0)
        found[engine.arithmetic] = engine
    half, full = found["bfloat16"], found["float32"]
    wide = [layer for layer in half.model.modules() if isinstance(layer, WideLinear)]
    assert [layer.weight.shape for layer in wide] == [(16, 16), (8, 16), (16, 8), (16, 16)]
    assert all(p.dtype == torch.float32 for p in half.model.parameters())
    assert not torch.equal(weights(half), weights(full))
    assert weights(half) == pytest.approx(weights(full), abs=0.02)
    # Whatever is evaluated, is so in float32.
    x = torch.zeros(3, 1, 4, 4)
    half.model.load_state_dict(full.model.state_dict())
    with torch.no_grad():
        assert torch.equal(half.model.encoder(x), full.model.encoder(x))


def test_bfloat16_is_taken_where_it_was_measured_to_cost_nothing(monkeypatch):
    monkeypatch.setattr(engine_module, "has_bfloat16", lambda: True)

    def arithmetic(matmul_precision="auto", **model):
        optimiser = OptimiserConfig(batch_size=30, matmul_precision=matmul_precision)
        made = ModelConfig(**{"hidden": (8,), **model})
        config = dataclasses.replace(CONFIG, model=made, optimiser=optimiser)
        return Engine(config, IMAGES, CPU).arithmetic

    assert arithmetic() == "bfloat16"
    assert arithmetic("float32") == "float32"
    assert arithmetic(likelihood="gaussian") == "float32"
    assert arithmetic(network="linear", hidden=()) == "float32"
    assert arithmetic("bfloat16", likelihood="gaussian") == "bfloat16"
    assert arithmetic("bfloat16", precision="float64") == "float64"
    monkeypatch.setattr(engine_module, "has_bfloat16", lambda: False)
    assert arithmetic() == "float32"


def test_a_device_is_chosen_or_told_to_be_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    assert choose_device("auto", "float64").type == "cpu"
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ExplorerError, match="no cuda device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ExplorerError, match="no mps device"):
        choose_device("mps")
