"""What goes wrong in a training, in one sentence, and what is kept of it."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config
from explorer.elbo.evaluation import evaluate_elbo
from explorer.errors import ExplorerError
from explorer.runs.checkpoint import read_checkpoint
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training import member
from explorer.training.loop import train
from explorer.training.plan import schedule_steps
from explorer.training.single import SingleEngine
from tests.small_run import IMAGES, SMALL, STEPS, change, die


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
    real = SingleEngine.step

    def step(self, step, steps, betas):
        real(self, step, steps, betas)
        if step == 75:
            with torch.no_grad():
                next(self.model.parameters()).fill_(float("nan"))

    monkeypatch.setattr(SingleEngine, "step", step)
    with pytest.raises(ExplorerError, match="no longer finite"):
        train(SMALL, tmp_path / "run", IMAGES)
    run = Run(tmp_path / "run")
    assert run.info.status.state == "failed"
    _, kept = schedule_steps(STEPS)
    assert read_checkpoint(run)[1]["step"] == max(s for s in kept if s <= 75)
    assert all(p.isfinite().all() for p in run.model.parameters())


def test_figures_that_are_not_finite_at_the_end_fail_too(tmp_path, monkeypatch):
    real = evaluate_elbo

    def evaluate(model, images, **options):
        found = real(model, images, **options)
        if "progress" in options:
            found.reconstruction_per_image[0] = np.inf
        return found

    monkeypatch.setattr(member, "evaluate_elbo", evaluate)
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
    (tmp_path / "file").write_text("precious", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years", encoding="utf-8")
    for path, part in [
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "run", "part of the path is a file"),
        (tmp_path / "folder", "holds other files"),
    ]:
        with pytest.raises(ExplorerError, match=part):
            train(SMALL, path, IMAGES)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "precious"
    assert len(list((tmp_path / "folder").iterdir())) == 1


def test_too_little_memory_is_told(tmp_path, monkeypatch):
    def allocate(self, *arguments):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        )

    monkeypatch.setattr(SingleEngine, "step", allocate)
    with pytest.raises(ExplorerError, match="do not fit in memory"):
        train(SMALL, tmp_path / "run", IMAGES)
    assert "do not fit in memory" in Run(tmp_path / "run").info.status.message
    monkeypatch.setattr(SingleEngine, "__init__", allocate)
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

    monkeypatch.setattr(os, "replace", replace)
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
