"""One queue and one worker for a process, whatever its visitors and its disk do."""

import dataclasses
import errno
import json
import os
import threading

import pytest

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.jobs import host
from explorer.jobs.queue import QUEUE_LIMIT, LocalRunner, find_abandoned
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from tests.small_run import die

CONFIG = Config(model=ModelConfig(hidden=(8,)), budget=BudgetConfig(steps=5), device="cpu")


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A process without a queue, in which no job is trained; the runners that it makes."""
    made = []

    class CountedRunner(LocalRunner):
        def __init__(self):
            made.append(self)
            super().__init__()

        def _serve(self):
            return

    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(host, "LocalRunner", CountedRunner)
    monkeypatch.setattr(host, "_runner", None)
    monkeypatch.setattr(host, "_left", [])
    monkeypatch.setattr(host, "_looked", set())
    yield made
    for runner in made:
        runner.close()


def leave_waiting(folder, count):
    """Leave runs that an earlier server has queued, oldest first."""
    for index in range(count):
        config = dataclasses.replace(CONFIG, seed=index)
        path = RunWriter(folder / f"run-{index:02d}", config=config, model_kind="config").path
        values = json.loads((path / "run.json").read_text(encoding="utf-8"))
        (path / "run.json").write_text(json.dumps({**values, "created": float(index)}), "utf-8")
        die(path)


def waiting(runner):
    return [job.directory.name for job in runner.jobs()]


def test_every_visit_gets_the_same_queue(begun):
    visits = []
    visitors = [threading.Thread(target=lambda: visits.append(host.get_runner())) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(begun) == 1 and set(visits) == {begun[0]}


def test_cleared_caches_leave_the_queue(begun):
    import streamlit as st

    first = host.get_runner()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert host.get_runner() is first and len(begun) == 1


def test_what_an_earlier_server_left_waiting_is_taken_up_in_order(begun, tmp_path):
    leave_waiting(tmp_path, 3)
    assert waiting(host.get_runner()) == ["run-00", "run-01", "run-02"]
    assert waiting(host.get_runner()) == ["run-00", "run-01", "run-02"]
    assert Run(tmp_path / "run-00").info.status.is_alive()


def test_more_than_the_queue_holds_are_taken_up_as_there_is_room(begun, tmp_path):
    leave_waiting(tmp_path, QUEUE_LIMIT + 4)
    runner = host.get_runner()
    assert len(waiting(runner)) == QUEUE_LIMIT
    for _ in range(3):
        assert host.get_runner() is runner
    assert Run(tmp_path / "run-08").info.status.shown_state() == "interrupted"
    runner.stop(tmp_path / "run-03")
    # One that another server has taken meanwhile is left to it.
    RunWriter.resume(tmp_path / "run-08", 0)
    assert waiting(host.get_runner())[-1] == "run-09"
    assert len(waiting(runner)) == QUEUE_LIMIT and len(begun) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_starts_no_second_worker(begun, tmp_path, monkeypatch, number):
    leave_waiting(tmp_path, 2)

    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    for _ in range(5):
        assert host.get_runner() is begun[0]
    assert len(begun) == 1 and waiting(begun[0]) == []
    with pytest.raises(ExplorerError, match="disk is full|cannot be written to"):
        host.get_runner().submit(CONFIG, tmp_path / "new")
    assert Run(tmp_path / "run-00").info.status.shown_state() == "interrupted"
    monkeypatch.undo()
    begun[0].submit(dataclasses.replace(CONFIG, seed=0), tmp_path / "run-00")
    assert waiting(begun[0]) == ["run-00"]


def test_a_waiting_run_that_is_broken_or_gone_is_passed_over(begun, tmp_path, monkeypatch):
    leave_waiting(tmp_path, 3)
    (tmp_path / "run-00" / "run.json").write_text("{", encoding="utf-8")

    def find(runs):
        found = find_abandoned(runs)
        if len(runs) > 1:
            (tmp_path / "run-01" / "run.json").unlink()
        return found

    monkeypatch.setattr(host, "find_abandoned", find)
    assert waiting(host.get_runner()) == ["run-02"]
