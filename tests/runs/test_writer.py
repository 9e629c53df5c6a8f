"""Writing a run directory, ours or from anyone's own loop."""

import json
import os
import shutil
import socket
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from explorer.config import Config
from explorer.errors import ExplorerError, RunRemoved
from explorer.runs import writer as writer_module
from explorer.runs.info import DatasetInfo, Status
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter, mark_run
from tests.helpers import begin_run, full_disk, present

# A user's own loop


def test_a_loop_of_ones_own_makes_a_run(tmp_path):
    """Torch tensors with gradients, in any precision, from a model that we never see."""
    generator = torch.Generator().manual_seed(0)
    with RunWriter(tmp_path / "run", latent_dim=3) as run:
        for step in range(1, 4):
            mean = torch.randn(20, 3, generator=generator, requires_grad=True)
            logvar = torch.randn(20, 3, generator=generator, requires_grad=True)
            nll = torch.rand(20, generator=generator) * 100
            run.log(step, mean=mean, logvar=logvar, reconstruction=nll, beta=0.5, accuracy=nll[0])
            run.snapshot(
                step,
                mean,
                logvar.bfloat16(),
                labels=torch.arange(20),
                samples=torch.zeros(2, 1, 4, 4),
            )
        run.save_codes(mean, logvar, labels=torch.arange(20), ids=torch.arange(20))
    read = Run(tmp_path / "run")
    assert read.info.model.kind == "none" and read.info.status.state == "finished"
    assert read.info.config is None and read.info.dataset is None
    point = read.metrics()[-1]
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).mean(0)
    assert point["kl_per_dim"] == pytest.approx(expected.tolist(), rel=1e-5)
    assert point["reconstruction"] == pytest.approx(nll.mean().item())
    assert point["elbo"] == pytest.approx(-(point["reconstruction"] + point["kl"]))
    assert point["objective"] == pytest.approx(point["reconstruction"] + 0.5 * point["kl"])
    assert point["accuracy"] == pytest.approx(nll[0].item())
    assert read.snapshot_steps() == [1, 2, 3]
    assert present(read.snapshot(3).labels).tolist() == list(range(20))
    np.testing.assert_allclose(present(read.codes()).mean, mean.detach(), rtol=1e-6)
    with pytest.raises(ExplorerError, match="holds figures and codes but no model"):
        _ = read.model


def test_without_a_kl_there_is_none(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=3, latent_kind="point") as run:
        run.log(1, reconstruction=np.float32(4))
        run.snapshot(1, np.zeros((5, 3)))
        run.save_codes(np.zeros((5, 3)))
    point = Run(tmp_path / "run").metrics()[0]
    assert "kl" not in point and "kl_per_dim" not in point
    assert point["elbo"] == -4
    assert Run(tmp_path / "run").snapshot(1).logvar is None
    assert present(Run(tmp_path / "run").codes()).logvar is None


@pytest.mark.parametrize(
    "figures, part",
    [
        ({"reconstruction": float("nan")}, "not finite"),
        ({"reconstruction": 1.0, "kl_per_dim": [1, float("inf")]}, "not finite"),
        ({"reconstruction": 1.0, "mean": [[0, 0]], "logvar": [[0, 1e4]]}, "not finite"),
        ({"reconstruction": 1.0, "accuracy": float("nan")}, "not finite"),
        ({"reconstruction": 1.0, "kl_per_dim": [1, 2, 3]}, "2 latent dimensions"),
        ({"reconstruction": 1.0, "kl_per_dim": [-8.0, 0.1]}, "without the minus sign"),
        ({"reconstruction": 1.0, "mean": [0, 0], "logvar": [0, 0]}, r"both \(B, 2\)"),
        ({"reconstruction": 1.0, "mean": [[0, 0]], "logvar": [[0, 0], [0, 0]]}, "logvar"),
        ({"reconstruction": 1.0, "mean": [[0, 0, 0]], "logvar": [[0, 0, 0]]}, r"\(B, 2\)"),
    ],
)
def test_a_figure_that_makes_no_sense_is_refused_and_not_logged(tmp_path, figures, part):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    with pytest.raises(ExplorerError, match=part):
        writer.log(1, **figures)
    assert Run(tmp_path / "run").metrics() == []


