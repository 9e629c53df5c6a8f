"""Many runs, each by itself: on local processes, or on a Dask cluster that is already there.

Both are reached through one seam of the shape of `concurrent.futures`. All state lies in the run
directories: a sweep that was killed is run again, and goes on where each of its runs stood.
"""

import contextlib
import dataclasses
import itertools
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from pathlib import Path
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.runs.run import Run
from explorer.runs.sweeps import Sweep, prepare_sweep
from explorer.runs.writer import mark_run
from explorer.training.machine import SWEEP_NICENESS, one_thread, step_back

ATTEMPTS = 3
"""How often a run is begun anew after its worker died."""
CONNECT_SECONDS = 8
TICK_SECONDS = 0.5
LARGEST_SWEEP = 2000

Progress = Callable[[Sweep], None]


def sweep_configs(
    config: Config,
    betas: Sequence[float] = (),
    latent_dims: Sequence[int] = (),
    seeds: Sequence[int] = (),
) -> dict[str, Config]:
    """Return the grid's configs by member name; what is not given stays as in `config`.

    >>> list(sweep_configs(Config(), betas=(0.5, 2.0), seeds=(0, 1)))
    ['beta-0.5-seed-0', 'beta-0.5-seed-1', 'beta-2-seed-0', 'beta-2-seed-1']
    """
    configs: dict[str, Config] = {}
    axes: list[Sequence[Any]] = [axis or [None] for axis in (betas, latent_dims, seeds)]
    grid = itertools.product(*axes)
    for beta, latent_dim, seed in grid:
        member, parts = config, []
        if beta is not None:
            objective = dataclasses.replace(config.objective, beta=beta)
            member = dataclasses.replace(member, objective=objective)
            parts.append(f"beta-{beta:g}")
        if latent_dim is not None:
            model = dataclasses.replace(config.model, latent_dim=latent_dim)
            member = dataclasses.replace(member, model=model)
            parts.append(f"latents-{latent_dim}")
        if seed is not None:
            member = dataclasses.replace(member, seed=seed)
            parts.append(f"seed-{seed}")
        configs["-".join(parts) or "run"] = member
    if len(configs) > LARGEST_SWEEP:
        raise ExplorerError(f"A sweep has at most {LARGEST_SWEEP} runs; this one {len(configs)}.")
    return configs


def run_sweep(
    configs: Mapping[str, Config],
    directory: str | os.PathLike[str],
    *,
    data_root: str | os.PathLike[str] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[Sweep, dict[str, str]]:
    """Train every config in a run directory of its name; return the sweep and what failed, by name.

    Runs that are complete are skipped, unfinished ones resumed, and further configs may join an
    earlier sweep in the same folder. `workers` local processes of one thread each share the work,
    by default one per core; `scheduler` is the address of a Dask cluster instead, whose workers
    see the same folders. A worker that dies costs no finished run: its run is begun anew, from its
    last snapshot, up to twice. `progress` hears the sweep twice a second.
    """
    path = Path(directory).resolve()
    if workers is not None and not 1 <= workers <= 256:
        raise ExplorerError(f"The number of workers must be from 1 to 256; it is {workers}.")
    if scheduler is not None:
        connect(scheduler).close()  # A wrong address is told before anything is written.
    sweep = prepare_sweep(path, "sweep", configs, overwrite)
    root = None if data_root is None else str(Path(data_root).resolve())
    names = [name for name, state in sweep.states().items() if state != "finished"]
    failed: dict[str, str] = {}
    for attempt in range(ATTEMPTS):
        if not names:
            break
        count = min(workers or os.cpu_count() or 1, len(names))
        with open_executor(scheduler, count) as executor:
            failed, names = _train_all(sweep, names, executor, root, progress)
        if names and attempt == ATTEMPTS - 1:
            for name in names:
                failed[name] = "The process that trained it died again and again."
                with contextlib.suppress(ExplorerError):
                    mark_run(path / name, "failed", failed[name])
    if progress:
        progress(sweep)
    return sweep, failed


def _train_all(
    sweep: Sweep,
    names: Sequence[str],
    executor: Executor,
    data_root: str | None,
    progress: Progress | None,
) -> tuple[dict[str, str], list[str]]:
    """Return what failed, with its message, and the names of runs whose worker died."""
    futures: dict[Future[None], str] = {}
    failed: dict[str, str] = {}
    lost: list[str] = []
    for name in names:
        config = sweep.configs[name].to_dict()
        try:
            future = executor.submit(train_member, config, str(sweep.path / name), data_root)
        except BrokenExecutor:
            lost.append(name)
        else:
            futures[future] = name
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, TICK_SECONDS, FIRST_COMPLETED)
        for future in done:
            name = futures[future]
            try:
                future.result()
            except ExplorerError as error:
                failed[name] = str(error)
            except ModuleNotFoundError as error:
                failed[name] = f"The worker has no {error.name}: install latent-explorer there."
            except (BrokenExecutor, CancelledError):
                lost.append(name)
            except Exception as error:
                if type(error).__name__ != "KilledWorker":  # Dask's, after its own three tries.
                    raise
                failed[name] = "The worker that trained it died again and again."
        if progress:
            progress(sweep)
    return failed, lost


