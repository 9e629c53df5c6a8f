"""Reading a run directory: at any time, by anyone, with plain words for what is wrong."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs import info as info_module
from explorer.runs.info import HEARTBEAT_TIMEOUT_SECONDS, LIVE_STATES, DatasetInfo, RunInfo, Status
from explorer.runs.run import RUN_ID, Run, mean_kl, new_run_id, open_run
from explorer.runs.writer import RunWriter


@pytest.fixture
def writer(tmp_path):
    return RunWriter(tmp_path / "run", latent_dim=2)


# run.json


def test_the_description_is_the_same_both_ways():
    info = RunInfo(
        config=Config(),
        model_kind="builtin",
        latent_kind="gaussian",
        latent_dim=2,
        dataset=DatasetInfo("digits", (1, 8, 8), ("0", "1"), "abc"),
        planned_steps=100,
        status=Status("running", 3, "", 42, "host", 1.5),
        created=1.0,
        versions={"torch": "2"},
        results={"test": {"elbo": -1.0}},
        timing={"seconds": 2.0},
    )
    assert RunInfo.from_dict(json.loads(json.dumps(info.to_dict())), "run.json") == info
    bare = dataclasses.replace(info, config=None, dataset=None, planned_steps=None)
    assert RunInfo.from_dict(json.loads(json.dumps(bare.to_dict())), "run.json") == bare


def test_a_finished_run_tells_everything(tiny_run):
    info = tiny_run.info
    assert (info.model_kind, info.latent_kind, info.latent_dim) == ("builtin", "gaussian", 2)
    assert (info.planned_steps, info.status.step, info.status.state) == (150, 150, "finished")
    assert info.dataset.shape == (1, 8, 8) and len(info.dataset.class_names) == 10
    assert set(info.results) == {"validation", "test"}
    assert {"python", "torch", "numpy"} <= set(info.versions)
    assert json.loads((tiny_run.path / "run.json").read_text())["seed"] == 0


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_an_unknown_schema_is_told(writer, schema):
    path = writer.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with pytest.raises(ExplorerError, match="written by another version"):
        _ = Run(writer.path).info


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema": 1}', b"\xff\xfe"])
def test_a_broken_description_is_told(writer, content):
    data = content if isinstance(content, bytes) else content.encode()
    (writer.path / "run.json").write_bytes(data)
    with pytest.raises(ExplorerError):
        _ = Run(writer.path).info


@pytest.mark.parametrize("key, value", [("status", {"mood": 1}), ("model", None), ("dataset", 3)])
def test_a_description_with_a_wrong_part_is_told(writer, key, value):
    path = writer.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ExplorerError, match="not a complete run description"):
        _ = Run(writer.path).info


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(ExplorerError, match="There is no run"):
        Run(tmp_path)


# Alive or dead


def alive(**changes):
    status = Status("running", 1, "", os.getpid(), socket.gethostname(), time.time())
    return dataclasses.replace(status, **changes)


@pytest.mark.parametrize("state", LIVE_STATES)
def test_a_running_process_with_a_heartbeat_is_alive(state):
    assert alive(state=state).is_alive()
    assert alive(state=state).shown_state() == state


def test_a_dead_process_is_told_at_once():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not alive(pid=child.pid).is_alive()
    assert alive(pid=child.pid).shown_state() == "interrupted"
    assert not alive(pid=0).is_alive()
    assert not alive(pid=10**30).is_alive()


def test_a_process_elsewhere_is_known_by_its_heartbeat():
    assert alive(pid=1, host="elsewhere").is_alive()
    old = time.time() - HEARTBEAT_TIMEOUT_SECONDS - 1
    assert not alive(pid=1, host="elsewhere", heartbeat=old).is_alive()
    assert not alive(heartbeat=old).is_alive()


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_what_has_ended_is_not_alive(state):
    assert not alive(state=state).is_alive()
    assert alive(state=state).shown_state() == state


# Log points


def test_a_torn_last_line_and_foreign_lines_are_ignored(writer):
    for step in (1, 2, 3):
        writer.log(step, reconstruction=step, kl_per_dim=[0.5, 0.25])
    path = writer.path / "metrics.jsonl"
    whole = path.read_bytes()
    for cut in range(1, 80):
        path.write_bytes(whole[:-cut])
        assert [point["step"] for point in Run(writer.path).metrics()] == [1, 2]
    path.write_bytes(whole + b"nonsense\n3\n[1]\n" + b'{"step": 4}\n{"st')
    assert [point["step"] for point in Run(writer.path).metrics()] == [1, 2, 3]


def test_log_points_of_one_split(writer):
    assert Run(writer.path).metrics() == []
    writer.log(1, reconstruction=2.0, split="train")
    writer.log(1, reconstruction=3.0, split="validation", kl_per_dim=[1, 2])
    run = Run(writer.path)
    assert [point["reconstruction"] for point in run.metrics("validation")] == [3.0]
    assert len(run.metrics()) == 2
    assert mean_kl(run.metrics()).tolist() == [[1, 2]]


def test_two_readers_never_see_a_half_written_run(writer):
    """run.json, log points, snapshots and codes, read by two threads while they are written."""
    ended, errors, looks = threading.Event(), [], [0, 0]
    run = Run(writer.path)

    def read(reader):
        try:
            while not ended.is_set() or looks[reader] < 3:
                assert run.info.latent_dim == 2
                steps = [point["step"] for point in run.metrics()]
                assert steps == list(range(1, len(steps) + 1))
                for step in run.snapshot_steps()[-2:]:
                    frame = run.snapshot(step)
                    assert (frame.mean == step).all() and frame.samples.shape == (2, 1, 8, 8)
                codes = run.codes()
                assert codes is None or len(np.unique(codes.mean)) == 1
                looks[reader] += 1
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(index,)) for index in range(2)]
    for reader in readers:
        reader.start()
    for step in range(1, 41):
        writer.set_state("running", step=step)
        writer.log(step, reconstruction=1.0, kl_per_dim=[0.1, 0.2])
        samples = np.zeros((2, 1, 8, 8), np.uint8)
        writer.snapshot(step, np.full((100, 2), step), np.zeros((100, 2)), samples=samples)
        writer.save_codes(np.full((500, 2), step))
    ended.set()
    for reader in readers:
        reader.join()
    assert errors == [] and min(looks) >= 3


# Snapshots, codes, names


def test_the_film_is_in_order_and_complete(tiny_run):
    steps = tiny_run.snapshot_steps()
    assert steps[0] == 0 and steps[-1] == 150 and steps == sorted(steps)
    frame = tiny_run.snapshot(150)
    assert frame.mean.shape == frame.logvar.shape == (200, 2)
    assert frame.labels.shape == (200,)
    assert frame.inputs.shape == frame.reconstructions.shape == frame.samples.shape == (8, 1, 8, 8)
    assert frame.samples.dtype == np.uint8


def test_a_missing_or_broken_frame_is_told(writer):
    run = Run(writer.path)
    with pytest.raises(ExplorerError, match="cannot be read"):
        run.snapshot(3)
    (run.path / "snapshots").mkdir()
    RunWriter(run.path.with_name("other"), latent_dim=2).snapshot(3, np.zeros((9, 2)))
    whole = (run.path.with_name("other") / "snapshots" / "000000003.npz").read_bytes()
    for content in (b"", b"PK\x03\x04 half", b"text", whole[:-1], whole[: len(whole) // 2]):
        (run.path / "snapshots" / "000000003.npz").write_bytes(content)
        with pytest.raises(ExplorerError, match="cannot be read"):
            run.snapshot(3)


def test_codes_are_those_of_the_test_split(tiny_run):
    codes = tiny_run.codes()
    assert codes.mean.shape == codes.logvar.shape == (300, 2)
    assert codes.labels.shape == codes.ids.shape == (300,)
    kl = 0.5 * (np.expm1(codes.logvar) - codes.logvar + codes.mean**2).mean(0)
    np.testing.assert_allclose(kl, tiny_run.info.results["test"]["kl_per_dim"], atol=0.05)


def test_the_viewer_names_a_run_in_its_own_file(writer):
    run = Run(writer.path)
    assert run.name == "run"
    run.rename("  My first  ")
    assert run.name == "My first"
    for name in ("", " ", "x" * 81):
        with pytest.raises(ExplorerError, match="1 to 80"):
            run.rename(name)
    (run.path / "viewer.json").write_text("[broken")
    assert run.name == "run"


def test_the_fingerprint_follows_the_weights(writer):
    run = Run(writer.path)
    seen = {run.fingerprint}
    for content in (b"a", b"bc"):
        writer.save_checkpoint(content)
        seen.add(run.fingerprint)
    writer.log(1, reconstruction=1.0)
    assert run.fingerprint in seen and len(seen) == 3


# Ids


def test_a_run_opens_by_path_and_by_id_in_the_runs_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    RunWriter(tmp_path / "mine", latent_dim=2)
    assert open_run(tmp_path / "mine").id == "mine"
    assert open_run("mine").path == tmp_path / "mine"
    with pytest.raises(ExplorerError, match="There is no run 'yours'"):
        open_run("yours")


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../x", "/etc", "a/../b", "a/b/c", "a\\b", "a\n"]
)
def test_an_id_is_no_path(run_id):
    assert not RUN_ID.fullmatch(run_id)


def test_new_ids_are_ids_and_differ():
    ids = {new_run_id("mnist 2/3", "β=4", "x" * 200) for _ in range(20)}
    assert len(ids) == 20 and all(RUN_ID.fullmatch(run_id) for run_id in ids)


def test_processes_of_others_count_as_existing(monkeypatch):
    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr(info_module.os, "kill", refuse)
    assert info_module._process_exists(1)
