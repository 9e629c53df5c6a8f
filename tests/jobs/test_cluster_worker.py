"""A place on a real Dask cluster: what a job's code raises, and what a lost scheduler leaves."""

import json
import os
import threading
import time

import pytest

from explorer.errors import ExplorerError
from explorer.jobs import sweep
from explorer.jobs.queue import LocalRunner
from explorer.jobs.workers import ClusterWorker, SchedulerLost
from explorer.training.loop import train
from tests.small_run import make_config

distributed = pytest.importorskip("distributed")
began, never = threading.Event(), threading.Event()


def disk_is_full(request):
    raise OSError(28, "No space left on device")


def takes_too_long(request):
    raise TimeoutError("the disk did not answer")


def waits(request):
    began.set()
    never.wait(60)


@pytest.fixture
def cluster():
    """One worker of this process, at an address of its own."""
    began.clear()
    never.clear()
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
        host="127.0.0.1",
        protocol="tcp://",
    ) as cluster:
        yield cluster
        never.set()  # A worker's thread ends with what it trains.


@pytest.mark.parametrize("code", [disk_is_full, takes_too_long])
def test_what_a_jobs_code_raises_is_the_jobs_failure(cluster, monkeypatch, code):
    monkeypatch.setattr(sweep, "train_request", code)
    worker = ClusterWorker(cluster.scheduler_address)
    answer = worker.ask({"directory": "/nowhere"})
    worker.release()
    assert answer is not None and answer["event"] == "failed"
    assert ("No space left" in answer["message"]) or ("did not answer" in answer["message"])


def test_a_scheduler_that_goes_while_a_job_is_trained_is_lost(cluster, monkeypatch):
    monkeypatch.setattr(sweep, "train_request", waits)
    worker = ClusterWorker(cluster.scheduler_address)
    worker.start()
    threading.Thread(target=lambda: (began.wait(60), cluster.close()), daemon=True).start()
    with pytest.raises(SchedulerLost, match="jobs wait for it"):
        worker.ask({"directory": "/nowhere"})


def test_the_queue_trains_on_a_cluster(cluster, tmp_path):
    runner = LocalRunner(hire=lambda: ClusterWorker(cluster.scheduler_address))
    try:
        run = runner.submit(make_config(), tmp_path / "one").result(120)
    finally:
        runner.close()
    assert run.info.status.state == "finished" and run.info.results["test"]


def test_no_scheduler_is_said_before_anything_is_asked(monkeypatch):
    monkeypatch.setattr(sweep, "CONNECT_SECONDS", 1)
    with pytest.raises(ExplorerError, match="No Dask scheduler answers"):
        ClusterWorker("tcp://127.0.0.1:9").ask({"directory": "/nowhere"})


@pytest.mark.parametrize("state, is_trained", [("queued", False), ("running", True)])
def test_only_who_trains_is_waited_for(tmp_path, state, is_trained):
    # The queue of a server marks what it hands on, and its process lives as long as the server.
    run = train(make_config(2), tmp_path / "one")
    values = json.loads((run.path / "run.json").read_text("utf-8"))
    values["status"] |= {"state": state, "pid": os.getppid(), "heartbeat": time.time()}
    (run.path / "run.json").write_text(json.dumps(values), encoding="utf-8")
    assert sweep._is_alive(run.path) is is_trained
