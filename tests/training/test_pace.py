"""One thread or all: what is faster now, and the same weights either way."""

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, OptimiserConfig
from explorer.training import pace
from explorer.training.engine import Engine, has_bfloat16
from explorer.training.pace import ThreadChoice

IMAGES = (np.random.default_rng(0).random((1024, 1, 28, 28)) * 255).astype(np.uint8)
PRECISION = "bfloat16"


def an_engine(precision=PRECISION, batch_size=128, seconds=10.0, likelihood="bernoulli"):
    config = Config(
        budget=BudgetConfig(seconds=seconds),
        model=ModelConfig(hidden=(400,), latent_dim=20, likelihood=likelihood),
        optimiser=OptimiserConfig(batch_size=batch_size, matmul_precision=precision),
    )
    return Engine(config, IMAGES, torch.device("cpu"))


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def live(choice, seconds, cost):
    """Spend `seconds` on updates that take cost(threads) each; return the share on one thread."""
    spent, alone = 0.0, 0.0
    while spent < seconds:
        took = cost(choice.threads)
        spent += took
        alone += took * (choice.threads == 1)
        choice.note(took)
    return alone / spent


def test_it_follows_the_machine(two_threads):
    choice = ThreadChoice(an_engine())
    assert choice.counts == [2, 1]
    assert live(choice, 30, {1: 0.006, 2: 0.004}.get) < 0.1
    # Another process takes the second core, and leaves again.
    assert live(choice, 1.0, {1: 0.007, 2: 0.05}.get) > 0.5
    assert live(choice, 60, {1: 0.007, 2: 0.05}.get) > 0.95
    live(choice, pace.LONGEST_WAIT, {1: 0.006, 2: 0.004}.get)
    assert live(choice, 30, {1: 0.006, 2: 0.004}.get) < 0.1
    choice.restore()
    assert torch.get_num_threads() == 2


def test_a_switch_that_costs_a_moment_does_not_hide_what_is_faster(two_threads):
    choice = ThreadChoice(an_engine())
    choice.use(1)
    spent, alone, before = 0.0, 0.0, 1
    while spent < 20:
        threads = choice.threads
        took = {1: 0.001, 2: 0.0007}[threads] + 0.01 * (threads != before)
        spent, alone, before = spent + took, alone + took * (threads == 1), threads
        choice.note(took)
    assert alone < 0.1 * spent


@pytest.mark.parametrize(
    ("settings", "threads"),
    [
        ({"precision": "float32"}, 2),
        ({"batch_size": 16}, 2),
        ({"likelihood": "gaussian"}, 2),
        ({}, 3),
        ({}, 1),
    ],
)
def test_there_is_no_choice_where_the_weights_might_depend_on_it(two_threads, settings, threads):
    torch.set_num_threads(threads)
    choice = ThreadChoice(an_engine(**settings))
    live(choice, 5, {1: 0.001, 2: 0.1}.get)
    assert choice.counts == [1]
    choice.restore()
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(not has_bfloat16(), reason="This processor does not multiply in bfloat16.")
@pytest.mark.parametrize("batch_size", [32, 128, 512])
def test_the_weights_are_the_same_on_one_thread_and_two(two_threads, batch_size):
    weights = []
    for count in (1, 2):
        torch.set_num_threads(count)
        engine = an_engine(batch_size=batch_size)
        for step in range(20):
            engine.step(step, 20, 1.0)
        weights.append(torch.cat([p.detach().flatten() for p in engine.model.parameters()]))
    assert torch.equal(*weights)


def test_the_faster_count_is_what_training_begins_with(two_threads, monkeypatch):
    engine = an_engine()
    choice = ThreadChoice(engine)
    monkeypatch.setattr(
        pace, "_time_update", lambda trial, seconds: {1: 0.01, 2: 0.02}[torch.get_num_threads()]
    )
    assert pace.measure_rate(engine, 0.2, choice) == pytest.approx(100)
    assert choice.threads == torch.get_num_threads() == 1


@pytest.mark.parametrize("price", [1e-4, 0.01, 0.05, 0.2, 9.0])
@pytest.mark.parametrize("seconds", [1.0, 10.0, 1000.0])
def test_a_film_takes_its_share_of_a_time_budget(monkeypatch, price, seconds):
    monkeypatch.setattr(pace, "measure_rate", lambda engine, seconds, threads: 100.0)
    engine = an_engine(seconds=seconds)
    steps, snapshots = pace.plan_steps(engine, ThreadChoice(engine), lambda: price)
    film, learning = snapshots * price, steps / 100
    assert film <= pace.FILM_SHARE * seconds + price or snapshots == pace.FEWEST_SNAPSHOTS
    assert pace.FEWEST_SNAPSHOTS <= snapshots <= pace.SNAPSHOTS
    if film < seconds / 2:
        assert 0.9 * seconds < film + learning < seconds
    assert learning > 0.2 * seconds
    logged, kept = pace.schedule_steps(steps, snapshots)
    assert len(kept) <= snapshots + 1
    assert kept <= logged
