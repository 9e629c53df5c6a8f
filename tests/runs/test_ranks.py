"""One loop, several processes and instances: one of them writes the run, none of them fails."""

import numpy as np
import pytest
import torch

from explorer.errors import ExplorerError
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter

NAMES = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


class Logged(torch.nn.Module):
    """The hooks of docs/own-loop.md: the writer is made with the module."""

    def __init__(self, folder):
        super().__init__()
        self.encoder = torch.nn.Linear(64, 6)
        self.run = RunWriter(folder, latent_dim=3)


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def write_all(run):
    """Call all that a writer has."""
    with run:
        run.set_plan(10)
        run.log(1, reconstruction=1.0, kl_per_dim=[0.1, 0.2, 0.3])
        run.snapshot(1, np.zeros((4, 3)))
        run.save_codes(np.zeros((4, 3)), np.zeros((4, 3)))
        run.save_checkpoint(b"weights")
        run.set_results({"test": {"elbo": -1.0}}, {"seconds": 1.0})
        run.beat(2)


@pytest.mark.parametrize(
    "ranks",
    [
        {"RANK": "1"},
        {"RANK": "2", "LOCAL_RANK": "0"},
        {"LOCAL_RANK": "1"},
        {"LOCAL_RANK": "0", "NODE_RANK": "1"},
        {"SLURM_PROCID": "3"},
        {"OMPI_COMM_WORLD_RANK": "1"},
        {"PMI_RANK": "2"},
    ],
)
def test_another_rank_calls_the_same_and_writes_nothing(tmp_path, monkeypatch, ranks):
    for name, value in ranks.items():
        monkeypatch.setenv(name, value)
    write_all(RunWriter(tmp_path / "run", latent_dim=3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "ranks",
    [
        {"RANK": "0", "LOCAL_RANK": "0"},
        {"RANK": "0", "SLURM_PROCID": "5"},
        {"LOCAL_RANK": "0", "NODE_RANK": "0"},
        {"SLURM_PROCID": "0"},
        {"RANK": "colonel"},
        {"RANK": "colonel", "SLURM_PROCID": "0"},
        {"PMI_RANK": "-1"},
    ],
)
def test_the_first_rank_writes(tmp_path, monkeypatch, ranks):
    for name, value in ranks.items():
        monkeypatch.setenv(name, value)
    write_all(RunWriter(tmp_path / "run", latent_dim=3))
    assert Run(tmp_path / "run").info.status.state == "finished"


@pytest.mark.parametrize(("rank", "writes"), [(0, True), (1, False)])
def test_a_process_group_knows_its_ranks_without_the_environment(
    tmp_path, monkeypatch, rank, writes
):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    write_all(RunWriter(tmp_path / "run", latent_dim=3))
    assert (tmp_path / "run").exists() is writes


def test_the_other_ranks_leave_the_firsts_run_alone(tmp_path, monkeypatch):
    write_all(Logged(tmp_path / "run").run)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setenv("RANK", "1")
    write_all(Logged(tmp_path / "run").run)
    RunWriter.resume(tmp_path / "run", 0).log(1, reconstruction=5.0)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_second_instance_for_evaluation_is_no_second_run(tmp_path):
    trained = Logged(tmp_path / "run")
    write_all(trained.run)
    evaluated = Logged(tmp_path / "run")
    evaluated.load_state_dict(trained.state_dict())
    assert len(Run(tmp_path / "run").metrics()) == 1


def test_a_second_instance_beside_a_living_run_overwrites_nothing(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=3) as run:
        RunWriter(tmp_path / "run", latent_dim=3, overwrite=True)
        run.log(1, reconstruction=1.0)
    assert len(Run(tmp_path / "run").metrics()) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda run: run.__enter__(),
        lambda run: run.log(1, reconstruction=1.0),
        lambda run: run.snapshot(1, np.zeros((4, 3))),
        lambda run: run.save_codes(np.zeros((4, 3))),
    ],
)
def test_what_writes_first_takes_the_folder_or_is_refused_there(tmp_path, write):
    run = RunWriter(tmp_path / "run", latent_dim=3)
    assert list(tmp_path.iterdir()) == []
    write(run)
    assert Run(tmp_path / "run").info.latent_dim == 3
    with pytest.raises(ExplorerError, match="holds another run"):
        write(RunWriter(tmp_path / "run", latent_dim=3))
