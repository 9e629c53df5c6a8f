"""A folder of runs: only ids lead into it, and only what may go is deleted."""

import json

import pytest

from explorer.errors import ExplorerError
from explorer.paths import resource
from explorer.runs.run import Run
from explorer.runs.store import (
    RunStore,
    find_run,
    is_shipped,
    list_runs,
    open_run,
    pretrained_store,
)
from explorer.runs.writer import RunWriter
from tests.helpers import begin_run


@pytest.fixture
def store(tmp_path):
    for index, run_id in enumerate(["first", "second", "sweep/beta-1", "sweep/beta-2"]):
        writer = begin_run(tmp_path / run_id)
        values = {**writer.info.to_dict(), "created": 100.0 + index}
        values["status"] = {**values["status"], "state": "finished"}
        (writer.path / "run.json").write_text(json.dumps(values), encoding="utf-8")
    return RunStore(tmp_path)


def test_runs_are_listed_newest_first_members_of_sweeps_included(store):
    assert [run.id for run in store.list()] == ["sweep/beta-2", "sweep/beta-1", "second", "first"]


def test_what_is_no_run_is_left_out(store):
    (store.folder / "notes.txt").write_text("", encoding="utf-8")
    (store.folder / "empty").mkdir()
    (store.folder / "first" / "run.json").write_text("{", encoding="utf-8")
    (store.folder / "second" / "run.json").write_text('{"schema": 99}', encoding="utf-8")
    hidden = begin_run(store.folder / ".hidden")
    assert hidden.path.is_dir()
    assert [run.id for run in store.list()] == ["sweep/beta-2", "sweep/beta-1"]


def test_what_cannot_be_read_is_told_with_the_reason(store):
    (store.folder / "first" / "run.json").write_text("{", encoding="utf-8")
    (store.folder / "second" / "run.json").write_text('{"schema": 99}', encoding="utf-8")
    (store.folder / "sweep" / "beta-1" / "run.json").write_text(
        '{"schema": 1, "latent": []}', "utf-8"
    )
    (store.folder / "sweep" / "beta-2").rename(store.folder / "sweep" / "β = 2")
    begin_run(store.folder / ".hidden")
    (store.folder / "folder" / "run.json").mkdir(parents=True)
    runs, unreadable = store.survey()
    assert runs == []
    told = {entry.id: (entry.reason.code, entry.reason.detail) for entry in unreadable}
    assert told == {
        "first": ("broken", ""),
        "second": ("version", "99"),
        "sweep/beta-1": ("part", "config"),
        "sweep/β = 2": ("name", ""),
        "folder": ("broken", ""),
    }


def test_only_runs_that_fit_are_listed(store):
    newest = store.list(lambda run, info: info.created > 101 and "/" in run.id)
    assert [run.id for run in newest] == ["sweep/beta-2", "sweep/beta-1"]


def test_an_unreadable_run_is_deleted_like_any_other(store):
    (store.folder / "first" / "run.json").write_text("", encoding="utf-8")
    store.delete("first")
    assert not (store.folder / "first").exists()


def test_a_folder_that_is_not_there_has_no_runs(tmp_path):
    assert RunStore(tmp_path / "none").list() == []


def test_a_run_opens_by_its_id(store):
    assert store.open("sweep/beta-1").path == store.folder / "sweep" / "beta-1"
    assert store.open("first").id == "first"


@pytest.mark.parametrize("run_id", ["", "third", "..", "../first", "/first", "first/", "sweep"])
def test_an_unknown_or_malformed_id_is_told(store, run_id):
    with pytest.raises(ExplorerError, match="There is no run"):
        store.open(run_id)
    with pytest.raises(ExplorerError, match="There is no run"):
        store.delete(run_id)


def test_a_deleted_run_leaves_the_list_for_the_bin(store):
    store.delete("first")
    assert not (store.folder / "first").exists()
    assert len(store.list()) == 3
    assert [entry.id for entry in store.bin.entries()] == ["first"]


