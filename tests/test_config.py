"""Configs: validated once, the same through JSON and TOML, schedules by the step alone."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.config import (
    DEVICES,
    BudgetConfig,
    Config,
    ModelConfig,
    ObjectiveConfig,
    OptimiserConfig,
)
from explorer.config.model import ACTIVATIONS, LIKELIHOOD_NAMES, NETWORK_NAMES
from explorer.config.objective import BETA_SCHEDULES
from explorer.config.optimiser import LEARNING_RATE_SCHEDULES
from explorer.errors import ExplorerError
from explorer.recipes import default_config


def numbers(low, high):
    return st.floats(low, high, allow_nan=False) | st.integers(math.ceil(low), int(high))


models = st.builds(
    ModelConfig,
    network=st.sampled_from(NETWORK_NAMES),
    hidden=st.lists(st.integers(1, 8192), max_size=8).map(tuple),
    activation=st.sampled_from(ACTIVATIONS),
    latent_dim=st.integers(1, 512),
    latent=st.sampled_from(["gaussian", "point"]),
    noise=numbers(0, 100),
    likelihood=st.sampled_from(LIKELIHOOD_NAMES),
    sigma2=numbers(1e-8, 1e6),
    binarise=st.booleans(),
    precision=st.sampled_from(["float32", "float64"]),
)
objectives = st.builds(
    ObjectiveConfig,
    beta=numbers(0, 1e4),
    schedule=st.sampled_from(BETA_SCHEDULES),
    warmup=numbers(0, 1),
    cycles=st.integers(1, 1000),
    samples=st.integers(1, 1000),
    free_bits=numbers(0, 100),
) | st.builds(ObjectiveConfig, importance_samples=st.integers(1, 1000))
optimisers = st.builds(
    OptimiserConfig,
    batch_size=st.integers(1, 65536),
    learning_rate=numbers(1e-8, 10),
    schedule=st.sampled_from(LEARNING_RATE_SCHEDULES),
    warmup_steps=st.integers(0, 10**9),
    final_fraction=numbers(0, 1),
    epsilon=numbers(1e-16, 1),
)
budgets = (
    st.builds(BudgetConfig, steps=st.integers(1, 10**9))
    | st.builds(BudgetConfig, epochs=numbers(1e-6, 1e6))
    | st.builds(BudgetConfig, seconds=numbers(0.1, 7 * 86400))
)


@st.composite
def configs(draw):
    objective = draw(objectives)
    model = draw(
        models.filter(lambda m: m.latent == "gaussian" or objective.importance_samples == 1)
    )
    return Config(
        dataset=draw(st.text(min_size=1).filter(lambda name: name.isprintable())),
        split=draw(st.sampled_from(["train", "all"])),
        model=model,
        objective=objective,
        optimiser=draw(optimisers),
        budget=draw(budgets),
        seed=draw(st.integers(0, 2**31 - 1)),
        device=draw(st.sampled_from(DEVICES)),
    )


# Both ways


@given(configs())
def test_a_config_is_the_same_through_json_and_toml(config):
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert Config.from_toml(config.to_toml()) == config


def test_a_partial_config_takes_the_defaults():
    assert Config.from_dict({"model": {"latent_dim": 3}}) == Config(model=ModelConfig(latent_dim=3))
    assert Config.from_toml("seed = 4\n[model]\nhidden = []") == Config(
        model=ModelConfig(hidden=()), seed=4
    )


def test_a_whole_float_is_taken_for_a_whole_number():
    config = Config.from_dict({"model": {"latent_dim": 3.0}, "budget": {"steps": 10.0}})
    assert (config.model.latent_dim, config.budget.steps) == (3, 10)
    assert isinstance(config.budget.steps, int)


# One clear sentence for each mistake


@pytest.mark.parametrize(
    "values, part",
    [
        ({"nonsense": 1}, "config has no field 'nonsense'"),
        ({"model": {"layers": 3}}, "model has no field 'layers'"),
        ({"model": 3}, "model must be a table"),
        ({"model": {"latent_dim": 0}}, "latent_dim must be a number from 1 to 512"),
        ({"model": {"latent_dim": 2.5}}, "latent_dim must be a whole number"),
        ({"model": {"latent_dim": True}}, "latent_dim"),
        ({"model": {"latent_dim": "2"}}, "latent_dim"),
        ({"model": {"hidden": 100}}, "hidden must be a list"),
        ({"model": {"hidden": "400"}}, "hidden must be a list"),
        ({"model": {"hidden": ["a"]}}, "hidden"),
        ({"model": {"hidden": [10**9]}}, "hidden"),
        ({"model": {"hidden": [8] * 9}}, "At most 8"),
        ({"model": {"binarise": "no"}}, "binarise must be true or false"),
        ({"model": {"network": "transformer"}}, "network must be one of mlp, conv, linear"),
        ({"model": {"network": ["mlp"]}}, "network"),
        ({"model": {"sigma2": 0}}, "sigma2"),
        ({"model": {"likelihood": "mse"}}, "likelihood must be one of bernoulli"),
        ({"objective": {"beta": -1}}, "beta must be a number from 0"),
        ({"objective": {"beta": math.nan}}, "beta"),
        ({"objective": {"beta": math.inf}}, "beta"),
        ({"objective": {"importance_samples": 5, "beta": 2}}, "importance-weighted bound"),
        ({"objective": {"importance_samples": 5, "free_bits": 0.1}}, "importance-weighted bound"),
        ({"optimiser": {"batch_size": 10**12}}, "batch_size"),
        ({"optimiser": {"learning_rate": 0}}, "learning_rate"),
        ({"budget": {}}, "exactly one budget"),
        ({"budget": {"steps": 10, "epochs": 1}}, "exactly one budget"),
        ({"budget": {"steps": 1.5}}, "steps must be a whole number"),
        ({"budget": {"steps": 10**12}}, "steps"),
        ({"budget": {"seconds": 1e9}}, "seconds"),
        ({"seed": -1}, "seed"),
        ({"device": "tpu"}, "device must be one of"),
        ({"dataset": ""}, "data set"),
        ({"dataset": 3}, "data set"),
        ({"split": "test"}, "split must be one of"),
        ({"model": {"latent": "point"}, "objective": {"importance_samples": 2}}, "autoencoder"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(values, part):
    with pytest.raises(ExplorerError, match=part.replace("(", r"\(")) as caught:
        Config.from_dict(values)
    assert "\n" not in str(caught.value)


def test_broken_toml_is_told_in_one_sentence():
    with pytest.raises(ExplorerError, match="not valid TOML"):
        Config.from_toml("[model\n")


# Schedules


def betas(steps, **settings):
    objective = ObjectiveConfig(**settings)
    return [objective.beta_at(step, steps) for step in range(steps)]


def test_a_constant_beta_stays():
    assert betas(5, beta=4.0) == [4.0] * 5


def test_a_linear_warmup_rises_from_zero_and_stays_at_beta():
    assert betas(10, beta=2.0, schedule="linear", warmup=0.4) == pytest.approx(
        [0, 0.5, 1, 1.5, 2, 2, 2, 2, 2, 2]
    )


def test_cycles_rise_over_their_first_part_and_begin_anew_at_zero():
    assert betas(20, beta=1.0, schedule="cyclical", cycles=4, warmup=0.6) == pytest.approx(
        [0, 1 / 3, 2 / 3, 1, 1] * 4
    )


@given(st.integers(1, 2000), st.integers(1, 50), st.floats(0.01, 1))
def test_each_of_the_cycles_begins_at_zero(steps_per_cycle, cycles, warmup):
    objective = ObjectiveConfig(schedule="cyclical", cycles=cycles, warmup=warmup)
    steps = steps_per_cycle * cycles
    assert all(objective.beta_at(c * steps_per_cycle, steps) == 0 for c in range(cycles))
    assert all(0 <= objective.beta_at(step, steps) <= 1 for step in range(0, steps, 97))


@pytest.mark.parametrize("schedule", ["linear", "cyclical"])
def test_no_warmup_is_a_constant_beta(schedule):
    assert betas(8, beta=3.0, schedule=schedule, warmup=0.0) == [3.0] * 8


def test_burdas_schedule_has_eight_plateaus_of_3_to_the_i_passes():
    """Burda et al. 2015, Sect. 5: lr 10^(−3)·10^(−i/7) for 3^i passes, i = 0…7, 3280 in all."""
    optimiser = OptimiserConfig(schedule="burda", learning_rate=1e-3, warmup_steps=200)
    rates = [optimiser.learning_rate_at(step, 3280) for step in range(3280)]
    expected = [1e-3 * 10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert rates == pytest.approx(expected)


def test_the_cosine_warms_up_and_falls_to_its_final_fraction():
    optimiser = OptimiserConfig(learning_rate=1e-2, warmup_steps=10, final_fraction=0.1)
    rates = [optimiser.learning_rate_at(step, 1000) for step in range(1001)]
    assert rates[:10] == pytest.approx([1e-3 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(1e-2)
    assert rates[505] == pytest.approx(1e-2 * 0.55)
    assert rates[1000] == pytest.approx(1e-3)
    assert all(later <= earlier for earlier, later in zip(rates[10:], rates[11:], strict=False))


def test_a_warmup_takes_at_most_a_tenth_of_a_short_run():
    optimiser = OptimiserConfig(learning_rate=1.0, schedule="constant", warmup_steps=200)
    rates = [optimiser.learning_rate_at(step, 20) for step in range(20)]
    assert rates == pytest.approx([0.5] + [1.0] * 19)
    assert optimiser.learning_rate_at(0, 1) == 1.0


def test_the_default_recipe_follows_the_number_of_latents():
    assert default_config(latent_dim=2).objective.schedule == "linear"
    assert default_config(latent_dim=20).model.hidden == (400,)
    assert default_config(network="linear").model.hidden == ()
    assert default_config("mnist", seconds=5).budget == BudgetConfig(seconds=5)
    assert default_config(seconds=600).model.hidden > default_config(seconds=10).model.hidden
    rates = [default_config(seconds=s).optimiser.learning_rate for s in (600, 10)]
    assert rates == [2e-3, 3e-3]


@pytest.mark.parametrize(
    "network, hidden, rate",
    [
        ("conv", (64, 128, 256, 512), 5e-4),
        ("conv", (32, 64, 128, 256), 1e-3),
        ("conv", (16, 32, 64, 128), 2e-3),
        ("mlp", (512, 256), 2e-3),
        ("linear", (), 2e-3),
    ],
)
def test_a_rate_that_is_not_stated_falls_as_convolutions_widen(network, hidden, rate):
    toml = f'[model]\nnetwork = "{network}"\nhidden = {list(hidden)}\n'
    assert Config.from_toml(toml).optimiser.learning_rate == rate
    stated = Config.from_toml(f"{toml}[optimiser]\nlearning_rate = 2e-3\n")
    assert stated.optimiser.learning_rate == 2e-3


def test_an_optimiser_alone_has_the_rate_of_narrow_networks():
    assert OptimiserConfig(schedule="constant", warmup_steps=0).learning_rate_at(3, 9) == 2e-3


def test_a_key_of_thousands_of_parts_is_refused_before_it_is_parsed():
    with pytest.raises(ExplorerError, match="nested too deeply"):
        Config.from_toml("a . " * 2000 + "b = 1")
