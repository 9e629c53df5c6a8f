"""Where a run may be made, and which one may go on."""

import os

import pytest

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs.folder import find_unfinished, prepare_folder
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from tests.helpers import begin_run, full_disk


def snapshot_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_foreign_folder_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years", encoding="utf-8")
    before = snapshot_of(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(ExplorerError, match="holds other files"):
            RunWriter(tmp_path, latent_dim=2, overwrite=overwrite)
    assert snapshot_of(tmp_path) == before


def test_a_file_is_never_replaced(tmp_path):
    (tmp_path / "file").write_text("precious", encoding="utf-8")
    with pytest.raises(ExplorerError, match="is a file"):
        RunWriter(tmp_path / "file", latent_dim=2, overwrite=True)
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        RunWriter(tmp_path / "file" / "run", latent_dim=2)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "precious"


def test_another_run_is_replaced_on_request_only(tmp_path):
    first = RunWriter(tmp_path / "run", latent_dim=2)
    first.log(1, reconstruction=1.0)
    first.set_state("finished")
    with pytest.raises(ExplorerError, match="holds another run"):
        begin_run(tmp_path / "run", latent_dim=3)
    begin_run(tmp_path / "run", latent_dim=3, overwrite=True)
    assert Run(tmp_path / "run").info.latent_dim == 3
    assert Run(tmp_path / "run").metrics() == []


@pytest.mark.parametrize("content", ["", "{", '{"schema": 9}', '{"schema": 1}'])
def test_a_run_that_cannot_be_read_is_replaced_on_request_only(tmp_path, content):
    """As after a loss of power: an empty file."""
    config = Config()
    RunWriter(tmp_path / "run", config=config, model_kind="config")
    (tmp_path / "run" / "run.json").write_text(content, "utf-8")
    assert find_unfinished(tmp_path / "run", config) is None
    with pytest.raises(ExplorerError, match="choose another folder or overwrite it"):
        begin_run(tmp_path / "run", latent_dim=3)
    begin_run(tmp_path / "run", latent_dim=3, overwrite=True)
    assert Run(tmp_path / "run").info.latent_dim == 3


def test_a_living_run_is_not_overwritten(tmp_path):
    RunWriter(tmp_path / "run", latent_dim=2).set_state("running")
    with pytest.raises(ExplorerError, match="being trained right now"):
        begin_run(tmp_path / "run", overwrite=True)


def test_an_empty_folder_is_taken(tmp_path):
    begin_run(tmp_path)
    assert Run(tmp_path).info.latent_dim == 2


def test_an_unwritable_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(ExplorerError, match="cannot be written to"):
        prepare_folder(tmp_path / "run", overwrite=False)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_told(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ExplorerError, match="cannot be written to"):
        begin_run(tmp_path / "locked" / "run")


def test_a_disk_full_from_the_start_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(ExplorerError, match="The disk is full"):
        begin_run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_is_one_of_the_same_config_that_nobody_writes(tmp_path):
    path, config = tmp_path / "run", Config()
    assert find_unfinished(path, config) is None
    writer = RunWriter(path, config=config, model_kind="config")
    assert find_unfinished(path, config) is not None
    assert find_unfinished(path, Config(seed=1)) is None
    writer.set_state("running")
    with pytest.raises(ExplorerError, match=f"trained right now by process {os.getpid()}"):
        find_unfinished(path, config)
    writer.set_state("failed", "out of luck")
    assert find_unfinished(path, config) is not None
    writer.set_state("finished", step=7)
    assert find_unfinished(path, Config(seed=1)) is None
    with pytest.raises(ExplorerError, match="this very training, finished at step 7: look at it"):
        find_unfinished(path, config)
