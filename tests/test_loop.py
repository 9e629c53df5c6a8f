"""Training into a run directory: planned, kept, resumed, commanded, and ended in plain words."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import files
from explorer.checkpoint import read_checkpoint
from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.control import Control
from explorer.datasets import ImageDataset
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.training import loop, pace
from explorer.training.loop import train
from explorer.training.pace import schedule_steps
from explorer.writer import RunWriter

IMAGES = (np.random.default_rng(0).random((60, 6, 6)) ** 4 * 255).astype(np.uint8)
SMALL = Config(
    dataset="own",
    model=ModelConfig(hidden=(8,)),
    objective=ObjectiveConfig(schedule="linear"),
    optimiser=OptimiserConfig(batch_size=16),
    budget=BudgetConfig(steps=300),
    device="cpu",
)


class Killed(BaseException):
    """The process is gone: nothing below may catch it or tidy up."""


def change(config, **changes):
    """Return the config with changes given as model__hidden=(4,)."""
    for name, value in changes.items():
        part, _, field = name.partition("__")
        if field:
            value = dataclasses.replace(getattr(config, part), **{field: value})
        config = dataclasses.replace(config, **{part: value})
    return config


def steps_of(run, split="train"):
    return [point["step"] for point in run.metrics(split)]


def without_seconds(run):
    return [{k: v for k, v in point.items() if k != "seconds"} for point in run.metrics()]


def same_runs(first, second):
    """Weights to the bit, metrics but for seconds, frames of the film, codes and results."""
    assert without_seconds(first) == without_seconds(second)
    assert first.snapshot_steps() == second.snapshot_steps()
    for step in first.snapshot_steps():
        one, other = vars(first.snapshot(step)), vars(second.snapshot(step))
        assert all(np.array_equal(one[key], other[key]) for key in one)
    one, other = read_checkpoint(first), read_checkpoint(second)
    assert one[1] == other[1] and one[0].keys() == other[0].keys()
    assert all(torch.equal(one[0][name], other[0][name]) for name in one[0])
    assert np.array_equal(first.codes().mean, second.codes().mean)
    assert first.info.results == second.info.results
    assert first.info.config == second.info.config


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(SMALL, tmp_path_factory.mktemp("uninterrupted") / "run", IMAGES)


def kill_at(monkeypatch, step):
    """End the process after the update number `step`, as kill −9 would: nothing is written."""
    real = loop.Trainer._update

    def update(self, by_hand=False):
        if self.step == step:
            raise Killed
        real(self, by_hand)

    monkeypatch.setattr(loop.Trainer, "_update", update)
    monkeypatch.setattr(RunWriter, "__exit__", lambda *arguments: None)


def die(path):
    """Make a run look as one whose process is gone."""
    values = json.loads((path / "run.json").read_text())
    values["status"]["pid"] = 0
    (path / "run.json").write_text(json.dumps(values))


# What a run holds


def test_a_run_holds_what_every_view_needs(uninterrupted):
    run = uninterrupted
    assert run.info.status.state == "finished" and run.info.planned_steps == 300
    assert run.info.dataset.name == "own" and run.info.dataset.shape == (1, 6, 6)
    logged, kept = schedule_steps(300)
    assert steps_of(run) == sorted(logged) and steps_of(run, "validation") == sorted(kept)
    assert run.snapshot_steps() == sorted(kept | {0})
    assert set(run.info.results) == {"validation", "test"}
    assert run.codes().mean.shape == (6, 2)
    point = run.metrics("train")[-1]
    assert {
        "step",
        "images",
        "seconds",
        "beta",
        "objective",
        "elbo",
        "reconstruction",
        "kl",
    } <= set(point)
    assert point["images"] == 300 * 16 and point["control"] == 0
    names = {path.name for path in run.path.iterdir()}
    assert names - {".control.lock"} == {
        "run.json",
        "metrics.jsonl",
        "snapshots",
        "checkpoint.safetensors",
        "codes.npz",
        "control.json",
    }


def test_the_logged_beta_is_the_one_of_the_update(uninterrupted):
    points = uninterrupted.metrics("train")
    assert [point["beta"] for point in points] == pytest.approx(
        [SMALL.objective.beta_at(point["step"] - 1, 300) for point in points]
    )
    assert points[-1]["beta"] == 1.0


def test_log_points_and_frames_follow_from_the_planned_steps():
    for steps in (1, 2, 3, 50, 1000, 10**6):
        logged, kept = schedule_steps(steps)
        assert kept <= logged and {1, steps} <= kept
        assert min(logged) >= 1 and max(logged) == steps
        assert len(logged) <= 300 and len(kept) <= 50


@pytest.mark.parametrize(
    "changes",
    [
        {"model__latent": "point", "model__noise": 0.1},
        {"model__network": "linear", "model__hidden": (), "model__likelihood": "gaussian-learned"},
        {"model__likelihood": "gaussian-pixel", "model__latent_dim": 1},
        {"model__likelihood": "continuous-bernoulli", "objective__free_bits": 0.1},
        {"model__binarise": False, "objective__samples": 3},
        {"objective": ObjectiveConfig(importance_samples=3)},
        {"objective__schedule": "cyclical", "split": "all"},
    ],
)
def test_every_kind_of_run_is_trained_whole(tmp_path, changes):
    config = change(SMALL, budget=BudgetConfig(steps=12), **changes)
    run = train(config, tmp_path / "run", IMAGES)
    assert run.info.status.state == "finished"
    assert ("kl" in run.metrics()[0]) == (config.model.latent == "gaussian")
    assert ("all" in run.info.results) == (config.split == "all")
    assert run.model.decode(torch.zeros(1, config.model.latent_dim)).mean.shape == (1, 1, 6, 6)


def test_images_may_have_no_splits_and_no_labels(tmp_path):
    data = ImageDataset("own", IMAGES[:, None], splits={"train": np.arange(40)})
    run = train(change(SMALL, budget=BudgetConfig(steps=5)), tmp_path / "run", data)
    assert set(run.info.results) == {"all"}
    assert run.codes().labels is None and len(run.codes().mean) == 60
    single = ImageDataset("one", IMAGES[:1, None], splits={"train": np.arange(1)})
    train(change(SMALL, budget=BudgetConfig(steps=2)), tmp_path / "single", single)


def test_progress_is_heard(tmp_path):
    heard = []
    train(
        change(SMALL, budget=BudgetConfig(steps=5)), tmp_path / "run", IMAGES, progress=heard.append
    )
    assert [values["step"] for values in heard] == [1, 2, 3, 4, 5]
    assert set(heard[0]) == {"step", "planned_steps", "elbo", "images_per_second"}


def test_epochs_become_planned_steps(tmp_path):
    run = train(change(SMALL, budget=BudgetConfig(epochs=2.5)), tmp_path / "run", IMAGES)
    assert run.info.planned_steps == round(2.5 * (48 // 16))


def test_a_time_budget_is_calibrated_once_into_planned_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "measure_rate", lambda engine, seconds, threads: 100.0)
    monkeypatch.setattr(loop.Trainer, "_time_snapshot", lambda trainer: 1e-9)
    config = change(SMALL, budget=BudgetConfig(seconds=0.51))
    planned = int(0.51 * pace.SAFETY * 100)
    with monkeypatch.context() as patch:
        kill_at(patch, 20)
        with pytest.raises(Killed):
            train(config, tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.planned_steps == planned
    die(tmp_path / "run")
    monkeypatch.setattr(pace, "measure_rate", lambda engine, seconds, threads: 1e6)
    assert train(config, tmp_path / "run", IMAGES).info.planned_steps == planned


def test_calibration_leaves_the_run_alone(tmp_path):
    """A budget in seconds that comes to as many steps gives the same weights."""
    timed = train(change(SMALL, budget=BudgetConfig(seconds=0.2)), tmp_path / "timed", IMAGES)
    steps = timed.info.planned_steps
    pinned = train(change(SMALL, budget=BudgetConfig(steps=steps)), tmp_path / "pinned", IMAGES)
    one, other = read_checkpoint(timed)[0], read_checkpoint(pinned)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)


# Resumed equals uninterrupted


@pytest.mark.parametrize("step", [0, 1, 101, 299])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch, uninterrupted, step):
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "run", IMAGES)
    killed = Run(tmp_path / "run")
    kept = read_checkpoint(killed)[1]["step"]
    _, planned = schedule_steps(300)
    assert kept == max(s for s in planned | {0} if s <= step)
    die(tmp_path / "run")
    (killed.path / "metrics.jsonl").open("ab").close()
    same_runs(train(SMALL, tmp_path / "run", IMAGES), uninterrupted)


def test_a_torn_log_is_mended_by_resuming(tmp_path, monkeypatch, uninterrupted):
    with monkeypatch.context() as patch:
        kill_at(patch, 150)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "run", IMAGES)
    path = tmp_path / "run" / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    die(tmp_path / "run")
    same_runs(train(SMALL, tmp_path / "run", IMAGES), uninterrupted)


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
    assert (run.info.status.state, run.info.status.step) == ("finished", 300)
    same_runs(run, uninterrupted)


def test_kill_minus_nine_in_the_middle_loses_at_most_one_snapshot(tmp_path):
    """A real process, killed without warning while it trains; then a second one goes on."""
    config = Config(
        model=ModelConfig(hidden=(16,)),
        optimiser=OptimiserConfig(batch_size=64),
        budget=BudgetConfig(steps=1200),
        device="cpu",
    )
    (tmp_path / "config.toml").write_text(config.to_toml())
    code = (
        "import sys; from pathlib import Path\n"
        "from explorer.config import Config; from explorer.training.loop import train\n"
        "train(Config.from_toml(Path(sys.argv[1]).read_text()), sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config.toml"), str(tmp_path / "run")]
    process = subprocess.Popen(command)
    _, kept = schedule_steps(1200)
    while process.poll() is None:
        if (tmp_path / "run" / "run.json").is_file():
            if len(Run(tmp_path / "run").snapshot_steps()) > len(kept) // 2:
                break
        time.sleep(0.01)
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
    logged, kept = schedule_steps(1200)
    assert steps_of(again) == sorted(logged) and again.snapshot_steps() == sorted(kept | {0})
    same_runs(again, train(config, tmp_path / "whole"))


def test_only_the_same_config_and_images_are_resumed(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, 50)
        with pytest.raises(Killed):
            train(SMALL, tmp_path / "run", IMAGES)
    with pytest.raises(ExplorerError, match="being trained right now"):
        train(SMALL, tmp_path / "run", IMAGES)
    die(tmp_path / "run")
    with pytest.raises(ExplorerError, match="holds another run"):
        train(change(SMALL, seed=1), tmp_path / "run", IMAGES)
    with pytest.raises(ExplorerError, match="started on other images"):
        train(SMALL, tmp_path / "run", IMAGES[::-1])
    run = train(change(SMALL, seed=1), tmp_path / "run", IMAGES, overwrite=True)
    assert run.info.config.seed == 1 and run.info.status.state == "finished"
    with pytest.raises(ExplorerError, match="holds another run"):
        train(change(SMALL, seed=1), tmp_path / "run", IMAGES)


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
    assert run.info.results["test"]["elbo"] < 0 and len(run.codes().mean) == 6
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
    _, kept = schedule_steps(300)
    step = sorted(kept)[20]
    command_at(monkeypatch, tmp_path / "run", {step: [("stop",)]})
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.step == step
    for split in ("train", "validation"):
        assert len(steps_of(run, split)) == len(set(steps_of(run, split)))


def test_beta_moves_while_training_and_is_acknowledged(tmp_path, monkeypatch):
    command_at(
        monkeypatch, tmp_path / "run", {100: [("beta", 3.0), ("beta", 4.0)], 200: [("beta", 0)]}
    )
    points = train(SMALL, tmp_path / "run", IMAGES).metrics("train")
    for point in points:
        if point["step"] > 200:
            assert (point["beta"], point["control"]) == (0.0, 3)
        elif point["step"] > 100:
            assert (point["beta"], point["control"]) == (4.0, 2)
    assert points[-1]["step"] == 300


def test_a_large_beta_is_no_divergence(tmp_path, monkeypatch):
    command_at(monkeypatch, tmp_path / "run", {100: [("beta", 1000.0)]})
    assert train(SMALL, tmp_path / "run", IMAGES).info.status.state == "finished"


def test_a_paused_run_steps_by_hand_and_goes_on(tmp_path, monkeypatch):
    plan = {100: [("pause",), ("step",), ("step",), ("resume",)], 150: [("step",)]}
    command_at(monkeypatch, tmp_path / "run", plan)
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.state == "finished"
    assert {101, 102} <= set(steps_of(run))
    assert steps_of(run)[-1] == 300 and len(steps_of(run)) == len(set(steps_of(run)))


def test_steps_by_hand_to_the_very_end_keep_the_last_frame(tmp_path, monkeypatch):
    plan = {298: [("pause",), ("step",), ("step",), ("step",), ("resume",)]}
    command_at(monkeypatch, tmp_path / "run", plan)
    run = train(SMALL, tmp_path / "run", IMAGES)
    assert run.info.status.step == 300 and run.snapshot_steps()[-1] == 300


def test_a_pause_changes_nothing_but_the_time(tmp_path, monkeypatch, uninterrupted):
    logged, _ = schedule_steps(300)
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
    while not (tmp_path / "run" / "control.json").is_file():
        time.sleep(0.01)

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


# What goes wrong, in one sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"model__likelihood": "gaussian", "model__sigma2": 1e-4},
        {"model__likelihood": "gaussian-pixel"},
        {"model__likelihood": "gaussian", "model__network": "linear", "model__hidden": ()},
    ],
)
def test_a_diverged_run_fails_and_keeps_its_last_good_model(tmp_path, changes):
    config = change(
        SMALL,
        optimiser__learning_rate=10.0,
        optimiser__schedule="constant",
        optimiser__warmup_steps=0,
        **changes,
    )
    with pytest.raises(ExplorerError, match="lower learning rate") as caught:
        train(config, tmp_path / "run", IMAGES)
    run = Run(tmp_path / "run")
    assert (run.info.status.state, run.info.status.message) == ("failed", str(caught.value))
    kept = read_checkpoint(run)[1]["step"]
    assert f"the model of step {kept} is kept" in str(caught.value)
    assert all(p.isfinite().all() for p in run.model.parameters())
    decoded = run.model.decode(torch.zeros(1, 2)).mean
    assert decoded.abs().max() < 100
    assert all(np.isfinite(point["elbo"]) for point in run.metrics())


def test_a_nan_in_the_middle_fails_and_keeps_the_last_good_model(tmp_path, monkeypatch):
    real = loop.Engine.step

    def step(self, step, steps, beta):
        real(self, step, steps, beta)
        if step == 150:
            with torch.no_grad():
                next(self.model.parameters()).fill_(float("nan"))

    monkeypatch.setattr(loop.Engine, "step", step)
    with pytest.raises(ExplorerError, match="no longer finite"):
        train(SMALL, tmp_path / "run", IMAGES)
    run = Run(tmp_path / "run")
    assert run.info.status.state == "failed"
    _, kept = schedule_steps(300)
    assert read_checkpoint(run)[1]["step"] == max(s for s in kept if s <= 150)
    assert all(p.isfinite().all() for p in run.model.parameters())


def test_figures_that_are_not_finite_at_the_end_fail_too(tmp_path, monkeypatch):
    real = loop.evaluate_elbo

    def evaluate(model, images, **options):
        found = real(model, images, **options)
        if "progress" in options:
            found.reconstruction_per_image[0] = np.inf
        return found

    monkeypatch.setattr(loop, "evaluate_elbo", evaluate)
    with pytest.raises(ExplorerError, match="no longer finite"):
        train(change(SMALL, budget=BudgetConfig(steps=10)), tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.status.state == "failed"


@pytest.mark.parametrize(
    "config, part",
    [
        (Config(dataset="nonsense"), "no data set 'nonsense'"),
        (change(SMALL, model__network="linear"), "no hidden layers"),
        (change(SMALL, model__network="conv"), "even sides"),
        (change(SMALL, model__hidden=(8192,) * 8), "at most 200,000,000"),
    ],
)
def test_a_mistake_makes_no_folder(tmp_path, config, part):
    images = None if config.dataset == "nonsense" else IMAGES
    with pytest.raises(ExplorerError, match=part):
        train(config, tmp_path / "run", images)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "images",
    [np.zeros((0, 6, 6)), np.zeros((9, 6)), np.full((9, 6, 6), 2.0), np.zeros((9, 6, 6), int)],
)
def test_images_that_make_no_sense_make_no_folder(tmp_path, images):
    with pytest.raises(ExplorerError):
        train(SMALL, tmp_path / "run", images)
    assert list(tmp_path.iterdir()) == []


def test_places_where_no_run_can_be_made(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years")
    for path, part in [
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "run", "part of the path is a file"),
        (tmp_path / "folder", "holds other files"),
    ]:
        with pytest.raises(ExplorerError, match=part):
            train(SMALL, path, IMAGES)
    assert (tmp_path / "file").read_text() == "precious"
    assert len(list((tmp_path / "folder").iterdir())) == 1


def test_too_little_memory_is_told(tmp_path, monkeypatch):
    def allocate(self, *arguments):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        )

    monkeypatch.setattr(loop.Engine, "step", allocate)
    with pytest.raises(ExplorerError, match="do not fit in memory"):
        train(SMALL, tmp_path / "run", IMAGES)
    assert "do not fit in memory" in Run(tmp_path / "run").info.status.message
    monkeypatch.setattr(loop.Engine, "__init__", allocate)
    with pytest.raises(ExplorerError, match="do not fit in memory"):
        train(SMALL, tmp_path / "other", IMAGES)
    assert not (tmp_path / "other").exists()


def test_a_disk_that_fills_up_keeps_what_was_written(tmp_path, monkeypatch):
    real, left = os.replace, [40]

    def replace(source, target):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(ExplorerError, match="The disk is full"):
        train(SMALL, tmp_path / "run", IMAGES)
    monkeypatch.undo()
    run = Run(tmp_path / "run")
    assert not list(run.path.rglob("*.part"))
    assert run.snapshot(run.snapshot_steps()[-1]).mean.shape == (6, 2)
    assert all(p.isfinite().all() for p in run.model.parameters())
    die(run.path)
    assert train(SMALL, run.path, IMAGES).info.status.state == "finished"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_on_a_full_disk_is_told(tmp_path, monkeypatch):
    """A real ENOSPC: the log points go to /dev/full."""
    real = RunWriter.__init__

    def begin(self, *arguments, **options):
        real(self, *arguments, **options)
        (self.path / "metrics.jsonl").symlink_to("/dev/full")

    monkeypatch.setattr(RunWriter, "__init__", begin)
    with pytest.raises(ExplorerError, match="The disk is full"):
        train(SMALL, tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.status.state == "failed"


def test_an_interrupted_run_is_stopped(tmp_path, monkeypatch):
    def interrupt(self, step, steps, beta):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.Engine, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.status.state == "stopped"


def test_weights_are_halved_only_where_that_costs_little(tmp_path, monkeypatch):
    config = change(SMALL, budget=BudgetConfig(steps=10))
    run = train(config, tmp_path / "half", IMAGES)
    dtypes = {value.dtype for value in read_checkpoint(run)[0].values()}
    assert dtypes == {torch.float16}
    elbo = loop.evaluate_elbo(run.model, data_of(run)).to_dict()["elbo"]
    assert elbo == run.info.results["test"]["elbo"]
    double = train(change(config, model__precision="float64"), tmp_path / "double", IMAGES)
    assert {value.dtype for value in read_checkpoint(double)[0].values()} == {torch.float64}
    real = loop.halve_weights
    monkeypatch.setattr(loop, "halve_weights", lambda model, images: real(model, images, 0.0))
    whole = train(config, tmp_path / "whole", IMAGES)
    assert {value.dtype for value in read_checkpoint(whole)[0].values()} == {torch.float32}


def data_of(run):
    return ImageDataset.from_arrays(IMAGES, name="own").split("test").images
