"""Jobs: a warm worker process that is commanded, killed, outlived and started anew."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.jobs import queue
from explorer.jobs.queue import Job, LocalRunner, find_abandoned
from explorer.runs.control import Control
from explorer.runs.run import Run
from explorer.runs.sweeps import open_sweep, prepare_sweep
from explorer.runs.writer import RunWriter, mark_run
from explorer.training.family import family_configs
from tests.helpers import present
from tests.small_run import die
from tests.waiting import wait_until

SHORT = Config(model=ModelConfig(hidden=(8,)), budget=BudgetConfig(steps=20), device="cpu")
LONG = dataclasses.replace(SHORT, budget=BudgetConfig(steps=10**9))
PATIENCE_SECONDS = 120


def state(path):
    return Run(path).info.status.state


def first_metric(path):
    return wait_until(lambda: Run(path).metrics("train"))


def last_point(path):
    points = Run(path).metrics("train")
    return points[-1] if points else {"step": 0, "control": 0}


@pytest.fixture(scope="module")
def runner():
    """One warm worker for most of these tests."""
    runner = LocalRunner(limit=2)
    yield runner
    shut_down(runner)


@pytest.fixture(autouse=True)
def leave_no_job_behind(runner):
    yield
    stop_all(runner)


def stop_all(runner):
    for job in reversed(runner.jobs()):
        runner.stop(job.directory)
    wait_until(lambda: runner.jobs() == [])


def shut_down(runner):
    stop_all(runner)
    runner.close()
    for thread in threading.enumerate():
        if thread.name.startswith("jobs_"):
            thread.join(PATIENCE_SECONDS)


def test_a_job_ends_in_a_finished_run_written_by_the_worker(runner, tmp_path):
    future = runner.submit(SHORT, tmp_path / "run")
    assert Run(tmp_path / "run").info.config == SHORT
    run = future.result(PATIENCE_SECONDS)
    assert run.info.status.state == "finished" and run.info.status.step == 20
    assert run.info.status.pid == runner.worker_pid != os.getpid()


def test_pause_step_beta_resume_and_stop_reach_the_job(runner, tmp_path):
    path = tmp_path / "run"
    future = runner.submit(LONG, path)
    first_metric(path)
    assert path in [job.directory for job in runner.jobs()]
    control = Control(path)
    control.send("pause")
    wait_until(lambda: state(path) == "paused")
    assert Run(path).info.status.control == 1
    paused_at = Run(path).info.status.step
    assert last_point(path)["step"] == paused_at
    control.send("beta", 7.0)
    control.send("step")
    wait_until(lambda: last_point(path)["control"] == 3)
    assert (last_point(path)["step"], last_point(path)["beta"]) == (paused_at + 1, 7.0)
    assert state(path) == "paused"
    control.send("step")
    wait_until(lambda: last_point(path)["step"] == paused_at + 2)
    control.send("resume")
    wait_until(lambda: state(path) == "running")
    wait_until(lambda: Run(path).info.status.step > paused_at + 2)
    runner.stop(path)
    run = future.result(PATIENCE_SECONDS)
    assert run.info.status.state == "stopped"
    assert run.metrics("train")[-1]["beta"] == 7.0
    assert run.model is not None and run.codes() is not None


def test_a_stopped_job_goes_on_when_it_is_submitted_again(runner, tmp_path):
    """The old "stop" does no harm."""
    config = dataclasses.replace(SHORT, budget=BudgetConfig(steps=20_000))
    future = runner.submit(config, tmp_path / "run")
    first_metric(tmp_path / "run")
    runner.stop(tmp_path / "run")
    stopped = future.result(PATIENCE_SECONDS).info.status
    assert stopped.state == "stopped" and stopped.step < 20_000
    future = runner.submit(config, tmp_path / "run")
    wait_until(lambda: Run(tmp_path / "run").info.status.step > stopped.step)
    runner.stop(tmp_path / "run")
    assert future.result(PATIENCE_SECONDS).info.status.step > stopped.step


def test_a_job_that_cannot_begin_fails_in_one_sentence_and_the_next_is_fine(runner, tmp_path):
    linear = dataclasses.replace(SHORT, model=ModelConfig(network="linear", hidden=(5,)))
    future = runner.submit(linear, tmp_path / "bad")
    error = future.exception(PATIENCE_SECONDS)
    assert isinstance(error, ExplorerError) and "no hidden layers" in str(error)
    status = Run(tmp_path / "bad").info.status
    assert (status.state, status.message) == ("failed", str(error))
    worker = runner.worker_pid
    good = runner.submit(SHORT, tmp_path / "good").result(PATIENCE_SECONDS)
    assert good.info.status.state == "finished" and runner.worker_pid == worker


def test_the_queue_is_bounded_visible_and_can_be_left(runner, tmp_path):
    active, first, second, third = (tmp_path / name for name in ("active", "1", "2", "3"))
    futures = {active: runner.submit(LONG, active)}
    first_metric(active)
    for path in (first, second):
        futures[path] = runner.submit(SHORT, path)
        assert state(path) == "queued" and Run(path).info.status.is_alive()
    assert [job.directory for job in runner.jobs()][-3:] == [active, first, second]
    with pytest.raises(ExplorerError, match="2 jobs are waiting already"):
        runner.submit(SHORT, third)
    assert not third.exists()
    runner.stop(first)
    assert futures[first].cancelled() and state(first) == "stopped"
    for taken in (second, active):
        with pytest.raises(ExplorerError, match="in the queue already|being trained right now"):
            runner.submit(SHORT if taken == second else LONG, taken)
    runner.stop(active)
    assert futures[active].result(PATIENCE_SECONDS).info.status.state == "stopped"
    assert futures[second].result(PATIENCE_SECONDS).info.status.state == "finished"


def test_what_is_asked_of_a_waiting_job_reaches_it_when_it_starts(runner, tmp_path):
    active, waiting = tmp_path / "active", tmp_path / "waiting"
    first = runner.submit(LONG, active)
    second = runner.submit(LONG, waiting)
    first_metric(active)
    Control(waiting).send("beta", 3.0)
    Control(waiting).send("stop")
    runner.stop(active)
    assert first.result(PATIENCE_SECONDS).info.status.state == "stopped"
    assert second.result(PATIENCE_SECONDS).info.status.state == "stopped"
    assert Run(waiting).info.status.step <= 1


def test_the_worker_trains_a_family_that_viewers_can_stop(runner, tmp_path):
    active, queued, waiting = (tmp_path / name for name in ("active", "queued", "waiting"))
    runner.submit(LONG, active)  # The worker is kept busy.
    first_metric(active)
    configs = family_configs(SHORT, (0.5, 2.0))
    future = runner.submit_family(configs, queued)
    cancelled = runner.submit_family(configs, waiting)
    assert set(open_sweep(waiting).states().values()) == {"queued"}
    runner.stop(waiting / "beta-2")
    assert cancelled.cancelled()
    runner.stop(active)
    assert future.result(PATIENCE_SECONDS).is_finished()
    assert open_sweep(waiting).states() == dict.fromkeys(configs, "stopped")
    # A member that is submitted by itself takes its family along.
    again = runner.submit(configs["beta-2"], waiting / "beta-2")
    assert again.result(PATIENCE_SECONDS).is_finished()


def test_another_run_at_the_place_is_told_at_once(runner, tmp_path):
    runner.submit(SHORT, tmp_path / "run").result(PATIENCE_SECONDS)
    with pytest.raises(ExplorerError, match="this very training, finished at step 20"):
        runner.submit(SHORT, tmp_path / "run")
    with pytest.raises(ExplorerError, match="holds another run"):
        runner.submit(dataclasses.replace(SHORT, seed=1), tmp_path / "run")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ExplorerError, match="is a file"):
        runner.submit(SHORT, tmp_path / "file")
    wait_until(lambda: runner.jobs() == [])


def test_a_killed_worker_fails_its_run_and_the_next_job_gets_a_fresh_one(runner, tmp_path):
    future = runner.submit(LONG, tmp_path / "run")
    first_metric(tmp_path / "run")
    killed = runner.worker_pid
    os.kill(killed, signal.SIGKILL)
    error = future.exception(PATIENCE_SECONDS)
    assert isinstance(error, ExplorerError) and "ended unexpectedly" in str(error)
    status = Run(tmp_path / "run").info.status
    assert (status.state, status.message) == ("failed", str(error))
    after = runner.submit(SHORT, tmp_path / "next").result(PATIENCE_SECONDS)
    assert after.info.status.state == "finished" and runner.worker_pid != killed
    # What the killed one had reached is still there, and is gone on with.
    again = runner.submit(LONG, tmp_path / "run")
    wait_until(lambda: state(tmp_path / "run") == "running")
    runner.stop(tmp_path / "run")
    assert again.result(PATIENCE_SECONDS).info.status.state == "stopped"


def test_a_worker_killed_while_idle_is_replaced_unseen(runner, tmp_path):
    wait_until(lambda: runner.worker_pid)
    os.kill(runner.worker_pid, signal.SIGKILL)
    run = runner.submit(SHORT, tmp_path / "run").result(PATIENCE_SECONDS)
    assert run.info.status.state == "finished"


def remove(path):
    """Delete a folder while somebody may be writing there."""

    def is_gone():
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()

    wait_until(is_gone)


def test_a_deleted_folder_ends_its_job_and_does_not_come_back(runner, tmp_path):
    worker = wait_until(lambda: runner.worker_pid)
    running = runner.submit(LONG, tmp_path / "running")
    first_metric(tmp_path / "running")
    waiting = runner.submit(SHORT, tmp_path / "waiting")
    remove(tmp_path / "waiting")
    remove(tmp_path / "running")
    for future in (running, waiting):
        assert "was removed" in str(future.exception(PATIENCE_SECONDS))
    assert runner.submit(SHORT, tmp_path / "next").result(PATIENCE_SECONDS).id == "next"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["next"]
    assert runner.worker_pid == worker


def test_a_closed_runner_lets_the_job_at_hand_end_and_leaves_the_rest_queued(tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "BEAT_SECONDS", 0.05)
    runner = LocalRunner()
    config = dataclasses.replace(SHORT, budget=BudgetConfig(steps=1000))
    first = runner.submit(config, tmp_path / "first")
    second = runner.submit(SHORT, tmp_path / "second")
    queued_at = Run(tmp_path / "second").info.status.heartbeat
    first_metric(tmp_path / "first")
    wait_until(lambda: Run(tmp_path / "second").info.status.heartbeat > queued_at)
    runner.close()
    assert first.result(PATIENCE_SECONDS).info.status.state == "finished"
    assert second.cancelled() and state(tmp_path / "second") == "queued"
    with pytest.raises(ExplorerError, match="closed"):
        runner.submit(SHORT, tmp_path / "third")
    wait_until(lambda: runner.worker_pid is None)


def test_a_killed_server_loses_nothing(runner, tmp_path):
    """Kill −9 of the server: its job ends by itself, and the next server finds the queued one."""
    config = dataclasses.replace(SHORT, budget=BudgetConfig(steps=1000))
    configs = {"first": config.to_dict(), "second": SHORT.to_dict()}
    (tmp_path / "configs.json").write_text(json.dumps(configs), encoding="utf-8")
    code = (
        "import json, sys, time; from pathlib import Path\n"
        "from explorer.config import Config; from explorer.jobs.queue import LocalRunner\n"
        "folder = Path(sys.argv[1]); runner = LocalRunner()\n"
        "for name, values in json.loads((folder / 'configs.json').read_text()).items():\n"
        "    runner.submit(Config.from_dict(values), folder / name)\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert present(server.stdout).readline() == "ready\n"
        first_metric(tmp_path / "first")
        server.kill()
    wait_until(lambda: state(tmp_path / "first") == "finished")
    runs = [Run(tmp_path / "second"), Run(tmp_path / "first")]
    assert runs[0].info.status.shown_state() == "interrupted"
    assert [run.path.name for run in find_abandoned(runs)] == ["second"]
    again = runner.submit(SHORT, tmp_path / "second").result(PATIENCE_SECONDS)
    assert again.info.status.state == "finished"


# Two servers on one folder


def take_over(path, state, monkeypatch):
    """Let another living process, here our parent, be the one that writes the run's status."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", os.getppid)
        mark_run(path, state, step=7)


