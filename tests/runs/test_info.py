"""What run.json says, of any schema and by anyone, in plain words; which job is alive."""

import dataclasses
import json
import os
import pickle
import socket
import subprocess
import sys
import time

import pytest

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs import info as info_module
from explorer.runs.info import (
    HEARTBEAT_TIMEOUT_SECONDS,
    LIVE_STATES,
    DatasetInfo,
    LikelihoodInfo,
    ModelInfo,
    RunInfo,
    Status,
    UnreadableRun,
    describe_config,
)
from explorer.runs.info_read import read_info
from explorer.runs.run import Run
from explorer.runs.store import find_run, list_pretrained
from tests.helpers import begin_run, present

MODEL = {
    "kind": "none",
    "shape": None,
    "latent": {"kind": "gaussian", "dim": 2},
    "prior": {"name": "standard"},
    "likelihood": None,
    "adopted": None,
}


@pytest.fixture
def writer(tmp_path):
    return begin_run(tmp_path / "run")


# run.json


def test_the_description_is_the_same_both_ways():
    info = RunInfo(
        config=Config(),
        model=describe_config(Config().model, "config", (1, 8, 8)),
        dataset=DatasetInfo("digits", (1, 8, 8), ("0", "1"), "abc", "def"),
        planned_steps=100,
        status=Status("running", 3, "", 42, "host", 1.5),
        created=1.0,
        versions={"torch": "2"},
        results={"test": {"elbo": -1.0}},
        timing={"seconds": 2.0},
    )
    assert read_info(json.loads(json.dumps(info.to_dict())), "run.json") == info
    stranger = ModelInfo(
        "onnx",
        "gaussian",
        2,
        (1, 8, 8),
        likelihood=LikelihoodInfo("gaussian", 0.1, None, told=False),
        adopted={"heads": "joined", "sha256": "0"},
    )
    bare = dataclasses.replace(info, config=None, model=stranger, dataset=None, planned_steps=None)
    assert read_info(json.loads(json.dumps(bare.to_dict())), "run.json") == bare


def test_a_finished_run_tells_everything(tiny_run):
    info = tiny_run.info
    assert (info.model.kind, info.latent_kind, info.latent_dim) == ("config", "gaussian", 2)
    assert (info.planned_steps, info.status.step, info.status.state) == (150, 150, "finished")
    assert info.dataset.shape == (1, 8, 8) and len(info.dataset.class_names) == 10
    assert set(info.results) == {"validation", "test"}
    assert {"python", "torch", "numpy"} <= set(info.versions)
    assert json.loads((tiny_run.path / "run.json").read_text(encoding="utf-8"))["seed"] == 0


FIRST_SCHEMA = {
    "schema": 1,
    "created": 1.0,
    "model": {"kind": "builtin"},
    "latent": {"kind": "gaussian", "dim": 2},
    "dataset": {
        "name": "digits",
        "shape": [1, 8, 8],
        "class_names": ["0", "1"],
        "fingerprint": "abc",
    },
    "seed": 0,
    "planned_steps": 100,
    "status": {"state": "finished", "step": 100},
    "timing": {},
    "results": {},
    "versions": {},
    "config": {"model": {"likelihood": "gaussian", "sigma2": 0.1, "prior": "mixture"}},
}


def test_the_first_schema_is_read_as_what_it_meant():
    info = read_info(FIRST_SCHEMA, "run.json")
    assert info.model == ModelInfo(
        "config", "gaussian", 2, (1, 8, 8), "mixture", LikelihoodInfo("gaussian", 0.1)
    )
    assert info.has_model and info.has_density and not info.has_shares and info.is_trained_here
    assert info.dataset == DatasetInfo("digits", (1, 8, 8), ("0", "1"), "abc")
    theirs = {**FIRST_SCHEMA, "model": {"kind": "exported"}, "config": None}
    assert not read_info(theirs, "run.json").has_model
    assert read_info(info.to_dict() | {"images": None}, "run.json").model == info.model


@pytest.mark.parametrize("name", [run.id for run in list_pretrained()])
def test_every_shipped_run_is_read(name):
    info = find_run(name).info
    assert info.has_model and info.model.shape == present(info.dataset).shape
    assert present(info.model.likelihood).name == present(info.config).model.likelihood


