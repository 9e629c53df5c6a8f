"""The t-SNE of the codes: in a process of its own, a few at a time, kept."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.export import tsne


def test_tsne_is_computed_in_a_process_and_kept() -> None:
    rng = np.random.default_rng(0)
    mean = np.concatenate([rng.normal(i * 8, 1, (30, 5)) for i in range(2)]).astype(np.float32)
    projection = tsne.Projection("one", mean)
    assert projection.result() is None and not projection.failed()
    projection.start()
    assert projection.process is not None and 0 <= projection.percent() < 100
    assert projection.process.wait(120) == 0
    plane = projection.result()
    assert plane is not None and plane.shape == (60, 2) and np.isfinite(plane).all()
    gap = np.linalg.norm(plane[:30].mean(0) - plane[30:].mean(0))
    assert gap > plane[:30].std(), "the groups lie apart"
    again = tsne.Projection("one", mean)
    again.start()
    assert again.process is None, "kept"


@pytest.fixture
def projections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """A queue whose processes only wait until they are ended; `ask(name, owner)` comes with one."""
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path))
    waiting = [sys.executable, "-c", "input()"]
    begun: list[subprocess.Popen[bytes]] = []

    def start(self: tsne.Projection) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.process = subprocess.Popen(waiting, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        begun.append(self.process)

    monkeypatch.setattr(tsne.Projection, "start", start)
    queue = tsne.ProjectionQueue(limit=2)

    def ask(name: str, owner: str) -> tuple[tsne.Projection, bool]:
        projection = queue.find(name, np.zeros((20, 3)))
        return projection, queue.start(projection, owner)

    yield ask
    for process in begun:
        process.kill()
        process.communicate()


def test_a_visitor_has_one_tsne_at_a_time_and_the_server_a_few(projections) -> None:
    first, begun = projections("one", "ann")
    assert begun and first.is_running()
    assert projections("one", "ann") == projections("one", "ben") == (first, True), "the same one"
    assert not projections("two", "ann")[1], "ann waits for her first"
    second, begun = projections("two", "ben")
    assert begun and not projections("three", "eve")[1], "two are all that the server makes"
    first.process.kill()
    first.process.wait()
    assert projections("three", "eve")[1] and second.is_running()


def test_a_tsne_that_failed_is_told_and_not_begun_again(projections) -> None:
    first, _ = projections("one", "ann")
    first.process.kill()
    first.process.wait()
    assert projections("two", "ann")[1]
    assert projections("one", "ann") == (first, True) and first.failed()


def test_one_seed_gives_one_tsne_and_says_how_far_it_is() -> None:
    mean = np.random.default_rng(0).normal(0, 1, (40, 4))
    heard: list[float] = []
    plane = tsne.project(mean, seed=3, report=heard.append)
    assert heard == sorted(heard) and heard[0] < 0.1 and heard[-1] == 1
    assert np.array_equal(plane, tsne.project(mean, seed=3))
    assert not np.array_equal(plane, tsne.project(mean, seed=4))