def test_a_living_run_is_not_deleted(store):
    RunWriter(store.folder / "live", latent_dim=2).set_state("running")
    with pytest.raises(ExplorerError, match="is being trained; stop it"):
        store.delete("live")


def test_shipped_runs_are_not_deleted(store):
    shipped = RunStore(store.folder, read_only=True)
    with pytest.raises(ExplorerError, match="shipped with the app"):
        shipped.delete("first")
    assert (store.folder / "first" / "run.json").is_file()
    assert pretrained_store().read_only


def test_a_run_that_cannot_be_removed_is_told(store, monkeypatch):
    def refuse(path, place):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("explorer.runs.bin.move", refuse)
        with pytest.raises(ExplorerError, match="could not be deleted: Permission denied"):
            store.delete("first")
    assert store.has("first") and store.bin.entries() == []


def test_new_runs_get_fresh_places(store):
    assert store.new_path("digits", "2d") != store.new_path("digits", "2d")
    assert store.new_path("digits").parent == store.folder


def test_the_default_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    assert RunStore().folder == tmp_path


def test_a_sweep_goes_with_its_last_run_unless_something_else_lies_there(store):
    folder = store.folder / "sweep"
    (folder / "sweep.json").write_text("{}", encoding="utf-8")
    store.delete("sweep/beta-1")
    assert (folder / "sweep.json").is_file()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    store.delete("sweep/beta-2")
    assert (folder / "notes.txt").is_file()
    RunWriter(folder / "beta-1", latent_dim=2).set_state("finished")
    (folder / "notes.txt").unlink()
    store.delete("sweep/beta-1")
    assert not folder.exists()


# Which run an id opens


@pytest.fixture
def twins(store, monkeypatch):
    """A run of the visitor's with the id of a shipped one."""
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(store.folder))
    RunWriter(store.folder / "mnist-2d", latent_dim=7).set_state("finished")
    return store


def test_the_visitors_own_run_comes_before_a_shipped_one_everywhere(twins):
    own = twins.folder / "mnist-2d"
    assert find_run("mnist-2d").path == open_run("mnist-2d").path == own
    assert [run.path for run in list_runs() if run.id == "mnist-2d"] == [own]
    assert find_run("mnist-20d").path == resource("pretrained") / "mnist-20d"
    assert not is_shipped(find_run("mnist-2d")) and is_shipped(find_run("mnist-20d"))


def test_what_is_listed_is_what_its_id_opens(twins):
    listed = list_runs()
    assert {run.id: run.path for run in listed} == {run.id: run.path for run in map(_open, listed)}
    assert len({run.id for run in listed}) == len(listed)
    own = [run.id for run in listed if not is_shipped(run)]
    assert [run.id for run in listed][: len(own)] == own == [run.id for run in twins.list()]


def _open(run: Run) -> Run:
    return find_run(run.id)


def test_an_unreadable_run_is_not_replaced_by_a_shipped_one(twins):
    (twins.folder / "mnist-2d" / "run.json").write_text("{", encoding="utf-8")
    assert "mnist-2d" not in {run.id for run in list_runs()}
    with pytest.raises(ExplorerError, match="cannot be read"):
        _ = find_run("mnist-2d").info


def test_a_run_opens_by_id_or_by_its_folder(store, monkeypatch, tmp_path_factory):
    elsewhere = begin_run(tmp_path_factory.mktemp("elsewhere") / "mine")
    assert open_run(elsewhere.path).id == "mine"
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(store.folder))
    assert open_run("sweep/beta-1").path == store.folder / "sweep" / "beta-1"
    monkeypatch.chdir(elsewhere.path.parent)
    assert open_run("mine").path.resolve() == elsewhere.path.resolve()


@pytest.mark.parametrize("name", ["yours", "", "..", "\0", "x" * 4000, "/".join("x" * 2000), "*"])
def test_what_is_no_run_is_told_with_what_there_is(name):
    with pytest.raises(ExplorerError, match="There is no run .* pretrained ones are .*mnist-2d"):
        open_run(name)
    with pytest.raises(ExplorerError, match="There is no run"):
        find_run(name)
