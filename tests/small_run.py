"""Small runs: on the digits, and on images of our own to kill in the middle and to compare."""

import contextlib
import dataclasses
import json

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.runs.checkpoint import read_checkpoint
from explorer.runs.writer import RunWriter
from explorer.training import loop

IMAGES = (np.random.default_rng(0).random((60, 6, 6)) ** 4 * 255).astype(np.uint8)
STEPS = 150
"""As many as have logged, unlogged and kept steps between them."""
SMALL = Config(
    dataset="own",
    model=ModelConfig(hidden=(8,)),
    objective=ObjectiveConfig(schedule="linear"),
    optimiser=OptimiserConfig(batch_size=16),
    budget=BudgetConfig(steps=STEPS),
    device="cpu",
)


def make_config(steps=40, **model):
    """Return the config of a model that learns the digits in a moment."""
    return Config(
        model=ModelConfig(**{"hidden": (16,)} | model),
        budget=BudgetConfig(steps=steps),
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


def kill_at(monkeypatch, step):
    """End the process after the update number `step`, as kill −9 would: nothing is written."""
    real = loop.Trainer._update

    def update(self, by_hand=False):
        if self.step == step:
            raise Killed
        real(self, by_hand)

    monkeypatch.setattr(loop.Trainer, "_update", update)
    monkeypatch.setattr(RunWriter, "__exit__", lambda *arguments: None)


@contextlib.contextmanager
def killed_at(monkeypatch, step):
    """Run what trains here until the process is gone after the update number `step`."""
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            yield


def die(path):
    """Make a run look as one whose process is gone."""
    values = json.loads((path / "run.json").read_text(encoding="utf-8"))
    values["status"]["pid"] = 0
    (path / "run.json").write_text(json.dumps(values), encoding="utf-8")
