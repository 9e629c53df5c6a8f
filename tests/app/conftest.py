"""What the tests of the app share: a queue in which nothing is trained, and a visitor's folder."""

import shutil

import pytest


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Pages that train get a queue in which nothing is trained."""
    from explorer.jobs import host
    from explorer.jobs.queue import LocalRunner

    monkeypatch.setattr(LocalRunner, "_serve", lambda self: None)
    monkeypatch.setattr(host, "_runner", None)
    monkeypatch.setattr(host, "_left", [])
    yield
    if host._runner is not None:
        host._runner.close()


@pytest.fixture
def runs(tmp_path, monkeypatch, tiny_run):
    """The visitor's folder with one good run."""
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    shutil.copytree(tiny_run.path, tmp_path / "good")
    return tmp_path
