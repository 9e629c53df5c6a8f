"""What the tests of the app share: a queue in which nothing is trained, and a visitor's folder."""

import shutil

import pytest

from tests.jobs.still import still_queue

__all__ = ["still_queue"]


@pytest.fixture
def runs(tmp_path, monkeypatch, tiny_run):
    """The visitor's folder with one good run."""
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    shutil.copytree(tiny_run.path, tmp_path / "good")
    return tmp_path
