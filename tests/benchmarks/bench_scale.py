"""Cost against size: images trained on, codes diagnosed and embedded, small runs of a sweep.

Each size in a process of its own, so that one's memory is not the next one's. The map's sizes are
`bench_map`'s.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig

SHAPE = (1, 28, 28)
LATENTS = 50
SECONDS = 8.0
SWEEP_STEPS = 1500
SIZES = [10_000, 100_000, 1_000_000]
ROUNDS = 5
"""Trainings that one of a sweep is held against."""


def main(quick: bool = False) -> None:
    sizes = SIZES[:2] if quick else SIZES
    jobs = [("train", size) for size in sizes] + [("diagnose", size) for size in sizes]
    jobs += [("embed", size) for size in ((1_000, 3_000) if quick else (3_000, 10_000, 100_000))]
    print("| job | size | s | CPU-s | ms each | array, MB | more memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for task, size in jobs:
        found = apart(task, size)
        each = 1000 * found["seconds"] / found["items"]
        print(
            f"| {JOBS[task]} | {size:,} | {found['seconds']:.1f} | {found['cpu']:.1f} | {each:.3g} "
            f"| {found['array']:,.0f} | {found['megabytes']:,.0f} |",
            flush=True,
        )
    print("\nA sweep of small runs on a Dask cluster of this machine, one core a worker")
    print("| runs | s, one worker | s, two | ratio | s a run over the training | CPU-s, as much |")
    print("|---|---|---|---|---|---|")
    for runs in (4,) if quick else (10, 50):
        one, two = (apart("sweep", runs, workers) for workers in (1, 2))
        print(
            f"| {runs} | {one['seconds']:.1f} | {two['seconds']:.1f} "
            f"| {one['seconds'] / two['seconds']:.2f} | {one['overhead']:.2f} | {one['cpu']:.2f} |",
            flush=True,
        )


def apart(task: str, *numbers: int) -> dict[str, float]:
    """Return what one of TASKS finds in a new process."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_scale", task, *map(str, numbers)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def train_on(size: int) -> dict[str, float]:
    """Train on so many images that are a kept data set, which is mapped from the disk."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.bench_scale", "keep", folder, str(size)],
            check=True,
        )
        from explorer.training.loop import train

        config = Config(
            dataset="scale",
            model=ModelConfig(hidden=(400,), latent_dim=20),
            objective=ObjectiveConfig(),
            budget=BudgetConfig(seconds=SECONDS),
        )
        first = replace(config, dataset="digits", budget=BudgetConfig(steps=50))
        train(first, Path(folder) / "first")  # Imports.
        before, cpu = memory(), time.process_time()
        run = train(config, Path(folder) / "run", data_root=folder)
        last = run.metrics()[-1]
        return {
            "items": last["step"] * config.optimiser.batch_size,
            "seconds": last["seconds"],
            "cpu": time.process_time() - cpu,
            "megabytes": (memory() - before) / 1e6,
            "array": size * np.prod(SHAPE) / 1e6,
        }


def keep(folder: str, size: int) -> None:
    """Keep a data set of so many drawings of noise in a data folder."""
    from explorer.datasets import ImageDataset
    from explorer.datasets.own.store import keep_images

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (size, *SHAPE), dtype=np.uint8)
    dataset = ImageDataset.from_arrays(pixels, name="scale")
    keep_images(dataset, "scale", data_root=folder)


def diagnose(size: int) -> dict[str, float]:
    """Diagnose so many codes, of which half of the dimensions sleep."""
    from explorer.analysis.collapse.diagnose import diagnose_codes

    rng = np.random.default_rng(0)
    awake = np.arange(LATENTS) < LATENTS // 2
    mean = np.where(awake, rng.normal(0, 0.95, (size, LATENTS)), 0).astype(np.float32)
    logvar = np.where(awake, np.log(0.1), 0.0) * np.ones((size, 1))
    diagnose_codes(mean[:1000], logvar[:1000])  # Imports.
    with measured(size, mean.nbytes + logvar.nbytes) as found:
        diagnose_codes(mean, logvar)
    return found


def embed(size: int) -> dict[str, float]:
    """Make the t-SNE of so many codes of 20 dimensions, in ten clusters."""
    from explorer.export.tsne import project

    os.environ["GOMP_SPINCOUNT"] = "0"  # As the app has it; read when openTSNE loads.
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (10, 20))
    mean = (centres[rng.integers(0, 10, size)] + rng.normal(0, 0.5, (size, 20))).astype(np.float32)
    project(mean[:100])  # Imports.
    with measured(size, mean.nbytes) as found:
        project(mean)
    return found


@contextmanager
def measured(items: int, array: int) -> Iterator[dict[str, float]]:
    """Fill in what the block took for so many items, whose array has so many bytes."""
    found: dict[str, float] = {"items": items, "array": array / 1e6}
    before, cpu, began = memory(), time.process_time(), time.perf_counter()
    yield found
    found["seconds"] = time.perf_counter() - began
    found["cpu"] = time.process_time() - cpu
    found["megabytes"] = (memory() - before) / 1e6


def sweep(runs: int, workers: int) -> dict[str, float]:
    """Train so many small runs on a cluster whose workers have trained before."""
    import torch
    from distributed import Client, LocalCluster

    from explorer.jobs.sweep import run_sweep, sweep_configs
    from explorer.training.loop import train

    torch.set_num_threads(1)  # As a worker has it.
    budget = BudgetConfig(steps=SWEEP_STEPS)
    base = Config(dataset="digits", model=ModelConfig(hidden=(128,)), budget=budget, device="cpu")
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        home, address = Path(folder), cluster.scheduler_address
        run_sweep(sweep_configs(base, seeds=range(2)), home / "warm", scheduler=address)
        train(base, home / "first")
        alone = []
        for n in range(ROUNDS):
            cpu, began = time.process_time(), time.perf_counter()
            train(base, home / f"alone-{n}")
            alone.append((time.perf_counter() - began, time.process_time() - cpu))
        seconds_alone, cpu_alone = np.median(alone, axis=0)
        with Client(address) as client:
            cpu, began = _cpu_of(client), time.perf_counter()
            run_sweep(sweep_configs(base, seeds=range(runs)), home / "sweep", scheduler=address)
            seconds, cpu = time.perf_counter() - began, _cpu_of(client) - cpu
    return {
        "seconds": seconds,
        "overhead": workers * seconds / runs - seconds_alone,
        "cpu": cpu / runs - cpu_alone,
    }


def _cpu_of(client: Any) -> float:
    """Return the CPU-seconds of the workers and of this process, where the scheduler runs."""
    return time.process_time() + sum(client.run(time.process_time).values())


def memory() -> int:
    """Return the most resident memory that this process had, in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


JOBS = {
    "train": "update of an image, 784-400-20, batch 128, mapped from the disk",
    "diagnose": f"diagnosis of codes, {LATENTS} dimensions",
    "embed": "t-SNE of codes, 20 dimensions",
}
TASKS: dict[str, Any] = {"train": train_on, "diagnose": diagnose, "embed": embed, "sweep": sweep}

if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(sys.argv[2], int(sys.argv[3]))
    else:
        print(json.dumps(TASKS[sys.argv[1]](*map(int, sys.argv[2:]))))
