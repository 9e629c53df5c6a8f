"""Clocks that jump or disagree, two servers on one folder: nothing lives or dies by them.

A sign of life counts while it is within 30 seconds of now, on either side.
"""

import json
import time

import pytest

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.jobs.queue import LocalRunner, find_abandoned
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.runs.writer import RunWriter, mark_run

CONFIG = Config(model=ModelConfig(hidden=(8,)), budget=BudgetConfig(steps=5), device="cpu")
YEAR = 365 * 86_400.0


class Clock:
    """What all ask for the time: it can be set off by some seconds."""

    def __init__(self):
        self.off, self.now = 0.0, time.time

    def __call__(self):
        return self.now() + self.off


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(time, "time", made)
    return made


def put_status(path, **values):
    content = json.loads((path / "run.json").read_text(encoding="utf-8"))
    content["status"] |= values
    (path / "run.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("ahead", [-YEAR, -31.0, 31.0, YEAR])
@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_a_sign_of_life_from_the_past_or_the_future_is_none(tmp_path, ahead, state):
    RunWriter(tmp_path / "run", config=CONFIG, model_kind="config")
    put_status(tmp_path / "run", state=state, host="elsewhere", heartbeat=time.time() + ahead)
    assert Run(tmp_path / "run").info.status.shown_state() == "interrupted"
    RunStore(tmp_path).delete("run")
    assert RunStore(tmp_path).list() == []


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_run_lives_on_when_the_clock_has_jumped(tmp_path, clock, jump):
    writer = RunWriter(tmp_path / "run", latent_dim=2)
    writer.set_state("running")
    assert Run(tmp_path / "run").info.status.is_alive()
    clock.off = jump
    assert Run(tmp_path / "run").info.status.shown_state() == "interrupted"
    writer.set_state("running")
    assert Run(tmp_path / "run").info.status.shown_state() == "running"


@pytest.fixture
def servers(monkeypatch):
    monkeypatch.setattr(LocalRunner, "_serve", lambda self: None)
    made = [LocalRunner(), LocalRunner()]
    yield made
    for runner in made:
        runner.close()


def test_what_waits_at_one_server_is_left_alone_by_another(tmp_path, servers, clock):
    first, second = servers
    first.submit(CONFIG, tmp_path / "run")
    assert find_abandoned(RunStore(tmp_path).list()) == []
    clock.off = 60.0  # The first has given no sign for a minute.
    (left,) = find_abandoned(RunStore(tmp_path).list())
    second.submit(CONFIG, left.path)
    assert find_abandoned(RunStore(tmp_path).list()) == []


def test_what_trains_at_one_server_is_not_stopped_by_anothers_queue(tmp_path, servers):
    first, second = servers
    first.submit(CONFIG, tmp_path / "run")
    second.submit(CONFIG, tmp_path / "run")
    mark_run(tmp_path / "run", "running")
    first.stop(tmp_path / "run")
    assert Run(tmp_path / "run").info.status.state == "running"
