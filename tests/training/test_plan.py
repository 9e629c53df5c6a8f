"""How many updates a budget comes to, and which of them are kept."""

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, OptimiserConfig
from explorer.training import plan
from explorer.training.machine import ThreadChoice
from explorer.training.single import SingleEngine

IMAGES = (np.random.default_rng(0).random((1024, 1, 28, 28)) * 255).astype(np.uint8)


def an_engine(seconds=10.0):
    config = Config(
        budget=BudgetConfig(seconds=seconds),
        model=ModelConfig(hidden=(400,), latent_dim=20),
        optimiser=OptimiserConfig(batch_size=128, matmul_precision="bfloat16"),
    )
    return SingleEngine(config, IMAGES, torch.device("cpu"))


def test_the_faster_count_is_what_training_begins_with(two_threads, monkeypatch):
    engine = an_engine()
    choice = ThreadChoice(engine.threads_agree)
    monkeypatch.setattr(
        plan, "_time_update", lambda trial, seconds: {1: 0.01, 2: 0.02}[torch.get_num_threads()]
    )
    assert plan.measure_rate(engine, 0.2, choice) == pytest.approx(100)
    assert choice.threads == torch.get_num_threads() == 1


@pytest.mark.parametrize("price", [1e-4, 0.01, 0.05, 0.2, 9.0])
@pytest.mark.parametrize("seconds", [1.0, 10.0, 1000.0])
def test_a_film_takes_its_share_of_a_time_budget(monkeypatch, price, seconds):
    monkeypatch.setattr(plan, "measure_rate", lambda engine, seconds, threads: 100.0)
    engine = an_engine(seconds=seconds)
    steps, snapshots = plan.plan_steps(engine, ThreadChoice(engine.threads_agree), lambda: price)
    film, learning = snapshots * price, steps / 100
    assert film <= plan.FILM_SHARE * seconds + price or snapshots == plan.FEWEST_SNAPSHOTS
    assert plan.FEWEST_SNAPSHOTS <= snapshots <= plan.SNAPSHOTS
    if film < seconds / 2:
        assert 0.9 * seconds < film + learning < seconds
    assert learning > 0.2 * seconds
    logged, kept = plan.schedule_steps(steps, snapshots)
    assert len(kept) <= snapshots + 1
    assert kept <= logged


def test_a_plan_that_fits_stays_and_one_that_does_not_is_cut_to_what_does():
    assert plan.shorten_plan(20.0, 10.0, 500, 1000) == 1000
    assert plan.shorten_plan(20.0, 10.0, 460, 1000) == 1000, "a tenth over is no reason"
    assert plan.shorten_plan(20.0, 10.0, 250, 1000) == 500, "250 more in the other ten seconds"
    assert plan.shorten_plan(20.0, 9.0, 5, 1000) == 1000, "one busy moment is no pace"
    assert plan.shorten_plan(20.0, 60.0, 700, 1000) == 701, "the budget is gone: one more, and kept"
    assert plan.shorten_plan(20.0, 60.0, 999, 1000) == 1000
    assert plan.shorten_plan(0.5, 0.5, 300, 1000) == 1000, "nor are two seconds a reason"
