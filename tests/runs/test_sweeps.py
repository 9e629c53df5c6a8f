"""A sweep's folder: read whatever is in it, replaced on request, and no way out of it."""

import json
import time

import pytest

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.paths import resource
from explorer.runs.info import HEARTBEAT_TIMEOUT_SECONDS
from explorer.runs.sweeps import open_sweep, prepare_sweep, read_sweep
from explorer.runs.writer import RunWriter

CONFIGS = {f"seed-{seed}": Config(seed=seed) for seed in range(2)}


@pytest.fixture
def folder(tmp_path):
    return prepare_sweep(tmp_path / "sweep", "sweep", CONFIGS).path


def change(folder, **values):
    path = folder / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schema": 9}, "written by another version"),
        ({"kind": "zoo"}, "written by another version"),
        ({"created": None}, "created is missing"),
        ({"members": {}}, "members is missing"),
        ({"members": [1]}, "members is missing"),
        ({"members": {"a": 3}}, "config must be a table"),
        ({"members": {"../../home": {}}}, "members.../../home is missing"),
    ],
)
def test_what_is_no_sweep_is_told(folder, values, said):
    change(folder, **values)
    with pytest.raises(ExplorerError, match=said):
        read_sweep(folder)


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "", "\0", "x" * 100])
def test_a_member_is_a_folder_and_no_path(tmp_path, name):
    with pytest.raises(ExplorerError, match="cannot be the name of a member's folder"):
        prepare_sweep(tmp_path / "sweep", "sweep", {name: Config()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}'])
def test_a_sweep_that_cannot_be_read_is_replaced_on_request_only(folder, content):
    (folder / "sweep.json").write_text(content, encoding="utf-8")
    RunWriter(folder / "seed-0", latent_dim=2).set_state("running")
    with pytest.raises(ExplorerError, match="cannot be read"):
        prepare_sweep(folder, "sweep", CONFIGS)
    with pytest.raises(ExplorerError, match="is being trained right now"):
        prepare_sweep(folder, "sweep", CONFIGS, overwrite=True)
    (folder / "seed-0" / "run.json").write_text("", encoding="utf-8")
    assert prepare_sweep(folder, "sweep", CONFIGS, overwrite=True).runs() == {}


def test_an_unreadable_member_is_missing_and_the_others_are_told(folder):
    for name, state in (("seed-0", "finished"), ("seed-1", "running")):
        RunWriter(folder / name, latent_dim=2).set_state(state)
    (folder / "seed-0" / "run.json").write_text("{", encoding="utf-8")
    assert read_sweep(folder).states() == {"seed-0": "missing", "seed-1": "running"}


def test_a_sign_of_life_from_the_future_is_none(folder):
    assert read_sweep(folder).is_active(read_sweep(folder).progress())
    change(folder, created=time.time() + HEARTBEAT_TIMEOUT_SECONDS + 5)
    assert not read_sweep(folder).is_active(read_sweep(folder).progress())


def test_the_visitors_own_sweep_comes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    assert open_sweep("mnist-beta-sweep").path == resource("pretrained") / "mnist-beta-sweep"
    prepare_sweep(tmp_path / "mnist-beta-sweep", "sweep", CONFIGS)
    assert open_sweep("mnist-beta-sweep").path == tmp_path / "mnist-beta-sweep"
