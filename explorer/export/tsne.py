"""t-SNE of a run's codes, in a process of its own, kept in the user's cache.

`python -m explorer.export.tsne CODES.npz OUT.npz` computes one; `Projection` starts it and tells
how far it is.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.paths import PACKAGE, cache_folder
from explorer.training.machine import WORKER_NICENESS, step_back

MAX_CODES = 10_000
EXPECTED_SECONDS_PER_CODE = 0.006
"""Of one slow core; only the progress shown before the end depends on it."""

Array = NDArray[Any]


class Projection:
    """One t-SNE: where it will lie, and the process that makes it."""

    def __init__(self, fingerprint: str, mean: Array) -> None:
        key = hashlib.sha256(f"{fingerprint} {mean.shape}".encode()).hexdigest()[:24]
        self.path = cache_folder() / "tsne" / f"{key}.npz"
        self.mean = mean
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def start(self) -> None:
        """Begin in the background, unless it is there or under way."""
        if self.path.is_file() or (self.process and self.process.poll() is None):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        source = self.path.with_suffix(".codes.npy")
        np.save(source, self.mean)
        command = [sys.executable, "-m", "explorer.export.tsne", str(source), str(self.path)]
        root = str(PACKAGE.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        )
        self.started = time.monotonic()

    def percent(self) -> int:
        """Return an estimate of how much is done, 0 to 99."""
        expected = 4 + EXPECTED_SECONDS_PER_CODE * min(len(self.mean), MAX_CODES)
        return int(99 * (1 - np.exp(-(time.monotonic() - self.started) / expected)))

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


def project(mean: Array, seed: int = 0) -> Array:
    """Return a t-SNE (N, 2) of codes (N, K), scaled to a spread of 1.

    More than 10,000 codes are placed at the nearest of 10,000 that were embedded.
    """
    from sklearn.manifold import TSNE

    rng = np.random.default_rng(seed)
    count = len(mean)
    chosen = np.arange(count)
    if count > MAX_CODES:
        chosen = np.sort(rng.choice(count, MAX_CODES, replace=False))
    perplexity = min(30.0, max(2.0, (len(chosen) - 1) / 4))
    embedding = TSNE(
        perplexity=perplexity, init="pca", random_state=seed, max_iter=600, n_jobs=1
    ).fit_transform(np.asarray(mean[chosen], np.float32))
    embedding = (embedding - embedding.mean(0)) / embedding.std()
    if count > MAX_CODES:
        from sklearn.neighbors import NearestNeighbors

        index = NearestNeighbors(n_neighbors=1).fit(mean[chosen])
        embedding = embedding[index.kneighbors(mean, return_distance=False)[:, 0]]
    return np.asarray(embedding, np.float32)


def main(source: str, target: str) -> None:
    """Compute and write whole, so that a reader never sees half a file."""
    step_back(WORKER_NICENESS)
    plane = project(np.load(source))
    part = Path(target).with_suffix(".part.npz")
    np.savez(part, plane=plane)
    os.replace(part, target)
    Path(source).unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
