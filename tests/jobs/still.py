"""A queue in which nothing is trained, for tests that ask no more than that a job is in it."""

import pytest


@pytest.fixture(autouse=True)
def still_queue(monkeypatch):
    """Jobs wait for ever."""
    from explorer.jobs import host
    from explorer.jobs.queue import LocalRunner

    monkeypatch.setattr(LocalRunner, "_serve", lambda self: None)
    monkeypatch.setattr(host, "_runner", None)
    monkeypatch.setattr(host, "_left", [])
    yield
    if host._runner is not None:
        host._runner.close()