@pytest.mark.parametrize("schema", [0, 3, "1", None])
def test_an_unknown_schema_is_told(writer, schema):
    path = writer.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "schema": schema}), "utf-8")
    with pytest.raises(ExplorerError, match="written by another version"):
        _ = Run(writer.path).info


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema": 1}', b"\xff\xfe"])
def test_a_broken_description_is_told(writer, content):
    data = content if isinstance(content, bytes) else content.encode()
    (writer.path / "run.json").write_bytes(data)
    with pytest.raises(ExplorerError):
        _ = Run(writer.path).info


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("status", {"mood": 1}, "status.mood"),
        ("status", {"state": "evaluating"}, "status.state"),
        ("status", {"step": 1.5}, "status.step"),
        ("status", {"message": None}, "status.message"),
        ("status", {"heartbeat": "now"}, "status.heartbeat"),
        ("model", None, "model"),
        ("model", MODEL | {"kind": "builtin"}, "model.kind"),
        ("model", MODEL | {"kind": "config"}, "config"),
        ("model", MODEL | {"latent": {"kind": "gaussian", "dim": "2"}}, "model.latent.dim"),
        ("model", MODEL | {"latent": {"kind": "gaussian", "dim": 10**9}}, "model.latent.dim"),
        ("model", MODEL | {"latent": {"kind": "odd", "dim": 2}}, "model.latent.kind"),
        ("model", MODEL | {"likelihood": {"name": "laplace"}}, "model.likelihood.binarise"),
        ("model", MODEL | {"adopted": []}, "model.adopted"),
        ("images", 3, "images"),
        ("created", None, "created"),
        ("created", -1, "created"),
        ("created", 10**13, "created"),
        ("planned_steps", "many", "planned_steps"),
        ("timing", {"seconds": None}, "timing.seconds"),
        ("results", {"test": 3}, "results.test"),
        ("results", {"test": {"kl": "3"}}, "results.test.kl"),
        ("results", {"test": {"kl_per_dim": [1.0]}}, "results.test.kl_per_dim"),
        ("versions", {"torch": 2}, "versions.torch"),
        ("config", {"seed": -1}, "config"),
        ("config", Config(seed=1).to_dict() | {"model": {"latent_dim": 3}}, "model.latent"),
    ],
)
def test_a_description_with_a_wrong_part_is_told_by_its_name(writer, key, value, part):
    path = writer.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), key: value}), "utf-8")
    with pytest.raises(UnreadableRun, match="not a complete run description") as caught:
        _ = Run(writer.path).info
    assert (caught.value.code, caught.value.detail) == ("part", part)


@pytest.mark.parametrize(
    "shape", [[1, 8], [1, 8, 8.0], [1, 8, 0], [1, 8, 10**6], [3, 60_000, 60_000], "188", None]
)
def test_a_shape_that_no_image_has_is_told(writer, shape):
    path = writer.path / "run.json"
    images = {"name": "own", "shape": shape, "class_names": [], "fingerprint": "", "pixels": ""}
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "images": images}), "utf-8")
    with pytest.raises(UnreadableRun, match="images.shape"):
        _ = Run(writer.path).info


def test_an_unreadable_run_says_so_in_another_process_too():
    error = UnreadableRun("It is broken.", "part", "status.step")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, again.detail) == ("It is broken.", "part", "status.step")


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


def test_a_heartbeat_from_the_future_keeps_nothing_alive():
    """A clock that was set back, or a copied run: else it could neither go on nor be deleted."""
    soon, late = time.time() + 5, time.time() + HEARTBEAT_TIMEOUT_SECONDS + 5
    for host in (socket.gethostname(), "elsewhere"):
        assert alive(heartbeat=soon, host=host).is_alive()
        assert alive(heartbeat=late, host=host).shown_state() == "interrupted"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_what_has_ended_is_not_alive(state):
    assert not alive(state=state).is_alive()
    assert alive(state=state).shown_state() == state


def test_processes_of_others_count_as_existing(monkeypatch):
    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert info_module._process_exists(1)