@contextlib.contextmanager
def open_executor(scheduler: str | None, workers: int) -> Iterator[Executor]:
    """Yield the executor: local processes, or the Dask cluster at `scheduler`."""
    if scheduler is not None:
        with connect(scheduler) as client:
            yield client.get_executor(pure=False)
        return
    executor = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    try:
        yield executor
    except BaseException:
        # Ctrl-C: what has not begun is not begun; the workers end with this process.
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()


def connect(address: str) -> Any:
    """Return a client of the Dask cluster at an address; an ExplorerError where there is none."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ExplorerError(
            "A Dask cluster needs the cluster extra: pip install 'latent-explorer[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise ExplorerError(f"No Dask scheduler answers at {address!r}.") from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        client.close()
        raise ExplorerError(f"The Dask cluster at {address!r} has no workers.") from error
    return client


def train_member(config: dict[str, Any], directory: str, data_root: str | None) -> None:
    """Train one run to its end; this is what a worker executes.

    A run that another process is training is waited for, and taken over if that one falls silent.
    """
    from explorer.training.loop import train

    path = Path(directory)
    # A Dask worker may have several threads, and a model's first weights come from global state.
    with _one_at_a_time, one_thread():
        while _is_alive(path):
            time.sleep(TICK_SECONDS)
        if _state(path) != "finished":
            train(Config.from_dict(config), path, data_root=data_root)


def train_request(request: dict[str, Any]) -> None:
    """Train what the job queue asks for, a run or a family; this is what a cluster executes."""
    from explorer.training.family import train_family

    path, root = Path(request["directory"]), request["data_root"]
    if not request.get("family"):
        train_member(request["config"], str(path), root)
        return
    configs = {name: Config.from_dict(values) for name, values in request["family"].items()}
    with _one_at_a_time, one_thread():
        while any(_is_alive(path / name) for name in configs):
            time.sleep(TICK_SECONDS)
        train_family(configs, path, data_root=root)


_one_at_a_time = threading.Lock()


def _is_alive(path: Path) -> bool:
    if not (path / "run.json").is_file():
        return False
    status = Run(path).info.status
    if status.state == "queued":  # By the queue that asks: its beat is nobody's training.
        return False
    mine = status.pid == os.getpid() and status.host == socket.gethostname()
    return status.is_alive() and not mine


def _state(path: Path) -> str | None:
    return Run(path).info.status.state if (path / "run.json").is_file() else None


def _end_with(parent: int) -> None:
    """End this worker soon after the process that started it, which may have been killed."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(TICK_SECONDS)
        os._exit(1)

    if os.name != "nt":
        threading.Thread(target=look, daemon=True).start()
        step_back(SWEEP_NICENESS)