@pytest.mark.parametrize("state", ["running", "paused", "finished", "stopped"])
def test_what_another_server_has_taken_up_keeps_its_status(tmp_path, monkeypatch, state):
    """Its own sign of life, a stop and a failure here leave alone what is trained elsewhere."""
    job = Job(SHORT, RunWriter(tmp_path / "run", config=SHORT, model_kind="config").path)
    job.mark("queued")
    assert Run(job.directory).info.status.pid == os.getpid()
    take_over(job.directory, state, monkeypatch)
    before = Run(job.directory).info.status
    for mine in ("queued", "stopped", "failed"):
        job.mark(mine, "Not so.", worker=os.getpid())
    assert Run(job.directory).info.status == before


def test_the_run_of_ones_own_worker_or_of_a_dead_one_is_marked(tmp_path, monkeypatch):
    job = Job(SHORT, RunWriter(tmp_path / "run", config=SHORT, model_kind="config").path)
    take_over(job.directory, "running", monkeypatch)
    job.mark("failed", "It was mine.", worker=os.getppid())
    assert Run(job.directory).info.status.message == "It was mine."
    mark_run(job.directory, "running")
    die(job.directory)
    job.mark("failed", "It is dead.")
    assert Run(job.directory).info.status.message == "It is dead."


def test_a_job_that_another_server_trains_fails_here_alone(runner, tmp_path, monkeypatch):
    """The worker refuses it, and the other's status stays."""
    first = runner.submit(LONG, tmp_path / "first")
    second = runner.submit(SHORT, tmp_path / "second")
    take_over(tmp_path / "second", "running", monkeypatch)
    # A job that waits is cancelled; this one is to be stopped while it trains.
    wait_until(lambda: Run(tmp_path / "first").info.status.state == "running")
    runner.stop(tmp_path / "first")
    with pytest.raises(ExplorerError, match="being trained right now"):
        second.result(PATIENCE_SECONDS)
    assert first.result(PATIENCE_SECONDS).info.status.state == "stopped"
    status = Run(tmp_path / "second").info.status
    assert (status.state, status.pid, status.step) == ("running", os.getppid(), 7)


def test_a_family_that_another_server_trains_is_not_queued(runner, tmp_path, monkeypatch):
    configs = family_configs(SHORT, (0.5, 2.0))
    prepare_sweep(tmp_path / "family", "family", configs)
    for name, config in configs.items():
        RunWriter(tmp_path / "family" / name, config=config, model_kind="config")
    take_over(tmp_path / "family" / "beta-2", "running", monkeypatch)
    with pytest.raises(ExplorerError, match="being trained right now"):
        runner.submit_family(configs, tmp_path / "family")
    assert Run(tmp_path / "family" / "beta-2").info.status.step == 7
