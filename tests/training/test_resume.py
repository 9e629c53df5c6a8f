"""A run that was killed goes on as if it had not been, and a living one hears its viewers."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from safetensors.torch import save

from explorer.config import BudgetConfig
from explorer.errors import ExplorerError
from explorer.runs.checkpoint import read_checkpoint
from explorer.runs.control import Control
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training import loop
from explorer.training.loop import train
from explorer.training.plan import schedule_steps
from explorer.training.single import SingleEngine
from tests.helpers import present
from tests.small_run import (
    IMAGES,
    SMALL,
    STEPS,
    Killed,
    change,
    die,
    killed_at,
    make_config,
    same_runs,
    steps_of,
    without_seconds,
)
from tests.waiting import wait_until


@pytest.mark.parametrize("step", [0, 1, 101, STEPS - 1])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch, uninterrupted, step):
    with killed_at(monkeypatch, step):
        train(SMALL, tmp_path / "run", IMAGES)
    killed = Run(tmp_path / "run")
    kept = read_checkpoint(killed)[1]["step"]
    _, planned = schedule_steps(STEPS)
    assert kept == max(s for s in planned | {0} if s <= step)
    die(tmp_path / "run")
    (killed.path / "metrics.jsonl").open("ab").close()
    same_runs(train(SMALL, tmp_path / "run", IMAGES), uninterrupted)


def test_a_torn_log_is_mended_by_resuming(tmp_path, monkeypatch, uninterrupted):
    with killed_at(monkeypatch, 75):
        train(SMALL, tmp_path / "run", IMAGES)
    path = tmp_path / "run" / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    die(tmp_path / "run")
    same_runs(train(SMALL, tmp_path / "run", IMAGES), uninterrupted)


def test_a_checkpoint_of_the_first_layout_is_gone_on_from(tmp_path, monkeypatch, uninterrupted):
    """Until engines had a contract, a single run's β stood among the trainer's own values."""
    with killed_at(monkeypatch, 75):
        train(SMALL, tmp_path / "run", IMAGES)
    run = Run(tmp_path / "run")
    content, state = read_checkpoint(run)
    (values,) = state.pop("members")
    del state["fingerprint"]
    metadata = {"explorer": json.dumps({**state, **values})}
    (run.path / "checkpoint.safetensors").write_bytes(save(content, metadata))
    die(run.path)
    same_runs(train(SMALL, run.path, IMAGES), uninterrupted)


def test_a_run_killed_after_its_final_weights_is_finished(tmp_path, monkeypatch, uninterrupted):
    real = RunWriter.set_state

    def set_state(self, state, *arguments, **options):
        if state == "finished":
            raise Killed
        real(self, state, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "set_state", set_state)
        patch.setattr(RunWriter, "__exit__", lambda *arguments: None)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "run", IMAGES)
    die(tmp_path / "run")
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert (run.info.status.state, run.info.status.step) == ("finished", STEPS)
    same_runs(run, uninterrupted)


def test_kill_minus_nine_in_the_middle_loses_at_most_one_snapshot(tmp_path):
    """A real process, killed without warning while it trains; then a second one goes on."""
    config = change(make_config(500), optimiser__batch_size=64)
    (tmp_path / "config.toml").write_text(config.to_toml(), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from explorer.config import Config; from explorer.training.loop import train\n"
        "train(Config.from_toml(Path(sys.argv[1]).read_text()), sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config.toml"), str(tmp_path / "run")]
    process = subprocess.Popen(command)
    _, kept = schedule_steps(500)

    def is_half_way():
        begun = (tmp_path / "run" / "run.json").is_file()
        return begun and len(Run(tmp_path / "run").snapshot_steps()) > len(kept) // 2

    wait_until(lambda: is_half_way() or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run = Run(tmp_path / "run")
    assert run.info.status.shown_state() == "interrupted"
    stored = read_checkpoint(run)[1]["step"]
    reached = max(run.snapshot_steps())
    assert stored in [reached, max(s for s in kept if s < reached)]
    # It can be looked at as it is.
    assert run.model.decode(torch.zeros(1, 2)).mean.isfinite().all()
    assert run.snapshot(stored).mean.shape == (200, 2)
    again = train(config, tmp_path / "run")
    assert again.info.status.state == "finished"
    logged, kept = schedule_steps(500)
    assert steps_of(again) == sorted(logged) and again.snapshot_steps() == sorted(kept | {0})
    same_runs(again, train(config, tmp_path / "whole"))


def test_only_the_same_config_and_images_are_resumed(tmp_path, monkeypatch):
    with killed_at(monkeypatch, 50):
        train(SMALL, tmp_path / "run", IMAGES)
    with pytest.raises(ExplorerError, match="being trained right now"):
        train(SMALL, tmp_path / "run", IMAGES)
    die(tmp_path / "run")
    with pytest.raises(ExplorerError, match="holds another run"):
        train(change(SMALL, seed=1), tmp_path / "run", IMAGES)
    with pytest.raises(ExplorerError, match="started on other images"):
        train(SMALL, tmp_path / "run", IMAGES[::-1])
    run = train(change(SMALL, seed=1), tmp_path / "run", IMAGES, overwrite=True)
    assert present(run.info.config).seed == 1 and run.info.status.state == "finished"
    with pytest.raises(ExplorerError, match=f"this very training, finished at step {STEPS}"):
        train(change(SMALL, seed=1), tmp_path / "run", IMAGES)


def test_an_interrupted_run_is_stopped(tmp_path, monkeypatch):
    def interrupt(self, step, steps, betas):
        raise KeyboardInterrupt

    monkeypatch.setattr(SingleEngine, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.status.state == "stopped"


# Commands


def command_at(monkeypatch, path, plan):
    """Send the commands of `plan` when the job has reached their step, and let it listen."""
    real = loop.Trainer._update

    def update(self, by_hand=False):
        if not by_hand and self.step in plan:
            for command in plan.pop(self.step):
                Control(path).send(*command)
            self._listen()
            if self.stopped or self.step >= self.steps:
                return
        real(self, by_hand)

    monkeypatch.setattr(loop.Trainer, "_update", update)


def test_stop_ends_a_run_that_can_go_on(tmp_path, monkeypatch, uninterrupted):
    with monkeypatch.context() as patch:
        command_at(patch, tmp_path / "run", {131: [("stop",)]})
        run = train(SMALL, tmp_path / "run", IMAGES)
    assert (run.info.status.state, run.info.status.step) == ("stopped", 131)
    assert run.info.results["test"]["elbo"] < 0 and len(present(run.codes()).mean) == 6
    assert read_checkpoint(run)[1]["step"] == 131 and max(run.snapshot_steps()) == 131
    assert steps_of(run)[-1] == 131 and run.metrics()[-1]["step"] == 131
    # The old "stop" is still in the file, and does no harm; the weights are as if nothing was.
    again = train(SMALL, tmp_path / "run", IMAGES)
    assert again.info.status.state == "finished"
    one, other = read_checkpoint(again)[0], read_checkpoint(uninterrupted)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert len(steps_of(again)) == len(set(steps_of(again)))
    validation = steps_of(again, "validation")
    assert len(validation) == len(set(validation))


def test_a_stop_right_after_a_snapshot_does_not_log_twice(tmp_path, monkeypatch):
    _, kept = schedule_steps(STEPS)
    step = sorted(kept)[20]
    command_at(monkeypatch, tmp_path / "run", {step: [("stop",)]})
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.step == step
    for split in ("train", "validation"):
        assert len(steps_of(run, split)) == len(set(steps_of(run, split)))


def test_beta_moves_while_training_and_is_acknowledged(tmp_path, monkeypatch):
    command_at(
        monkeypatch, tmp_path / "run", {50: [("beta", 3.0), ("beta", 4.0)], 100: [("beta", 0)]}
    )
    points = train(SMALL, tmp_path / "run", IMAGES).metrics("train")
    for point in points:
        if point["step"] > 100:
            assert (point["beta"], point["control"]) == (0.0, 3)
        elif point["step"] > 50:
            assert (point["beta"], point["control"]) == (4.0, 2)
    assert points[-1]["step"] == STEPS


def test_a_large_beta_is_no_divergence(tmp_path, monkeypatch):
    command_at(monkeypatch, tmp_path / "run", {50: [("beta", 1000.0)]})
    assert train(SMALL, tmp_path / "run", IMAGES).info.status.state == "finished"


def test_a_paused_run_steps_by_hand_and_goes_on(tmp_path, monkeypatch):
    plan = {100: [("pause",), ("step",), ("step",), ("resume",)], 120: [("step",)]}
    command_at(monkeypatch, tmp_path / "run", plan)
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.state == "finished"
    assert {101, 102} <= set(steps_of(run))
    assert steps_of(run)[-1] == STEPS and len(steps_of(run)) == len(set(steps_of(run)))


def test_steps_by_hand_to_the_very_end_keep_the_last_frame(tmp_path, monkeypatch):
    plan = {STEPS - 2: [("pause",), ("step",), ("step",), ("step",), ("resume",)]}
    command_at(monkeypatch, tmp_path / "run", plan)
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.step == run.snapshot_steps()[-1] == STEPS


def test_a_pause_changes_nothing_but_the_time(tmp_path, monkeypatch, uninterrupted):
    logged, _ = schedule_steps(STEPS)
    command_at(monkeypatch, tmp_path / "run", {sorted(logged)[50]: [("pause",), ("resume",)]})
    same = [
        {**point, "control": 0} for point in without_seconds(train(SMALL, tmp_path / "run", IMAGES))
    ]
    expected = [{**point, "control": 0} for point in without_seconds(uninterrupted)]
    assert [p for p in same if p["split"] == "train"] == [
        p for p in expected if p["split"] == "train"
    ]


def test_two_tabs_command_a_job_that_really_runs(tmp_path):
    """Both send β values while it trains; the last number acknowledged is that of the last one."""
    config = change(SMALL, budget=BudgetConfig(steps=10**9))
    errors = []

    def work():
        try:
            train(config, tmp_path / "run", IMAGES)
        except BaseException as error:
            errors.append(error)

    job = threading.Thread(target=work)
    job.start()
    wait_until((tmp_path / "run" / "control.json").is_file)

    def send(tab):
        control = Control(tmp_path / "run")
        for index in range(20):
            control.send("beta", 1 + tab + index / 100)

    tabs = [threading.Thread(target=send, args=(tab,)) for tab in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    last = Control(tmp_path / "run").pending(39)[0]
    assert Control(tmp_path / "run").send("stop") == 41
    job.join()
    assert errors == []
    run = Run(tmp_path / "run")
    assert run.info.status.state == "stopped"
    assert run.info.status.control == 41
    applied = [point["control"] for point in run.metrics("train")]
    assert applied == sorted(applied) and applied[-1] <= 41
    assert last.number == 40
