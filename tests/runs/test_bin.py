"""The bin: what was deleted comes back as it was, for a day, and into no other run's place."""

import json

import pytest

from explorer.errors import ExplorerError
from explorer.runs.bin import KEPT_SECONDS
from explorer.runs.store import RunStore
from tests.helpers import begin_run


@pytest.fixture
def store(tmp_path):
    for run_id in ("first", "second", "sweep/a", "sweep/b"):
        begin_run(tmp_path / run_id).set_state("finished")
    (tmp_path / "sweep" / "sweep.json").write_text("{}", encoding="utf-8")
    return RunStore(tmp_path)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_deleted_run_comes_back_to_the_byte(store):
    store.open("first").rename("the first")
    before = files_of(store.folder / "first")
    entry = store.delete("first")
    assert (entry.id, entry.name) == ("first", "the first")
    store.bin.restore(entry)
    assert files_of(store.folder / "first") == before
    assert store.bin.entries() == []


def test_what_is_in_the_bin_is_listed_what_went_last_first(store):
    for run_id in ("second", "first"):
        store.delete(run_id)
    assert [entry.id for entry in store.bin.entries()] == ["first", "second"]


def test_a_run_does_not_come_back_into_anothers_place(store):
    entry = store.delete("first")
    begin_run(store.folder / "first")
    with pytest.raises(ExplorerError, match="another run has its folder"):
        store.bin.restore(entry)
    assert [kept.id for kept in store.bin.entries()] == ["first"]


def test_a_sweep_comes_back_with_its_last_run(store):
    first, last = store.delete("sweep/a"), store.delete("sweep/b")
    assert not (store.folder / "sweep").exists()
    for entry in (first, last):
        store.bin.restore(entry)
    assert (store.folder / "sweep" / "sweep.json").is_file()
    assert {run.id for run in store.list()} >= {"sweep/a", "sweep/b"}
    assert store.bin.entries() == []


def test_after_a_day_it_is_gone_for_good(store):
    entry = store.delete("first")
    assert entry.goes == entry.deleted + KEPT_SECONDS
    store.bin.empty(before=entry.deleted)
    assert len(store.bin.entries()) == 1
    store.bin.empty(before=entry.deleted + 1)
    assert store.bin.entries() == [] and list(store.bin.folder.iterdir()) == []
    with pytest.raises(ExplorerError, match="no longer in the bin"):
        store.bin.restore(entry)


def test_the_bin_is_emptied_at_once_on_request(store):
    store.delete("first")
    store.delete("second")
    store.bin.empty()
    assert store.bin.entries() == []


@pytest.mark.parametrize("run_id", ["../outside", "/tmp/x", "", "a/b/c", 3])
def test_what_somebody_wrote_into_the_bin_leads_nowhere_else(store, run_id):
    entry = store.delete("first")
    path = entry.path / "entry.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "id": run_id}), encoding="utf-8")
    assert store.bin.entries() == []
