"""β as it really was: planned, on its way by a schedule, or moved by hand."""

import dataclasses

import pytest

from explorer.analysis.collapse.moved_beta import UsedBeta, find_beta
from explorer.config import BudgetConfig, Config, ObjectiveConfig
from explorer.runs.run import Run
from explorer.runs.store import pretrained_store
from explorer.runs.writer import RunWriter
from tests.helpers import present

CONFIG = Config(
    objective=ObjectiveConfig(beta=2.0, schedule="linear"), budget=BudgetConfig(steps=100)
)


def make_run(path, beta, step, end=True, config=CONFIG):
    """Return a run whose last update, number `step`, used `beta`; `end` stores its results."""
    writer = RunWriter(path, config=config, model_kind="config", planned_steps=100)
    writer.set_state("running")
    writer.log(step, reconstruction=1.0, kl_per_dim=[0.1] * config.model.latent_dim, beta=beta)
    if end:
        writer.set_results({}, {"beta": beta})
        writer.set_state("stopped", step=step)
    return Run(path)


@pytest.mark.parametrize("end", [True, False])
def test_a_schedule_on_its_way_is_no_move(tmp_path, end):
    beta = CONFIG.objective.beta_at(9, 100)
    assert 0 < beta < 2.0
    assert find_beta(make_run(tmp_path / "run", beta, 10, end)) == UsedBeta(2.0, 2.0)


@pytest.mark.parametrize("end", [True, False])
def test_a_hand_on_beta_is_told(tmp_path, end):
    found = find_beta(make_run(tmp_path / "run", 8.0, 60, end))
    assert found == UsedBeta(2.0, 8.0) and found.is_moved


def test_beta_moved_to_where_the_schedule_ends_is_no_move_after_it(tmp_path):
    assert not present(find_beta(make_run(tmp_path / "run", 2.0, 60))).is_moved


def test_without_a_config_there_is_no_beta_and_without_figures_the_planned_one(tmp_path):
    with RunWriter(tmp_path / "own", latent_dim=2):
        pass
    assert find_beta(Run(tmp_path / "own")) is None
    RunWriter(tmp_path / "queued", config=dataclasses.replace(CONFIG), model_kind="config")
    assert find_beta(Run(tmp_path / "queued")) == UsedBeta(2.0, 2.0)


def test_no_hand_was_on_the_beta_of_a_shipped_run():
    moved = [run.id for run in pretrained_store().list() if (b := find_beta(run)) and b.is_moved]
    assert moved == []
