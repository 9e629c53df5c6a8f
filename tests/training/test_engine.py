"""The contract: whatever learns can be told apart by nothing that a trainer asks of it."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, OptimiserConfig
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.runs.checkpoint import read_tensors
from explorer.training.engine import Means, Totals
from explorer.training.family import FamilyEngine, family_configs
from explorer.training.fit import FitEngine, fit_config
from explorer.training.optimiser import Adam
from explorer.training.single import SingleEngine

CPU = torch.device("cpu")
IMAGES = load_dataset("digits").split("train").images[:200]
HELD_OUT = load_dataset("digits").split("validation").images
STEPS = 12
CONFIG = Config(
    model=ModelConfig(hidden=(12,), latent_dim=3),
    optimiser=OptimiserConfig(batch_size=50),
    budget=BudgetConfig(steps=STEPS),
    device="cpu",
)


def change(**model):
    return dataclasses.replace(CONFIG, model=dataclasses.replace(CONFIG.model, **model))


def aggressive():
    return dataclasses.replace(CONFIG, optimiser=OptimiserConfig(batch_size=50, inner_steps=3))


ENGINES = {
    "single": lambda: SingleEngine(CONFIG, IMAGES, CPU),
    "aggressive": lambda: SingleEngine(aggressive(), IMAGES, CPU),
    "batch norm": lambda: SingleEngine(change(mean_norm=0.5), IMAGES, CPU),
    "mixture": lambda: SingleEngine(change(prior="mixture"), IMAGES, CPU),
    "vq": lambda: SingleEngine(
        change(network="conv", latent="categorical", latent_dim=16, codebook=8), IMAGES, CPU
    ),
    "family": lambda: FamilyEngine(list(family_configs(CONFIG, (0.5, 2.0)).values()), IMAGES, CPU),
    "fit": lambda: FitEngine(fit_config("digits", "fa"), IMAGES, CPU),
}


@pytest.fixture(params=list(ENGINES))
def make(request):
    return ENGINES[request.param]


def learn(engine, first, last):
    betas = [member.objective.beta for member in engine.configs]
    for step in range(first, last):
        engine.step(step, STEPS, betas)
        engine.watch(step + 1, HELD_OUT)


def weights(engine):
    """Return every member's tensors, buffers included."""
    return [
        {name: value.clone() for name, value in engine.member(index).state_dict().items()}
        for index in range(len(engine.configs))
    ]


def same(one, other):
    return all(
        first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
        for first, second in zip(one, other, strict=True)
    )


def test_going_on_from_what_was_packed_is_as_if_nothing_had_happened(make, tmp_path):
    whole, first = make(), make()
    learn(whole, 0, STEPS)
    learn(first, 0, 7)
    path = tmp_path / "state.safetensors"
    path.write_bytes(first.pack({"step": 7}))
    content, metadata = read_tensors(path, "test")
    assert metadata["step"] == 7 and metadata["complete"] is False
    second = make()
    second.unpack(content, metadata)
    assert same(weights(second), weights(first))
    learn(second, 7, STEPS)
    assert same(weights(second), weights(whole))


def test_a_state_is_not_taken_for_another_models(make, tmp_path):
    path = tmp_path / "state.safetensors"
    other = SingleEngine(change(hidden=(9, 7), latent_dim=5), IMAGES, CPU)
    path.write_bytes(other.pack({}))
    with pytest.raises(ExplorerError, match="cannot be continued"):
        make().unpack(*read_tensors(path, "test"))


def test_a_trial_learns_and_leaves_its_engine_alone(make):
    engine, untouched = make(), make()
    before = weights(engine)
    trial = engine.trial()
    assert same(weights(trial), before)
    learn(trial, 0, 5)
    assert not same(weights(trial), before)
    assert all(totals.count == 5 for totals in trial.totals)
    assert all(totals.count == 0 for totals in engine.totals)
    assert same(weights(engine), before)
    learn(engine, 0, STEPS)
    learn(untouched, 0, STEPS)
    assert same(weights(engine), weights(untouched))
    assert [t.means() for t in engine.totals] == [t.means() for t in untouched.totals]


def test_each_member_has_a_config_totals_and_a_plain_model(make):
    engine = make()
    learn(engine, 0, 1)
    assert len(engine.configs) == len(engine.totals)
    assert engine.batch_size * engine.steps_per_epoch <= len(IMAGES)
    for index, config in enumerate(engine.configs):
        model = engine.member(index)
        assert (model.shape, model.latent_dim) == ((1, 8, 8), config.model.latent_dim)
        x = model.target(torch.from_numpy(np.array(IMAGES[:3])))
        with torch.no_grad():
            mean, _ = model.encode_parameters(x)
            assert model.decode(mean).mean.shape == (3, 1, 8, 8)


def test_members_of_a_family_are_told_apart():
    engine = ENGINES["family"]()
    assert same(weights(engine)[:1], weights(engine)[1:])
    learn(engine, 0, 3)
    assert not same(weights(engine)[:1], weights(engine)[1:])


def test_a_fit_keeps_no_optimiser():
    engine = ENGINES["fit"]()
    assert not any(isinstance(value, Adam) for value in vars(engine).values())


def test_totals_are_means_over_batches():
    totals = Totals()
    for value in (1.0, 3.0):
        totals.add(Means(torch.tensor(value), torch.tensor(2 * value), torch.tensor([value, 0.0])))
    assert totals.means() == (2.0, 4.0, [2.0, 0.0])
    totals.clear()
    totals.add(Means(torch.tensor(5.0), torch.tensor(5.0), None))
    assert totals.means() == (5.0, 5.0, None)
