"""A family: the same runs as one by one, in less time, resumable as a whole."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, ObjectiveConfig
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.runs.control import Control
from explorer.runs.sweeps import open_sweep
from explorer.training import loop
from explorer.training.family import FamilyEngine, family_configs, train_family
from explorer.training.loop import train
from explorer.training.single import SingleEngine
from tests.helpers import present
from tests.small_run import change, make_config
from tests.waiting import wait_until

BETAS = (0.5, 1.0, 4.0)


def member_config(steps=60, **model):
    values = {"hidden": (24, 12), "latent_dim": 3, "precision": "float64"} | model
    return change(
        make_config(steps, **values),
        objective=ObjectiveConfig(schedule="linear", free_bits=0.05),
        optimiser__batch_size=64,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"likelihood": "bernoulli"},
        {"likelihood": "gaussian-learned"},
        {"likelihood": "gaussian-pixel", "activation": "tanh"},
        {"network": "linear", "hidden": (), "likelihood": "gaussian"},
    ],
)
@pytest.mark.parametrize("samples", [1, 3])
def test_members_equal_single_runs_over_50_steps(change, samples):
    config = member_config(**change)
    config = dataclasses.replace(
        config, objective=dataclasses.replace(config.objective, samples=samples)
    )
    configs = family_configs(config, BETAS)
    images = load_dataset("digits").split("train").images
    cpu = torch.device("cpu")
    family = FamilyEngine(list(configs.values()), images, cpu)
    singles = [SingleEngine(member, images, cpu) for member in configs.values()]
    for step in range(50):
        betas = [member.objective.beta_at(step, 50) for member in configs.values()]
        family.step(step, 50, betas)
        for single, beta in zip(singles, betas, strict=True):
            single.step(step, 50, [beta])
    for index, single in enumerate(singles):
        found = family.member(index).state_dict()
        for name, value in single.model.state_dict().items():
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9)
        objective, reconstruction, kl = family.totals[index].means()
        expected = single.totals[0].means()
        assert objective == pytest.approx(expected[0], rel=1e-10)
        assert reconstruction == pytest.approx(expected[1], rel=1e-10)
        assert kl == pytest.approx(expected[2], rel=1e-8, abs=1e-12)


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    path = tmp_path_factory.mktemp("family") / "three"
    return train_family(family_configs(member_config(), BETAS), path)


@pytest.fixture
def always_listening(monkeypatch):
    """Let a training look for commands after every update."""
    monkeypatch.setattr(loop, "POLL_SECONDS", 1e-4)


def test_every_member_is_the_run_that_it_would_be_alone(family, tmp_path):
    config = family.configs["beta-4"]
    alone = train(config, tmp_path / "alone")
    member = family.member("beta-4")
    assert member.info.status.state == "finished"
    assert member.info.config == config
    assert member.snapshot_steps() == alone.snapshot_steps()
    for found, expected in zip(member.metrics(), alone.metrics(), strict=True):
        for name in ("step", "split", "images", "beta"):
            assert found[name] == expected[name]
        for name in ("objective", "elbo", "reconstruction", "kl"):
            assert found[name] == pytest.approx(expected[name], rel=1e-8)
    np.testing.assert_allclose(member.codes().mean, present(alone.codes()).mean, atol=1e-5)
    expected = alone.info.results["test"]["elbo"]
    assert member.info.results["test"]["elbo"] == pytest.approx(expected, rel=1e-8)


def test_the_sweep_says_what_differs_and_leaves_no_shared_checkpoint(family):
    again = open_sweep(family.path)
    assert again.grid == {"beta": list(BETAS)}
    assert list(again.runs()) == ["beta-0.5", "beta-1", "beta-4"]
    assert again.is_finished() and again.kind == "family"
    assert not (family.path / "checkpoint.safetensors").exists()
    assert again.member("beta-4").id == "three/beta-4"
    assert json.loads((family.path / "sweep.json").read_text("utf-8"))["grid"] == again.grid


def test_a_finished_family_is_returned_as_it_is(family):
    stamp = (family.path / "beta-1" / "run.json").stat().st_mtime_ns
    train_family(family.configs, family.path)
    assert (family.path / "beta-1" / "run.json").stat().st_mtime_ns == stamp


def test_a_member_is_not_trained_by_itself_in_its_place(family):
    with pytest.raises(ExplorerError, match="together with its family"):
        train(family.configs["beta-1"], family.path / "beta-1")


def test_other_configs_do_not_take_the_folder(family):
    configs = family_configs(member_config(), (1.0, 2.0))
    with pytest.raises(ExplorerError, match="holds another sweep"):
        train_family(configs, family.path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"network": "conv", "hidden": (8,)}, "mlp or linear"),
        ({"latent": "point"}, "Gaussian code"),
    ],
)
def test_what_cannot_be_stacked_is_one_sentence(change, sentence, tmp_path):
    configs = family_configs(member_config(**change), BETAS)
    with pytest.raises(ExplorerError, match=sentence):
        train_family(configs, tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_members_differ_in_their_objective_alone(tmp_path):
    configs = {"a": member_config(), "b": dataclasses.replace(member_config(), seed=1)}
    with pytest.raises(ExplorerError, match="objective alone"):
        train_family(configs, tmp_path / "no")
    with pytest.raises(ExplorerError, match="2 to 16"):
        train_family({"a": member_config()}, tmp_path / "no")


@pytest.mark.usefixtures("always_listening")
def test_stop_on_any_member_stops_all_and_the_family_goes_on_later(family, tmp_path):
    path = tmp_path / "stopped"
    configs = family_configs(member_config(), BETAS)

    def stop_at_20(point):
        if point["step"] >= 20 and not sent:
            sent.append(Control(path / "beta-1").send("stop"))

    sent = []
    stopped = train_family(configs, path, progress=stop_at_20)
    assert set(stopped.states().values()) == {"stopped"}
    step = stopped.member("beta-4").info.status.step
    assert 20 <= step < 60
    done = train_family(configs, path)
    assert done.is_finished()
    check_equal(done, family, skip=step)


def check_equal(found, expected, skip=None):
    for name, run in expected.runs().items():
        other = found.member(name)
        theirs = {(p["step"], p["split"]): p for p in run.metrics()}
        for point in other.metrics():
            if point["step"] == skip:
                continue  # The step of a stop is a log point of its own.
            if skip and min(s for s, _ in theirs if s > skip) == point["step"]:
                continue
            mine = theirs[point["step"], point["split"]]
            assert point["objective"] == pytest.approx(mine["objective"], rel=1e-8)
        elbo = run.info.results["test"]["elbo"]
        assert other.info.results["test"]["elbo"] == pytest.approx(elbo, rel=1e-8)


@pytest.mark.usefixtures("always_listening")
def test_beta_sent_to_a_member_is_that_members_alone(tmp_path):
    path = tmp_path / "moved"

    def move(point):
        if point["step"] >= 20 and not sent:
            sent.append(Control(path / "beta-1").send("beta", 7.0))

    sent = []
    moved = train_family(family_configs(member_config(), BETAS), path, progress=move)
    assert moved.member("beta-1").metrics("train")[-1]["beta"] == 7.0
    assert moved.member("beta-0.5").metrics("train")[-1]["beta"] == 0.5
    assert moved.member("beta-1").metrics("train")[-1]["control"] == 1


@pytest.mark.usefixtures("always_listening")
def test_commands_to_a_member_and_to_all_are_acknowledged(tmp_path):
    path = tmp_path / "told"

    def command(point):
        if point["step"] >= 20 and not sent:
            sent.append(Control(path / "beta-1").send("beta", 7.0))
            sent.append(Control(path / "beta-1").send("beta", 3.0))
            sent.append(Control(path).send("pause"))
            sent.append(Control(path).send("step"))
            sent.append(Control(path).send("resume"))

    sent: list[int] = []
    told = train_family(family_configs(member_config(), BETAS), path, progress=command)
    assert sent == [1, 2, 1, 2, 3]
    found = {name: run.info.status for name, run in told.runs().items()}
    assert {name: status.control for name, status in found.items()} == {
        "beta-0.5": 0,
        "beta-1": 2,
        "beta-4": 0,
    }
    assert {status.family_control for status in found.values()} == {3}


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_family_killed_in_the_middle_is_resumed_and_equals_the_uninterrupted(family, tmp_path):
    path = tmp_path / "killed"
    configs = {name: config.to_dict() for name, config in family.configs.items()}
    script = (
        "import json, sys, time; from explorer.config import Config\n"
        "from explorer.training.family import train_family\n"
        "configs = {k: Config.from_dict(v) for k, v in json.loads(sys.argv[1]).items()}\n"
        "slow = lambda point: time.sleep(0.05)\n"
        "train_family(configs, sys.argv[2], progress=slow)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, json.dumps(configs), str(path)])
    wait_until(lambda: _reached(path / "beta-4", 30))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not open_sweep(path).is_finished()
    assert set(open_sweep(path).states().values()) == {"interrupted"}
    resumed = train_family(family.configs, path)
    assert resumed.is_finished()
    check_equal(resumed, family)
    for name, run in family.runs().items():
        assert resumed.member(name).snapshot_steps() == run.snapshot_steps()
        assert len(resumed.member(name).metrics()) == len(run.metrics())


def _reached(path: Path, step: int) -> bool:
    try:
        lines = (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return bool(lines) and json.loads(lines[-1])["step"] >= step
    except (OSError, ValueError):
        return False


def test_a_budget_in_seconds_is_planned_once_for_all(tmp_path):
    config = dataclasses.replace(member_config(), budget=BudgetConfig(seconds=0.5))
    sweep = train_family(family_configs(config, (0.5, 2.0)), tmp_path / "timed")
    plans = {run.info.planned_steps for run in sweep.runs().values()}
    assert len(plans) == 1
    points = sweep.member("beta-2").metrics("train")
    assert points[0]["step"] == 1 and points[0]["objective"] < 200