def test_a_total_kl_alone_serves_learned_and_conditional_priors(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=64) as run:
        run.log(1, reconstruction=90.0, kl=25.0, beta=2.0)
    point = Run(tmp_path / "run").metrics()[0]
    assert (point["kl"], point["elbo"], point["objective"]) == (25, -115, 140)
    assert "kl_per_dim" not in point


def test_a_beta_that_nobody_stated_is_unknown(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=2) as run:
        run.log(1, reconstruction=90.0, kl=25.0)
        run.log(2, reconstruction=90.0, kl=25.0, objective=100.0)
        run.log(3, reconstruction=90.0, kl=25.0, beta=1)
    points = Run(tmp_path / "run").metrics()
    told = [(point.get("beta"), point.get("objective")) for point in points]
    assert told == [(None, None), (None, 100), (1, 115)]
    assert [point["elbo"] for point in points] == [-115] * 3


def test_figures_of_any_library_are_taken_as_they_are(tmp_path):
    run = RunWriter(tmp_path / "run", latent_dim=3)
    step: Any = torch.tensor(4)
    run.log(
        step,
        reconstruction=torch.tensor([[2.0], [4.0]], requires_grad=True),
        kl=torch.tensor([1.0, 2.0], requires_grad=True),
        beta=torch.tensor(0.5),
        images=torch.tensor(128),
        rate=np.float32(0.25),
    )
    (point,) = Run(tmp_path / "run").metrics()
    assert (point["step"], point["images"], point["rate"]) == (4, 128, 0.25)
    assert (point["reconstruction"], point["kl"], point["objective"]) == (3.0, 1.5, 3.75)


@pytest.mark.parametrize(
    "figures, what",
    [
        ({"reconstruction": torch.ones(16, 784)}, r"reconstruction .* sum it over all axes"),
        ({"kl": torch.ones(16, 3)}, r"kl is a number or one per image .* \(16, 3\)"),
        ({"beta": torch.ones(16)}, "beta is one number"),
        ({"accuracy": "high"}, "not an array of numbers"),
        ({"images": float("nan")}, "not finite"),
        ({"step": None}, "whole number"),
        ({"step": torch.ones(2)}, "step is one number"),
    ],
)
def test_figures_that_are_none_are_refused_and_not_averaged(tmp_path, figures, what):
    """A mean over (B, pixels) would be one over pixels too, and 784 times too small."""
    run = RunWriter(tmp_path / "run", latent_dim=3)
    with pytest.raises(ExplorerError, match=what):
        run.log(**{"step": 1, "reconstruction": 3.0, "kl": 1.0, **figures})


def test_steps_never_fall_after_a_resumption_either(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=3) as run:
        for step in (10, 20, 30):
            run.log(step, reconstruction=3.0)
    again = RunWriter.resume(tmp_path / "run", 20)
    with pytest.raises(ExplorerError, match="Step 19 follows step 20"):
        again.log(19, reconstruction=3.0)
    again.log(21, reconstruction=3.0)
    assert [point["step"] for point in Run(tmp_path / "run").metrics()] == [10, 20, 21]


def test_steps_never_fall_within_a_split(tmp_path):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    writer.log(5, reconstruction=1.0)
    writer.log(5, reconstruction=1.0)
    writer.log(4, reconstruction=1.0, split="test")
    with pytest.raises(ExplorerError, match="Step 4 follows step 5"):
        writer.log(4, reconstruction=1.0)
    assert [point["step"] for point in Run(tmp_path / "run").metrics("train")] == [5, 5]
    again = RunWriter.resume(tmp_path / "run", 3)
    again.log(4, reconstruction=1.0)
    assert [point["step"] for point in Run(tmp_path / "run").metrics()] == [4]


