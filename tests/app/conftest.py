"""What the tests of the app share: a queue in which nothing is trained, and a visitor's folder."""

import functools
import shutil

import pytest
from streamlit.components.v2 import manifest_scanner

from tests.jobs.still import still_queue

__all__ = ["still_queue"]


class Clock:
    """Tells the seconds that a test has set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session", autouse=True)
def searched_once():
    """What is installed is looked through for components once, as by a server, not for each page.

    It took a quarter of the time of these tests.
    """
    patch = pytest.MonkeyPatch()
    scan = functools.cache(manifest_scanner.scan_component_manifests)
    patch.setattr(manifest_scanner, "scan_component_manifests", scan)
    yield
    patch.undo()


@pytest.fixture
def runs(tmp_path, monkeypatch, tiny_run):
    """The visitor's folder with one good run."""
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    shutil.copytree(tiny_run.path, tmp_path / "good")
    return tmp_path
