"""Cost against size: training, the map, diagnosis and sweeps of many runs.

Each size of training and diagnosis has a process of its own, so that its memory is its own. Costs
are CPU-seconds on one thread, but for the map and the sweep, whose seconds are the clock's.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from explorer.config import BudgetConfig, Config, ModelConfig
from tests.benchmarks.bench_map import browser, measure_points

UPDATES = 400
LATENTS = 50
MEGABYTE = 1 << 20


def main(quick: bool = False) -> None:
    sizes = [10_000, 100_000] if quick else [10_000, 100_000, 1_000_000]
    print("| training images, memory-mapped | array MB | more memory MB | images per CPU-s |")
    print("|---|---|---|---|")
    for count in sizes:
        found = _alone("learn", count)
        print(
            f"| {count:,} | {found['array']:.0f} | {found['memory']:.0f} "
            f"| {UPDATES * 128 / found['seconds']:,.0f} |",
            flush=True,
        )
    print(
        f"\n| codes × {LATENTS} diagnosed | array MB | more memory MB | CPU-s |\n|---|---|---|---|"
    )
    for count in sizes:
        found = _alone("diagnose", count)
        cells = f"{found['array']:.0f} | {found['memory']:.0f} | {found['seconds']:.2f}"
        print(f"| {count:,} | {cells} |", flush=True)
    print()
    sweep_on_dask(10 if quick else 50)
    print()
    with browser() as chromium:
        measure_points(chromium, sizes if quick else [*sizes, 3_000_000])


def _alone(task: str, count: int) -> dict[str, float]:
    """Return what a process of its own says of one size."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_scale", task, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def learn(count: int) -> dict[str, float]:
    """Train 784-400-2 on `count` images that lie in a file."""
    import torch

    from explorer.datasets import ImageDataset
    from explorer.training.single import SingleEngine

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        shape = (count, 1, 28, 28)
        written = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        rng = np.random.default_rng(0)
        for begin in range(0, count, 10_000):
            written[begin : begin + 10_000] = rng.integers(0, 256, (10_000, *shape[1:]), np.uint8)
        written.flush()
        del written
        config = Config(
            dataset="own", model=ModelConfig(hidden=(400,)), budget=BudgetConfig(steps=UPDATES)
        )
        # What torch itself takes is there before memory is counted.
        small = rng.integers(0, 256, (256, *shape[1:]), np.uint8)
        SingleEngine(config, small, torch.device("cpu")).step(0, UPDATES, [1.0])
        before = _memory("VmRSS")
        dataset = ImageDataset("own", np.load(path, mmap_mode="r"))
        engine = SingleEngine(config, dataset.split("all").images, torch.device("cpu"))
        began = time.process_time()
        for step in range(UPDATES):
            engine.step(step, UPDATES, [1.0])
        seconds = time.process_time() - began
        memory = (_memory("VmHWM") - before) / MEGABYTE
    return {"array": count * 784 / MEGABYTE, "memory": memory, "seconds": seconds}


def diagnose(count: int) -> dict[str, float]:
    """Diagnose `count` codes, half of whose dimensions are collapsed."""
    from explorer.analysis.collapse.diagnose import diagnose_codes

    rng = np.random.default_rng(0)
    used = np.arange(LATENTS) < LATENTS // 2
    mean = rng.normal(size=(count, LATENTS)).astype(np.float32) * used
    logvar = np.broadcast_to(np.where(used, -4, 0).astype(np.float32), mean.shape).copy()
    diagnose_codes(mean[:1000], logvar[:1000])
    before, began = _memory("VmRSS"), time.process_time()
    diagnose_codes(mean, logvar)
    return {
        "array": 2 * mean.nbytes / MEGABYTE,
        "memory": (_memory("VmHWM") - before) / MEGABYTE,
        "seconds": time.process_time() - began,
    }


def sweep_on_dask(runs: int) -> None:
    """Print how long `runs` very short trainings take on one Dask worker and on two."""
    from explorer.jobs.sweep import run_sweep, sweep_configs

    config = Config(
        dataset="digits", model=ModelConfig(hidden=(32,)), budget=BudgetConfig(steps=50)
    )
    spent = {}
    for workers in (1, 2):
        with dask_cluster(workers) as address, tempfile.TemporaryDirectory() as folder:
            # The first run of each worker loads torch.
            warm = sweep_configs(dataclasses.replace(config, seed=999), seeds=range(2 * workers))
            run_sweep(warm, Path(folder) / "warm", scheduler=address)
            began = time.perf_counter()
            _, failed = run_sweep(
                sweep_configs(config, seeds=range(runs)), Path(folder) / "runs", scheduler=address
            )
            spent[workers] = time.perf_counter() - began
            if failed:
                raise SystemExit(f"{len(failed)} runs failed: {next(iter(failed.values()))}")
    print("| Dask workers | runs of 50 updates | seconds | seconds a run | against one worker |")
    print("|---|---|---|---|---|")
    for workers, seconds in spent.items():
        ratio = spent[1] / seconds
        print(f"| {workers} | {runs} | {seconds:.1f} | {seconds / runs:.2f} | {ratio:.2f} |")


@contextmanager
def dask_cluster(workers: int) -> Iterator[str]:
    """A scheduler and its workers, processes of one thread each on the loopback address."""
    from distributed import LocalCluster

    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def _memory(what: str) -> int:
    """Return the bytes that this process has in memory: VmRSS now, VmHWM at most.

    Pages of mapped files are among them.
    """
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    task = {"learn": learn, "diagnose": diagnose}[sys.argv[1]]
    print(json.dumps(task(int(sys.argv[2]))))