@pytest.mark.parametrize("step", [-1, 1.5, float("nan"), 10**30])
def test_a_step_is_a_whole_number_from_0(tmp_path, step):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    for write in (
        lambda: writer.log(step, reconstruction=1.0),
        lambda: writer.snapshot(step, np.zeros((3, 2))),
    ):
        with pytest.raises(ExplorerError, match="A step is a whole number from 0"):
            write()
    assert [path.name for path in writer.path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda run: run.set_state("evaluating"), "A run is queued, running"),
        (lambda run: run.set_results({"test": {"elbo": "low"}}, {}), "results.test.elbo"),
        (lambda run: run.set_results({"test": {"kl_per_dim": [1.0]}}, {}), "kl_per_dim"),
        (lambda run: run.set_results({"test": {"elbo": float("nan")}}, {}), "plain numbers"),
        (lambda run: run.set_results({}, {"seconds": "long"}), "timing.seconds"),
        (lambda run: run.set_plan(-3), "planned_steps"),
    ],
)
def test_what_no_page_could_read_again_is_refused_and_not_written(tmp_path, write, said):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    before = (writer.path / "run.json").read_bytes()
    with pytest.raises(ExplorerError, match=said):
        write(writer)
    assert (writer.path / "run.json").read_bytes() == before
    writer.set_state("finished")
    assert Run(writer.path).info.status.state == "finished"


def test_a_description_that_no_page_could_read_makes_no_folder(tmp_path):
    wrong = (
        DatasetInfo("own", (8, 8)),  # type: ignore[arg-type]
        DatasetInfo("own", (1, 8, 8), (0, 1)),  # type: ignore[arg-type]
    )
    for dataset in wrong:
        with pytest.raises(ExplorerError, match="images|model.shape"):
            RunWriter(tmp_path / "run", latent_dim=2, dataset=dataset)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_any_length_and_letters_can_be_read_again(tmp_path):
    with pytest.raises(ValueError), RunWriter(tmp_path / "run", latent_dim=2):
        raise ValueError("It hurts \ud800 " + "so " * 10_000)
    status = Run(tmp_path / "run").info.status
    assert status.state == "failed" and status.message.startswith("It hurts ? so so")


def test_codes_beyond_half_precision_are_kept(tmp_path):
    writer = begin_run(tmp_path / "run", latent_dim=1)
    writer.snapshot(1, np.array([[1e6], [1.0]]))
    assert Run(tmp_path / "run").snapshot(1).mean.tolist() == [[1e6], [1.0]]


@pytest.mark.parametrize("latent_dim", [None, 0, -1, 10**9])
def test_a_run_needs_its_number_of_latents(tmp_path, latent_dim):
    with pytest.raises(ExplorerError, match="latent dimensions"):
        RunWriter(tmp_path / "run", latent_dim=latent_dim)
    assert list(tmp_path.iterdir()) == []


# How a run ends


def test_an_error_is_told_in_the_run_and_raised(tmp_path):
    with pytest.raises(ValueError, match="it hurts"), RunWriter(tmp_path / "run", latent_dim=2):
        raise ValueError("it hurts")
    status = Run(tmp_path / "run").info.status
    assert (status.state, status.message) == ("failed", "it hurts")


def test_an_interrupted_loop_is_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt), RunWriter(tmp_path / "run", latent_dim=2):
        raise KeyboardInterrupt
    assert Run(tmp_path / "run").info.status.state == "stopped"


