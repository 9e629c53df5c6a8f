"""Cost against size: images trained on, codes diagnosed, small runs of a sweep.

Each size in a process of its own, so that one's memory is not the next one's. The map's sizes are
`bench_map`'s.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig

SHAPE = (1, 28, 28)
LATENTS = 50
SECONDS = 8.0
SWEEP_STEPS = 1500


def main(quick: bool = False) -> None:
    sizes = [10_000, 100_000] if quick else [10_000, 100_000, 1_000_000]
    print("784-400-20, batch 128, images mapped from the disk")
    print("| images | images/s | array MB | memory of the process over its start MB | ratio |")
    print("|---|---|---|---|---|")
    for size in sizes:
        found = apart("train", size)
        array = size * np.prod(SHAPE) / 1e6
        print(
            f"| {size:,} | {found['rate']:,.0f} | {array:,.0f} | {found['megabytes']:,.0f} "
            f"| {found['megabytes'] / array:.2f} |",
            flush=True,
        )
    print(f"\nDiagnosis of codes alone, {LATENTS} dimensions")
    print("| codes | s | µs a code | memory over the codes' own MB |\n|---|---|---|---|")
    for size in sizes:
        found = apart("diagnose", size)
        print(
            f"| {size:,} | {found['seconds']:.1f} | {1e6 * found['seconds'] / size:.1f} "
            f"| {found['megabytes']:,.0f} |",
            flush=True,
        )
    print("\nA sweep of small runs on a Dask cluster of this machine, one core a worker")
    print("| runs | s, one worker | s, two | ratio | s a run over the training itself |")
    print("|---|---|---|---|---|")
    for runs in (6,) if quick else (10, 50):
        one, two = (apart("sweep", runs, workers) for workers in (1, 2))
        print(
            f"| {runs} | {one['seconds']:.1f} | {two['seconds']:.1f} "
            f"| {one['seconds'] / two['seconds']:.2f} | {one['overhead']:.2f} |",
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
        before = memory()
        run = train(config, Path(folder) / "run", data_root=folder)
        log = run.metrics()
        last = log[-1]
        return {
            "rate": last["step"] * config.optimiser.batch_size / last["seconds"],
            "megabytes": (memory() - before) / 1e6,
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
    before, began = memory(), time.perf_counter()
    diagnose_codes(mean, logvar)
    return {"seconds": time.perf_counter() - began, "megabytes": (memory() - before) / 1e6}


def sweep(runs: int, workers: int) -> dict[str, float]:
    """Train so many small runs on a cluster whose workers have trained before."""
    import torch
    from distributed import LocalCluster

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
        began = time.perf_counter()
        train(base, home / "alone")
        alone = time.perf_counter() - began
        began = time.perf_counter()
        run_sweep(sweep_configs(base, seeds=range(runs)), home / "sweep", scheduler=address)
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "overhead": workers * seconds / runs - alone}


def memory() -> int:
    """Return the most resident memory that this process had, in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


TASKS: dict[str, Any] = {"train": train_on, "diagnose": diagnose, "sweep": sweep}

if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(sys.argv[2], int(sys.argv[3]))
    else:
        print(json.dumps(TASKS[sys.argv[1]](*map(int, sys.argv[2:]))))
