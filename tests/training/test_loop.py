"""Training into a run directory: what it holds and keeps, and how long it takes."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from explorer.config import BudgetConfig, ObjectiveConfig
from explorer.datasets import ImageDataset
from explorer.elbo.evaluation import evaluate_elbo
from explorer.models import build_model
from explorer.runs.checkpoint import read_checkpoint, read_tensors
from explorer.runs.images import describe_dataset
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training import loop, member, plan
from explorer.training.engine import Engine, Means, Totals
from explorer.training.loop import train
from explorer.training.plan import schedule_steps
from explorer.training.single import SingleEngine
from tests.helpers import present
from tests.small_run import IMAGES, SMALL, STEPS, change, die, killed_at, steps_of


def test_a_run_holds_what_every_view_needs(uninterrupted):
    run = uninterrupted
    assert run.info.status.state == "finished" and run.info.planned_steps == STEPS
    assert run.info.dataset.name == "own" and run.info.dataset.shape == (1, 6, 6)
    logged, kept = schedule_steps(STEPS)
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
    assert point["images"] == STEPS * 16 and point["control"] == 0
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
        [SMALL.objective.beta_at(point["step"] - 1, STEPS) for point in points]
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
    assert present(run.codes()).labels is None and len(present(run.codes()).mean) == 60
    single = ImageDataset("one", IMAGES[:1, None], splits={"train": np.arange(1)})
    train(change(SMALL, budget=BudgetConfig(steps=2)), tmp_path / "single", single)


def test_a_run_names_its_images_by_their_pixels(tmp_path):
    """Own images are found again by what they show, whatever they are called."""
    data = ImageDataset.from_arrays(IMAGES, name="own")
    run = train(change(SMALL, budget=BudgetConfig(steps=2)), tmp_path / "run", data)
    assert present(run.info.dataset).pixels == data.pixel_digest
    assert present(run.info.dataset).fingerprint == data.fingerprint


class Clock:
    """Time that passes as updates are done: a machine as slow as a test says."""

    def __init__(self, monkeypatch, paces):
        self.now, self.paces = 0.0, paces
        real = SingleEngine.step

        def step(engine, number, steps, betas):
            real(engine, number, steps, betas)
            self.now += self.paces(number)

        monkeypatch.setattr(SingleEngine, "step", step)
        for module in (loop, plan):
            monkeypatch.setattr(module, "time", self)

    def monotonic(self):
        return self.now

    perf_counter = monotonic


@pytest.mark.parametrize("slowdown", [0.5, 1.0, 1.09, 2.0, 4.0, 10.0])
def test_a_time_budget_holds_on_a_machine_that_becomes_slower(tmp_path, monkeypatch, slowdown):
    """Planned at ten updates a second; from the twentieth on one takes `slowdown` times as long."""
    monkeypatch.setattr(loop, "plan_steps", lambda engine, threads, price: (200, 12))
    clock = Clock(monkeypatch, lambda number: 0.1 if number < 20 else 0.1 * slowdown)
    run = train(change(SMALL, budget=BudgetConfig(seconds=20.0)), tmp_path / "run", IMAGES)
    status, planned = run.info.status, present(run.info.planned_steps)
    assert status.state == "finished" and status.step == planned <= 200
    assert (planned == 200) == (slowdown < 1.1)
    assert clock.now == pytest.approx(min(20.0, 2.0 + 18.0 * slowdown), rel=0.1)
    # What is stored is of the last update, whatever was planned before.
    assert run.snapshot_steps()[-1] == steps_of(run)[-1] == planned
    assert run.metrics("train")[-1]["beta"] == 1.0


def test_a_number_of_updates_is_no_time_budget(tmp_path, monkeypatch):
    Clock(monkeypatch, lambda number: 1000.0)
    run = train(change(SMALL, budget=BudgetConfig(steps=50)), tmp_path / "run", IMAGES)
    assert run.info.status.step == run.info.planned_steps == 50


def test_progress_is_heard(tmp_path):
    heard: list[dict[str, Any]] = []
    train(
        change(SMALL, budget=BudgetConfig(steps=5)), tmp_path / "run", IMAGES, progress=heard.append
    )
    assert [values["step"] for values in heard] == [1, 2, 3, 4, 5]
    assert set(heard[0]) == {"step", "planned_steps", "elbo", "images_per_second"}


def test_epochs_become_planned_steps(tmp_path):
    run = train(change(SMALL, budget=BudgetConfig(epochs=2.5)), tmp_path / "run", IMAGES)
    assert run.info.planned_steps == round(2.5 * (48 // 16))


def test_a_time_budget_is_calibrated_once_into_planned_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "measure_rate", lambda engine, seconds, threads: 100.0)
    monkeypatch.setattr(loop.Trainer, "_time_snapshot", lambda trainer: 1e-9)
    config = change(SMALL, budget=BudgetConfig(seconds=0.51))
    planned = int(0.51 * plan.SAFETY * 100)
    with killed_at(monkeypatch, 20):
        train(config, tmp_path / "run", IMAGES)
    assert Run(tmp_path / "run").info.planned_steps == planned
    die(tmp_path / "run")
    monkeypatch.setattr(plan, "measure_rate", lambda engine, seconds, threads: 1e6)
    assert train(config, tmp_path / "run", IMAGES).info.planned_steps == planned


def test_calibration_leaves_the_run_alone(tmp_path, monkeypatch):
    """A budget in seconds that comes to as many steps gives the same weights."""
    # However slow this machine becomes meanwhile, the plan is not shortened.
    monkeypatch.setattr(plan, "OVERRUN_SECONDS", 1e6)
    timed = train(change(SMALL, budget=BudgetConfig(seconds=0.2)), tmp_path / "timed", IMAGES)
    steps = timed.info.planned_steps
    pinned = train(change(SMALL, budget=BudgetConfig(steps=steps)), tmp_path / "pinned", IMAGES)
    one, other = read_checkpoint(timed)[0], read_checkpoint(pinned)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_are_halved_only_where_that_costs_little(tmp_path, monkeypatch):
    config = change(SMALL, budget=BudgetConfig(steps=10))
    run = train(config, tmp_path / "half", IMAGES)
    dtypes = {value.dtype for value in read_checkpoint(run)[0].values()}
    assert dtypes == {torch.float16}
    elbo = evaluate_elbo(run.model, data_of(run)).to_dict()["elbo"]
    assert elbo == run.info.results["test"]["elbo"]
    double = train(change(config, model__precision="float64"), tmp_path / "double", IMAGES)
    assert {value.dtype for value in read_checkpoint(double)[0].values()} == {torch.float64}
    real = member.halve_weights
    monkeypatch.setattr(member, "halve_weights", lambda model, images: real(model, images, 0.0))
    whole = train(config, tmp_path / "whole", IMAGES)
    assert {value.dtype for value in read_checkpoint(whole)[0].values()} == {torch.float32}


def data_of(run):
    return ImageDataset.from_arrays(IMAGES, name="own").split("test").images


class Counting(Engine):
    """An engine that learns nothing and counts: what a trainer asks of one, and no more."""

    def __init__(self, configs):
        self.configs, self.device = configs, torch.device("cpu")
        self.batch_size, self.steps_per_epoch = 4, 10
        self.arithmetic, self.threads_agree = "whole numbers", False
        self.totals = [Totals() for _ in configs]
        self.models = [build_model(config.model, (1, 6, 6)) for config in configs]
        self.count, self.watched, self.betas = 0, [], []

    def step(self, step, steps, betas):
        assert (step, steps) == (self.count, self.configs[0].budget.steps)
        self.count += 1
        self.betas.append(list(betas))
        for totals in self.totals:
            totals.add(Means(torch.tensor(3.0), torch.tensor(2.0), torch.tensor([0.75, 0.25])))

    def member(self, index):
        return self.models[index]

    def trial(self):
        raise AssertionError("Nothing is timed where the budget counts updates.")

    def pack(self, metadata):
        return save({"count": torch.tensor(self.count)}, {"explorer": json.dumps(metadata)})

    def unpack(self, content, metadata):
        self.count = int(content["count"])

    def watch(self, step, held_out):
        self.watched.append((step, len(held_out)))


@pytest.mark.parametrize("count", [1, 2])
def test_the_trainer_works_from_the_contract_alone(tmp_path, count):
    """One run, or a family of two: the same loop, whatever learns."""
    config = change(SMALL, budget=BudgetConfig(steps=20), objective=ObjectiveConfig())
    configs = [change(config, objective__beta=1.0 + index) for index in range(count)]
    names = [f"member-{index}" for index in range(count)]
    data = ImageDataset.from_arrays(IMAGES, name="own")
    images = describe_dataset(data)
    writers = [
        RunWriter(tmp_path / name, config=config, model_kind="config", dataset=images)
        for name, config in zip(names, configs, strict=True)
    ]
    engine, heard = Counting(configs), list[loop.Report]()
    home = tmp_path if count > 1 else None
    trainer = loop.Trainer(engine, writers, data, heard.append, home)
    trainer.run(forget_commands=True)
    assert engine.count == 20 and engine.betas == [[1.0, 2.0][:count]] * 20
    assert engine.watched == [(step, 6) for step in range(1, 21)]
    assert heard[-1].elbos == [-3.0] * count and heard[-1].step == 20
    # Of every member, its reconstruction and its own β; of all, the state in one place.
    for name, config in zip(names, configs, strict=True):
        run = Run(tmp_path / name)
        assert run.info.status.state == "finished" and run.info.results["test"]["elbo"] < 0
        assert run.info.versions["arithmetic"] == "whole numbers"
        assert {point["beta"] for point in run.metrics()} == {config.objective.beta}
        assert {point["elbo"] for point in run.metrics("train")} == {-3.0}
        assert set(run.model.state_dict()) == set(engine.models[0].state_dict())
    if home is not None:
        again = Counting(configs)
        content, state = read_tensors(tmp_path / "checkpoint.safetensors", "family")
        again.unpack(content, state)
        assert (again.count, state["step"], len(state["members"])) == (20, 20, 2)