def test_a_full_disk_is_told_in_one_sentence_and_the_log_stays_readable(tmp_path, monkeypatch):
    with (
        pytest.raises(ExplorerError, match="The disk is full"),
        RunWriter(tmp_path / "run", latent_dim=2) as run,
    ):
        run.log(1, reconstruction=1.0)
        monkeypatch.setattr(os, "replace", full_disk)
        run.save_checkpoint(b"weights")
    monkeypatch.undo()
    read = Run(tmp_path / "run")
    assert [point["step"] for point in read.metrics()] == [1]
    assert {path.name for path in read.path.iterdir()} == {"run.json", "metrics.jsonl"}


def test_a_log_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    monkeypatch.setattr(writer_module, "open", full_disk, raising=False)
    with pytest.raises(ExplorerError, match="The disk is full"):
        writer.log(1, reconstruction=1.0)


def test_the_status_says_who_writes_and_when(tmp_path, monkeypatch):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    status = Run(tmp_path / "run").info.status
    assert (status.pid, status.host) == (os.getpid(), socket.gethostname())
    monkeypatch.setattr(writer_module, "HEARTBEAT_SECONDS", 3600)
    writer.beat(5)
    assert Run(tmp_path / "run").info.status == status
    monkeypatch.setattr(writer_module, "HEARTBEAT_SECONDS", 0)
    writer.beat(5)
    later = Run(tmp_path / "run").info.status
    assert later.step == 5 and later.heartbeat >= status.heartbeat


# Taking a run over


def test_resuming_cuts_what_came_after_the_checkpoint(tmp_path):
    writer = begin_run(tmp_path / "run", latent_dim=2)
    for step in (1, 2, 3):
        writer.log(step, reconstruction=1.0)
        writer.snapshot(step, np.zeros((3, 2)))
    Run(writer.path).rename("Mine")
    log = writer.path / "metrics.jsonl"
    log.write_text(log.read_text(encoding="utf-8") + '{"step": 4, "torn', encoding="utf-8")
    (writer.path / ".run.json.1234abcd.part").write_text("half", encoding="utf-8")
    (writer.path / "snapshots" / ".000000004.npz.1234abcd.part").write_text("half", "utf-8")
    again = RunWriter.resume(writer.path, 2)
    run = Run(writer.path)
    assert [point["step"] for point in run.metrics()] == [1, 2]
    assert run.snapshot_steps() == [1, 2]
    assert run.info.created == writer.info.created
    assert run.name == "Mine"
    assert not list(writer.path.rglob("*.part"))
    again.log(3, reconstruction=1.0)
    assert [point["step"] for point in run.metrics()] == [1, 2, 3]


def test_a_queued_run_is_adopted_with_its_name(tmp_path):
    config = Config()
    RunWriter(tmp_path / "run", config=config, model_kind="config")
    Run(tmp_path / "run").rename("Mine")
    RunWriter(tmp_path / "run", config=config, model_kind="config", planned_steps=7, adopt=True)
    assert Run(tmp_path / "run").info.planned_steps == 7
    assert Run(tmp_path / "run").name == "Mine"


def test_a_run_can_be_marked_by_another(tmp_path):
    RunWriter(tmp_path / "run", latent_dim=2).set_state("running", step=4)
    mark_run(tmp_path / "run", "failed", "The process is gone.")
    status = Run(tmp_path / "run").info.status
    assert (status.state, status.message, status.step) == ("failed", "The process is gone.", 4)
    assert (
        Status(**json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))["status"]) == status
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda run: run.log(3, reconstruction=1.0, kl_per_dim=[0.1, 0.1]),
        lambda run: run.snapshot(3, np.zeros((4, 2))),
        lambda run: run.save_codes(np.zeros((4, 2)), np.zeros((4, 2))),
        lambda run: run.save_checkpoint(b"weights"),
        lambda run: run.set_plan(10),
        lambda run: run.set_state("paused"),
    ],
)
def test_a_run_that_was_deleted_is_not_brought_back(tmp_path, write):
    path = tmp_path / "run"
    with pytest.raises(RunRemoved, match="was removed"), RunWriter(path, latent_dim=2) as run:
        shutil.rmtree(path)
        write(run)
    assert not path.exists()
