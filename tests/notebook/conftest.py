"""Notebooks in a real JupyterLab and a real Chromium: for the integration tests alone."""

import pytest


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab over a folder of its own."""
    from tests.notebook.lab import Lab

    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def page(chromium):
    """A page of a visitor who was never here before."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()
