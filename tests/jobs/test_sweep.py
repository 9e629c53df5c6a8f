"""A sweep: one run directory each, on local processes or Dask workers, safe against any death."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from explorer.errors import ExplorerError
from explorer.jobs import sweep as jobs_sweep
from explorer.jobs.sweep import open_executor, run_sweep, sweep_configs
from explorer.runs.sweeps import list_sweeps, open_sweep, prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.training.loop import train
from tests.small_run import make_config
from tests.waiting import wait_until

POSIX = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")


def results(sweep):
    return {name: run.info.results["test"] for name, run in sweep.runs().items()}


def without_times(run):
    return [{**point, "seconds": 0.0} for point in run.metrics()]


@pytest.fixture(scope="module")
def worker():
    """One local worker, a process, for all tests in which none dies, and for the last."""
    with open_executor(None, 1) as executor:
        yield executor


@pytest.fixture(scope="module")
def run_here(worker):
    """Run a sweep on the shared worker."""

    def run(configs, path):
        with pytest.MonkeyPatch.context() as patch:
            shared = contextlib.nullcontext(worker)
            patch.setattr(jobs_sweep, "open_executor", lambda *arguments: shared)
            return run_sweep(configs, path, workers=1)

    return run


@pytest.fixture(scope="module")
def local(tmp_path_factory, run_here):
    path = tmp_path_factory.mktemp("sweeps") / "local"
    sweep, failed = run_here(sweep_configs(make_config(), (0.5, 2.0, 8.0)), path)
    assert not failed
    return sweep


def test_each_point_of_the_grid_is_a_run_of_its_own(local, tmp_path):
    assert list(local.runs()) == ["beta-0.5", "beta-2", "beta-8"]
    assert local.is_finished() and local.grid == {"beta": [0.5, 2.0, 8.0]}
    assert [sweep.path for sweep in list_sweeps(local.path.parent)] == [local.path]
    alone = train(local.configs["beta-2"], tmp_path / "alone")
    elbo = alone.info.results["test"]["elbo"]
    assert results(local)["beta-2"]["elbo"] == pytest.approx(elbo, rel=1e-5)


def test_the_grid_is_a_product_and_its_names_are_unique():
    configs = sweep_configs(make_config(), (1.0, 2.0), (2, 3), (0, 1))
    assert len(configs) == 8
    assert configs["beta-2-latents-3-seed-1"].model.latent_dim == 3
    assert len(sweep_configs(make_config())) == 1
    with pytest.raises(ExplorerError, match="at most 2000 runs"):
        sweep_configs(make_config(), seeds=range(2001))


def test_running_again_skips_what_is_complete_and_more_runs_may_join(local, run_here):
    stamps = {
        name: (run.path / "run.json").stat().st_mtime_ns for name, run in local.runs().items()
    }
    more, failed = run_here(sweep_configs(make_config(), (2.0, 4.0)), local.path)
    assert not failed and more.is_finished()
    assert list(more.runs()) == ["beta-0.5", "beta-2", "beta-8", "beta-4"]
    for name, stamp in stamps.items():
        assert (local.path / name / "run.json").stat().st_mtime_ns == stamp


def test_another_grid_of_the_same_names_is_refused(local):
    with pytest.raises(ExplorerError, match="holds another sweep"):
        run_sweep(sweep_configs(make_config(41), (0.5,)), local.path)


def test_a_run_that_fails_does_not_stop_the_others(tmp_path, run_here):
    configs = sweep_configs(make_config(4), (0.5, 2.0))
    prepare_sweep(tmp_path / "other", "sweep", configs)
    (tmp_path / "other" / "beta-2").mkdir()
    (tmp_path / "other" / "beta-2" / "notes.txt").write_text("mine", encoding="utf-8")
    sweep, failed = run_here(configs, tmp_path / "other")
    assert "holds other files" in failed["beta-2"]
    assert sweep.states() == {"beta-0.5": "finished", "beta-2": "missing"}
    assert (tmp_path / "other" / "beta-2" / "notes.txt").read_text(encoding="utf-8") == "mine"


SLOW_DRIVER = (
    "import json, sys; from explorer.config import Config\n"
    "from explorer.jobs.sweep import run_sweep\n"
    "if __name__ == '__main__':\n"
    "    configs = {k: Config.from_dict(v) for k, v in json.loads(sys.argv[1]).items()}\n"
    "    run_sweep(configs, sys.argv[2], workers=1)\n"
)


@POSIX
def test_a_killed_driver_leaves_no_worker_and_is_run_again(tmp_path, run_here):
    path = tmp_path / "killed"
    configs = sweep_configs(make_config(600), (0.5, 2.0))
    text = json.dumps({name: config.to_dict() for name, config in configs.items()})
    script = tmp_path / "driver.py"
    script.write_text(SLOW_DRIVER, encoding="utf-8")
    driver = subprocess.Popen([sys.executable, str(script), text, str(path)])
    begun = path / "beta-0.5" / "checkpoint.safetensors"
    wait_until(begun.exists)
    pid = open_sweep(path).member("beta-0.5").info.status.pid
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait_until(lambda: not _exists(pid))
    assert not open_sweep(path).is_finished()
    sweep, failed = run_here(configs, path)
    assert sweep.is_finished() and not failed
    alone = train(configs["beta-0.5"], tmp_path / "alone")
    found = sweep.member("beta-0.5").info.results["test"]["elbo"]
    assert found == pytest.approx(alone.info.results["test"]["elbo"], rel=1e-4)


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_absurd_numbers_of_workers_are_refused(tmp_path):
    with pytest.raises(ExplorerError, match="from 1 to 256"):
        run_sweep(sweep_configs(make_config()), tmp_path / "no", workers=0)
    assert not (tmp_path / "no").exists()


def start(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A real scheduler and two workers as processes on the loopback address."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    where = folder / "scheduler.json"
    common = ["--no-dashboard", "--host", "127.0.0.1"]
    its_own = ["--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
    processes = [start("dask_scheduler", *common, "--port", "0", "--scheduler-file", str(where))]
    try:
        # The file is there before what stands in it.
        wait_until(lambda: where.exists() and where.read_bytes().rstrip().endswith(b"}"))
        address = json.loads(where.read_text(encoding="utf-8"))["address"]
        workers = [
            start("dask_worker", address, *common, *its_own, "--name", name)
            for name in ("one", "two")
        ]
        processes += workers
        yield address, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def same_as_local(sweep, local):
    for name, run in local.runs().items():
        assert results(sweep)[name] == results(local)[name]
        assert without_times(sweep.member(name)) == without_times(run)


@pytest.mark.slow
def test_dask_workers_give_the_results_of_local_ones(local, cluster, tmp_path):
    sweep, failed = run_sweep(local.configs, tmp_path / "dask", scheduler=cluster[0])
    assert not failed and sweep.is_finished()
    same_as_local(sweep, local)


@POSIX
def test_a_killed_dask_worker_costs_no_run_and_all_have_the_results_of_local_ones(
    cluster, tmp_path, run_here
):
    address, workers = cluster
    path = tmp_path / "lost"
    pids = {worker.pid: worker for worker in workers}
    killed: list[int] = []

    def kill_one(sweep):
        for run in sweep.runs().values():
            pid = run.info.status.pid
            begun = (run.path / "checkpoint.safetensors").exists()
            if not killed and begun and run.info.status.state == "running" and pid in pids:
                os.kill(pid, signal.SIGKILL)
                pids[pid].wait()  # A child that nobody waits for still has its number.
                killed.append(pid)

    configs = sweep_configs(make_config(600), (0.5, 2.0, 8.0))
    sweep, failed = run_sweep(configs, path, scheduler=address, progress=kill_one)
    assert killed and not failed and sweep.is_finished()
    local, _ = run_here({"beta-2": configs["beta-2"]}, tmp_path / "local")
    same_as_local(sweep, local)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "not an address"])
def test_a_wrong_address_is_one_sentence_and_writes_nothing(address, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(jobs_sweep, "CONNECT_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(ExplorerError, match="No Dask scheduler answers at") as caught:
        run_sweep(sweep_configs(make_config()), tmp_path / "no", scheduler=address)
    assert str(caught.value).count("\n") == 0
    assert time.monotonic() - began < 60
    assert not (tmp_path / "no").exists()


def test_the_command_trains_a_family_and_prints_one_json_object(tmp_path, capsys):
    from explorer.cli import main

    out = str(tmp_path / "together")
    command = ["sweep", "--dataset", "digits", "--beta", "0.5", "2", "--steps", "8", "--together"]
    assert main([*command, "--out", out, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["beta"] for row in found["runs"]] == [0.5, 2.0]
    assert {row["state"] for row in found["runs"]} == {"finished"}
    for row in found["runs"]:
        assert row["elbo"] == pytest.approx(-(row["reconstruction"] + row["kl"]))
    assert main([*command, "--latent-dim", "2", "3", "--out", out]) == 2
    assert "objective alone" in capsys.readouterr().err


def test_progress_is_read_from_the_run_directories_alone(tmp_path):
    configs = sweep_configs(make_config(steps=40), betas=(0.5, 1.0, 2.0, 4.0))
    sweep = prepare_sweep(tmp_path / "sweep", "sweep", configs)
    names = list(configs)
    assert [member.state for member in sweep.progress()] == ["missing"] * 4
    assert sweep.is_active(sweep.progress())  # Its workers may be starting.
    train(configs[names[0]], sweep.path / names[0])
    writer = RunWriter(
        sweep.path / names[1], config=configs[names[1]], model_kind="config", planned_steps=40
    )
    writer.set_state("running", step=10)
    failed = RunWriter(sweep.path / names[2], config=configs[names[2]], model_kind="config")
    failed.set_state("failed", "No such images.")
    progress = sweep.progress()
    assert [member.state for member in progress] == ["finished", "running", "failed", "missing"]
    assert [member.part for member in progress] == [1.0, 0.25, 0.0, 0.0]
    assert [(member.step, member.planned) for member in progress[:2]] == [(40, 40), (10, 40)]
    assert progress[2].message == "No such images."
    assert sweep.is_active(progress)


def test_a_sweep_of_which_nobody_has_heard_for_long_is_not_active(tmp_path, monkeypatch):
    configs = sweep_configs(make_config(steps=5), betas=(0.5, 1.0))
    sweep = prepare_sweep(tmp_path / "sweep", "sweep", configs)
    train(configs["beta-0.5"], sweep.path / "beta-0.5")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    assert not sweep.is_active(sweep.progress())
    train(configs["beta-1"], sweep.path / "beta-1")
    monkeypatch.setattr(time, "time", lambda: now)
    assert not sweep.is_active(sweep.progress()) and sweep.is_finished()


@POSIX
def test_a_killed_local_worker_costs_no_run(worker, tmp_path, monkeypatch):
    """The last test of all: it kills the worker that they share, and gets another."""
    executors = iter([contextlib.nullcontext(worker)])
    monkeypatch.setattr(
        jobs_sweep,
        "open_executor",
        lambda *arguments: next(executors, None) or open_executor(*arguments),
    )
    path = tmp_path / "worker"
    killed: list[int] = []

    def kill_once(sweep):
        run = sweep.runs().get("beta-0.5")
        if run and not killed and (run.path / "checkpoint.safetensors").exists():
            killed.append(run.info.status.pid)
            os.kill(killed[0], signal.SIGKILL)

    configs = sweep_configs(make_config(900), (0.5,))
    sweep, failed = run_sweep(configs, path, workers=1, progress=kill_once)
    assert killed and not failed and sweep.is_finished()
    assert sweep.member("beta-0.5").info.status.pid != killed[0]
