"""Gradients that are written out are those of autograd, and so is what is trained by them."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.config import Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.elbo.terms import elbo_terms
from explorer.models import build_model
from explorer.models.stacked import StackedModels
from explorer.training import family, single
from explorer.training.engine import average
from explorer.training.family import FamilyEngine, family_configs
from explorer.training.single import SingleEngine
from explorer.training.written_out import write_out
from tests.helpers import present

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 1, 6, 5), dtype=np.uint8)
PLAIN = ModelConfig(hidden=(9, 7), latent_dim=3, precision="float64")
KNOWN = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "one hidden layer": {"hidden": (8,)},
    "linear": {"network": "linear", "hidden": ()},
    "grey images": {"binarise": False},
}


def configure(**model):
    return Config(
        model=dataclasses.replace(PLAIN, **model), optimiser=OptimiserConfig(batch_size=20)
    )


def build(config, seed=0):
    torch.manual_seed(seed)
    model = build_model(config.model, IMAGES.shape[1:])
    for parameter in model.parameters():  # The last bias too is no longer 0.
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def generator():
    return torch.Generator().manual_seed(1)


def learn_by_autograd(model, x, beta):
    """Return the means, and the gradients by name."""
    terms = elbo_terms(model, x, beta, ObjectiveConfig(), generator())
    model.zero_grad()
    terms.objective.backward()
    return average(terms), {name: present(p.grad) for name, p in model.named_parameters()}


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("change", KNOWN.values(), ids=KNOWN)
def test_gradients_and_means_are_those_of_autograd(change):
    config = configure(**change)
    model = build(config)
    x = model.target(torch.from_numpy(IMAGES), generator())
    means, gradients = learn_by_autograd(model, x, 1.7)
    written_out = present(write_out([config], model, model.likelihood))
    model.zero_grad()
    assert_close(written_out.learn(x, 1.7, generator()), means)
    found = [present(parameter.grad) for parameter in model.parameters()]
    assert_close(found, gradients.values())
    assert all(not gradient.requires_grad for gradient in found)


def test_members_side_by_side_learn_what_they_would_alone():
    config, betas = configure(), [0.5, 4.0]
    models = [build(config, seed) for seed in range(2)]
    x = models[0].target(torch.from_numpy(IMAGES), generator())
    stacked = StackedModels(models)
    written_out = present(write_out([config] * 2, stacked, models[0].likelihood))
    found = written_out.learn(x, betas, generator()).unbind()
    for index, (model, beta) in enumerate(zip(models, betas, strict=True)):
        means, gradients = learn_by_autograd(model, x, beta)
        assert_close(found[index], means)
        own = {name: present(p.grad)[index] for name, p in stacked.named_parameters()}
        assert len(own) == len(gradients)
        assert_close(own.values(), gradients.values())


OTHERS = {
    "another likelihood": {"model": {"likelihood": "gaussian"}},
    "a network with convolutions": {"model": {"network": "conv", "hidden": (4,)}},
    "a point code": {"model": {"latent": "point"}},
    "a learned prior": {"model": {"prior": "mixture"}},
    "another activation": {"model": {"activation": "silu"}},
    "skips": {"model": {"skip": True}},
    "a norm of the means": {"model": {"mean_norm": 0.5}},
    "a capped variance": {"model": {"posterior_cap": 0.5}},
    "several samples": {"objective": {"samples": 2}},
    "an importance-weighted bound": {"objective": {"importance_samples": 3}},
    "free bits": {"objective": {"free_bits": 0.1}},
    "free bits in total": {"objective": {"free_bits_total": 0.1}},
    "a capacity target": {"objective": {"capacity": 2.0}},
    "updates of the encoder alone": {"optimiser": {"inner_steps": 2}},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_what_else_may_be_learned_is_left_to_autograd(change):
    plain = configure(precision="float32")
    config = dataclasses.replace(
        plain,
        **{part: dataclasses.replace(getattr(plain, part), **new) for part, new in change.items()},
    )
    images = np.zeros((20, 1, 8, 8), np.uint8)
    model = build_model(config.model, images.shape[1:])
    assert write_out([plain], model, build(plain).likelihood) is not None
    assert write_out([config], model, model.likelihood) is None
    assert write_out([plain, config], model, model.likelihood) is None  # One of a family.
    SingleEngine(config, images, CPU).step(0, 10, [1.0])


def train(engine, betas):
    for step in range(30):
        engine.step(step, 30, betas)
    totals = [total.means() for total in engine.totals]
    weights = [engine.member(index).state_dict().items() for index in range(len(betas))]
    return totals, [{name: value.clone() for name, value in items} for items in weights]


@pytest.mark.parametrize("betas", [[2.0], [0.5, 1.0, 4.0]], ids=["alone", "a family"])
def test_a_training_is_that_of_autograd(betas, monkeypatch):
    def make():
        configs = list(family_configs(configure(), betas).values())
        if len(betas) > 1:
            return FamilyEngine(configs, IMAGES, CPU)
        return SingleEngine(configs[0], IMAGES, CPU)

    totals, weights = train(make(), betas)
    for module in (single, family):
        monkeypatch.setattr(module, "write_out", lambda *_: None)
    expected_totals, expected_weights = train(make(), betas)
    for found, expected in zip(totals, expected_totals, strict=True):
        assert found[:2] == pytest.approx(expected[:2])
        assert found[2] == pytest.approx(expected[2])
    for one, other in zip(weights, expected_weights, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
