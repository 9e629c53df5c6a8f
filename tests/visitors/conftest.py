"""A house with two visitors, in which nothing is trained."""

import shutil

import pytest

from explorer.visitors.house import House
from explorer.visitors.limits import Limits
from explorer.visitors.mode import Mode
from tests.jobs.still import still_queue

__all__ = ["still_queue"]


@pytest.fixture
def open_house(tmp_path, monkeypatch):
    """Open a house with some limits."""
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)

    def open_with(**limits):
        mode = Mode("classroom", lecturer="pear", limits=Limits(**limits))
        return House(mode, tmp_path / "runs")

    return open_with


@pytest.fixture
def house(open_house):
    return open_house()


@pytest.fixture
def own_run(tiny_run):
    """Put a trained run into somebody's library."""

    def put(library, name="secret"):
        shutil.copytree(tiny_run.path, library.own.folder / name)
        return library.find(name)

    return put
