"""t-SNE of a run's codes, in a process of its own, kept in the user's cache.

`python -m explorer.export.tsne CODES.npz OUT.npz` computes one; `Projection` starts it and tells
how far it is.
"""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ExplorerError
from explorer.files import read_json, replace_json
from explorer.paths import PACKAGE, cache_folder
from explorer.training.machine import WORKER_NICENESS, step_back

MAX_CODES = 10_000
EARLY_ITERATIONS = 250
ITERATIONS = 500
REPORT_EVERY = 10
THREADS = 2
ALONE = 3000
"""Codes up to which one thread is as fast: threads that wait for each other 750 times cost more."""

FEW = 500
"""Codes up to which a tree costs less than a grid."""

AT_ONCE = 2
"""Projections that a server makes at a time, whoever asks."""

Array = NDArray[Any]


class Projection:
    """One t-SNE: where it will lie, and the process that makes it."""

    def __init__(self, fingerprint: str, mean: Array) -> None:
        key = hashlib.sha256(f"{fingerprint} {mean.shape}".encode()).hexdigest()[:24]
        self.path = cache_folder() / "tsne" / f"{key}.npz"
        self.mean = mean
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin in the background, unless it is there or under way."""
        if self.path.is_file() or self.is_running():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        source = self.path.with_suffix(".codes.npy")
        np.save(source, self.mean)
        command = [sys.executable, "-m", "explorer.export.tsne", str(source), str(self.path)]
        root = str(PACKAGE.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        # Threads that spin while they wait take the cores from whoever else needs them.
        threads = {"OMP_NUM_THREADS": str(THREADS), "GOMP_SPINCOUNT": "0"}
        self.process = subprocess.Popen(command, env={**os.environ, **threads, "PYTHONPATH": path})

    def is_running(self) -> bool:
        """Tell whether the process is at it."""
        return self.process is not None and self.process.poll() is None

    def percent(self) -> int:
        """Return how many of a hundred iterations are done, 0 to 99."""
        try:
            done = float(read_json(_progress_file(self.path)))
        except (ExplorerError, OSError, ValueError):
            return 0
        return min(99, int(100 * done))

    def failed(self) -> bool:
        """Tell whether the process ended without a result."""
        ended = self.process is not None and self.process.poll() is not None
        return ended and not self.path.is_file()

    def result(self) -> Array | None:
        """Return the plane's coordinates (N, 2), None while there are none."""
        if not self.path.is_file():
            return None
        with np.load(self.path) as archive:
            plane: Array = archive["plane"]
        return plane


class ProjectionQueue:
    """Projections of all visitors: each has one at a time, and the server a few.

    Who asks for another waits, and asks again; it is held by the process and by no cache, which any
    visitor may have cleared. Visitors who ask for the same wait for the same process.
    """

    def __init__(self, limit: int = AT_ONCE) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._begun: dict[Path, tuple[Projection, str]] = {}

    def find(self, fingerprint: str, mean: Array) -> Projection:
        """Return the t-SNE of codes, the one under way where it is."""
        asked = Projection(fingerprint, mean)
        with self._lock:
            return self._begun.get(asked.path, (asked, ""))[0]

    def start(self, projection: Projection, owner: str) -> bool:
        """Begin a t-SNE if it is its visitor's turn; tells whether it is begun, there or failed."""
        with self._lock:
            if projection.path in self._begun or projection.path.is_file():
                return True
            owners = [by for begun, by in self._begun.values() if begun.is_running()]
            if owner in owners or len(owners) >= self.limit:
                return False
            projection.start()
            # What failed is remembered, so that nobody begins it again and again.
            kept = {path: one for path, one in self._begun.items() if not path.is_file()}
            self._begun = {**kept, projection.path: (projection, owner)}
            return True


PROJECTIONS = ProjectionQueue()
"""Those of this process."""


def project(mean: Array, seed: int = 0, report: Callable[[float], None] | None = None) -> Array:
    """Return a t-SNE (N, 2) of codes (N, K), scaled to a spread of 1.

    By openTSNE (Poličar, Stražar and Zupan 2024) from exact neighbours: Barnes–Hut for few codes,
    forces on a grid for many. More than 10,000 codes are placed at the nearest of 10,000 that were
    embedded. `report` hears what part of the iterations is done. One seed gives one map.
    """
    from openTSNE import TSNE

    from explorer.export.repulsion import GridRepulsion

    rng = np.random.default_rng(seed)
    count = len(mean)
    chosen = np.arange(count)
    if count > MAX_CODES:
        chosen = np.sort(rng.choice(count, MAX_CODES, replace=False))
    calls = 0

    def tell(iteration: int, error: float, embedding: Array) -> None:
        nonlocal calls
        calls += 1
        if report:
            report(calls * REPORT_EVERY / (EARLY_ITERATIONS + ITERATIONS))

    embedding = np.asarray(
        TSNE(
            perplexity=min(30.0, max(2.0, (len(chosen) - 1) / 4)),
            early_exaggeration_iter=EARLY_ITERATIONS,
            n_iter=ITERATIONS,
            neighbors="exact",
            negative_gradient_method=GridRepulsion() if len(chosen) > FEW else "bh",
            random_state=seed,
            n_jobs=THREADS if len(chosen) > ALONE else 1,
            callbacks=tell,
            callbacks_every_iters=REPORT_EVERY,
        ).fit(np.asarray(mean[chosen], np.float64))
    )
    embedding = (embedding - embedding.mean(0)) / embedding.std()
    if count > MAX_CODES:
        from sklearn.neighbors import NearestNeighbors

        index = NearestNeighbors(n_neighbors=1).fit(mean[chosen])
        embedding = embedding[index.kneighbors(mean, return_distance=False)[:, 0]]
    return np.asarray(embedding, np.float32)


def main(source: str, target: str) -> None:
    """Compute and write whole, so that a reader never sees half a file."""
    step_back(WORKER_NICENESS)
    progress = _progress_file(Path(target))
    plane = project(np.load(source), report=lambda done: replace_json(progress, done))
    part = Path(target).with_suffix(".part.npz")
    np.savez(part, plane=plane)
    os.replace(part, target)
    Path(source).unlink(missing_ok=True)
    progress.unlink(missing_ok=True)


def _progress_file(path: Path) -> Path:
    return path.with_suffix(".progress")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
