"""Remedies against collapse: what each does, and the negative control that theory allows."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from explorer.analysis.collapse.linear import (
    covariance_eigenvalues,
    learned_sigma2,
    linear_optimum,
    water_fill,
)
from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.datasets import load_dataset
from explorer.elbo.terms import price_kl
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.models.networks import SkipLinear
from explorer.models.priors import gaussian_kl
from explorer.training.fit import fit_config
from explorer.training.loop import train
from explorer.training.remedies import KINDS, REMEDIES, apply_remedy
from explorer.training.single import SingleEngine, estimate_information
from tests.helpers import of_kind, present
from tests.small_run import change, make_config

SIGMA2 = 0.75
STEPS = 1500
FEWER = 800
"""Steps where the optimum is reached sooner."""


def sick_config(**objective):
    """The patient of docs/science.md §5: σ² = 0.75 > λ₁, so that all 16 sleep."""
    return Config(
        split="all",
        model=ModelConfig(
            network="linear",
            hidden=(),
            latent_dim=16,
            likelihood="gaussian",
            sigma2=SIGMA2,
            precision="float64",
        ),
        objective=ObjectiveConfig(**objective),
        optimiser=OptimiserConfig(
            batch_size=599, learning_rate=0.03, final_fraction=1e-3, warmup_steps=20
        ),
        budget=BudgetConfig(steps=STEPS),
        device="cpu",
    )


def fit(config, steps=STEPS):
    """Return (squared error summed over pixels, rate, KL per dimension) after training."""
    images = load_dataset("digits").images
    engine = SingleEngine(config, images, torch.device("cpu"))
    for step in range(steps):
        engine.step(step, steps, [config.objective.beta_at(step, steps)])
    model = engine.model.eval()
    with torch.no_grad():
        x = model.target(torch.from_numpy(np.array(images)))
        mean, logvar = model.encode_parameters(x)
        assert logvar is not None
        output = model.decoder(mean).flatten(1)
        weight = of_kind(nn.Linear, model.decoder[0]).weight
        noise = (weight.square().sum(0) * logvar.exp()).sum(1).mean()
        error = (x.flatten(1) - output).square().sum(1).mean() + noise
        kl = gaussian_kl(mean, logvar).mean(0)
    return float(error), float(kl.sum()), kl.numpy()


@pytest.fixture(scope="module")
def eigenvalues():
    return covariance_eigenvalues(load_dataset("digits").images)


@pytest.mark.parametrize(
    "remedy, steps", [(None, FEWER), pytest.param("warm-up", STEPS, marks=pytest.mark.slow)]
)
def test_what_the_objective_asks_for_no_path_prevents(remedy, steps, eigenvalues):
    config = sick_config()
    error, rate, _ = fit(apply_remedy(remedy, config) if remedy else config, steps)
    assert error == pytest.approx(eigenvalues.sum(), abs=0.01)
    assert error == pytest.approx(4.6933, abs=0.01)
    assert rate == pytest.approx(0, abs=0.01)


def test_cyclical_warm_up_leaves_a_transient_at_most():
    error, rate, _ = fit(apply_remedy("cyclical", sick_config()), 1000)
    assert 4.6 < error < 4.70
    assert 0 <= rate < 0.1


def test_free_bits_per_dimension_fill_every_dimension_to_the_brim():
    error, rate, kl = fit(apply_remedy("free-bits", sick_config()), FEWER)
    np.testing.assert_allclose(kl, 0.1, atol=0.01)
    assert rate == pytest.approx(1.6, abs=0.05)
    assert error == pytest.approx(3.588, abs=0.03)


def test_free_bits_in_total_find_the_water_filling_optimum(eigenvalues):
    error, rate, _ = fit(apply_remedy("free-bits-total", sick_config()), FEWER)
    assert rate == pytest.approx(1.6, abs=0.05)
    assert water_fill(eigenvalues, 16, 1.6).squared_error == pytest.approx(3.4109, abs=2e-4)
    assert error == pytest.approx(3.4113, abs=0.03)


def test_a_capacity_target_is_met_at_the_water_filling_optimum(eigenvalues):
    error, rate, _ = fit(sick_config(capacity=5.0, capacity_weight=0.5, schedule="linear"))
    assert rate == pytest.approx(5.0, abs=0.05)
    assert water_fill(eigenvalues, 16, 5.0).squared_error == pytest.approx(2.310, abs=1e-3)
    assert error == pytest.approx(2.310, abs=0.03)


@pytest.mark.parametrize(
    "remedy, steps",
    [pytest.param("learned-sigma", STEPS, marks=pytest.mark.slow), ("optimal-sigma", FEWER)],
)
def test_a_learned_or_optimal_sigma_wakes_all_the_closed_form_wakes(remedy, steps, eigenvalues):
    optimum = linear_optimum(eigenvalues, 16, sigma2=learned_sigma2(eigenvalues, 16))
    assert (optimum.squared_error, optimum.rate) == pytest.approx((0.9424, 20.241), abs=1e-3)
    error, rate, _ = fit(apply_remedy(remedy, sick_config()), steps)
    assert error == pytest.approx(optimum.squared_error, abs=0.02)
    assert rate == pytest.approx(optimum.rate, abs=0.15)


def test_a_cap_on_the_posterior_variance_is_a_floor_under_kl():
    cap = 0.5
    _, _, kl = fit(apply_remedy("posterior-cap", sick_config()), steps=300)
    floor = 0.5 * (cap - 1 - math.log(cap))
    assert (kl >= floor - 1e-9).all()
    assert kl.min() == pytest.approx(floor, abs=0.05)


def test_batch_norm_of_the_mean_is_a_floor_under_kl():
    _, rate, kl = fit(apply_remedy("mean-norm", sick_config()), steps=300)
    assert rate >= 16 * 0.5**2 / 2 * 0.95  # Running statistics lag a little.
    assert kl.min() > 0.9 * 0.5**2 / 2


def test_skips_reach_every_layer_of_the_decoder():
    model = VAE(ModelConfig(hidden=(6, 5), latent_dim=3, skip=True), (1, 8, 8))
    widths = [layer.linear.in_features for layer in model.decoder if isinstance(layer, SkipLinear)]
    assert widths == [3, 8] and model.decoder[-2].in_features == 9
    z = torch.randn(4, 3, requires_grad=True)
    with torch.no_grad():
        for layer in list(model.decoder)[:2]:
            of_kind(SkipLinear, layer).linear.weight.zero_()
    model.decoder(z).sum().backward()
    assert (present(z.grad) != 0).all()  # z reaches the pixels past dead layers.


def test_the_price_is_kept_apart_from_the_kl():
    kl = torch.tensor([[0.0, 0.3], [0.1, 0.5]])
    assert price_kl(kl, 2.0, ObjectiveConfig()) == pytest.approx(2 * 0.45)
    assert price_kl(kl, 2.0, ObjectiveConfig(free_bits=0.2)) == pytest.approx(2 * 0.6)
    assert price_kl(kl, 2.0, ObjectiveConfig(free_bits_total=1.0)) == pytest.approx(2.0)
    target = ObjectiveConfig(capacity=1.0, capacity_weight=3.0)
    assert price_kl(kl, 2.0, target) == pytest.approx(3 * 0.55)


def test_the_capacity_rises_as_beta_would():
    target = ObjectiveConfig(capacity=10.0, schedule="linear", warmup=0.5)
    assert [round(target.at(step, 100).capacity, 6) for step in (0, 25, 50, 99)] == [0, 5, 10, 10]
    constant = ObjectiveConfig(capacity=10.0)
    assert constant.at(0, 100) is constant


def test_the_aggressive_phase_ends_by_itself_and_survives_a_stop(tmp_path):
    config = change(make_config(120), optimiser__batch_size=256, optimiser__inner_steps=12)
    engine = SingleEngine(config, load_dataset("digits").split("train").images, torch.device("cpu"))
    before = [p.clone() for p in engine.model.decoder.parameters()]
    engine._catch_up(0, 1.0, config.objective)
    assert all(
        torch.equal(a, b) for a, b in zip(before, engine.model.decoder.parameters(), strict=True)
    )
    run = train(config, tmp_path / "lagging")
    assert run.info.status.state == "finished"
    held_out, epoch = load_dataset("digits").split("validation").images, engine.steps_per_epoch
    engine.watch(epoch, held_out)
    assert engine.aggressive and engine.best_information > -1
    engine.best_information = 100.0
    engine.watch(2 * epoch - 1, held_out)  # An epoch is not over: nothing is looked at.
    assert engine.aggressive
    engine.watch(2 * epoch, held_out)
    assert not engine.aggressive


def test_information_of_known_codes():
    generator = torch.Generator().manual_seed(0)
    apart = torch.arange(50.0)[:, None] * 100
    assert estimate_information(apart, torch.zeros(50, 1), generator) == pytest.approx(math.log(50))
    same = torch.zeros(50, 1)
    assert estimate_information(same, same, generator) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", REMEDIES)
def test_every_remedy_keeps_seed_and_budget_and_survives_json_and_toml(name):
    config = sick_config()
    config = dataclasses.replace(
        config, model=dataclasses.replace(config.model, network="mlp", hidden=(8,))
    )
    cured = apply_remedy(name, config)
    assert REMEDIES[name].kind in KINDS and REMEDIES[name].fits(config) and cured != config
    assert (cured.seed, cured.budget) == (config.seed, config.budget)
    assert Config.from_dict(cured.to_dict()) == cured
    assert Config.from_toml(cured.to_toml()) == cured
    VAE(cured.model, (1, 8, 8))


def test_configs_from_before_the_remedies_are_read():
    values = Config().to_dict()
    for part, names in {
        "model": ("posterior_cap", "mean_norm", "skip"),
        "objective": ("free_bits_total", "capacity", "capacity_weight"),
        "optimiser": ("inner_steps",),
    }.items():
        for name in names:
            del values[part][name]
    assert Config.from_dict(values) == Config()


def test_what_does_not_go_together_is_one_sentence():
    with pytest.raises(ExplorerError, match="There is no remedy"):
        apply_remedy("prayer", Config())
    with pytest.raises(ExplorerError, match="decoder is Gaussian"):
        apply_remedy("learned-sigma", Config())
    with pytest.raises(ExplorerError, match="Choose one of"):
        ObjectiveConfig(free_bits=0.1, capacity=3.0)
    with pytest.raises(ExplorerError, match="can be capped or normalised"):
        ModelConfig(latent="point", mean_norm=1.0)
    assert not REMEDIES["optimal-sigma"].fits(Config())


def test_a_fitted_model_is_offered_no_remedy():
    assert not any(remedy.fits(fit_config("digits", "ppca")) for remedy in REMEDIES.values())
