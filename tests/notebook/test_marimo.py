"""`explorer.show` in a real marimo: the map moves there, and Python hears of z."""

import os
import sys

import pytest

from tests.serving import Served, free_port

pytestmark = [pytest.mark.integration, pytest.mark.browser]

NOTEBOOK = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import explorer
    import marimo as mo

    widget = mo.ui.anywidget(explorer.show("mnist-2d"))
    widget
    return mo, widget


@app.cell
def _(mo, widget):
    mo.plain_text("z is " + ", ".join(f"{value:.3f}" for value in widget.value["z"]))
    return


if __name__ == "__main__":
    app.run()
"""
STARTUP_SECONDS = 90


@pytest.fixture
def address(tmp_path):
    """The address of a marimo that runs the notebook as an app."""
    (tmp_path / "shown.py").write_text(NOTEBOOK, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", "shown.py", "--headless", "--no-token"]
    server = Served(
        [*command, "--port", str(port)],
        "/health",
        port,
        environment={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        folder=tmp_path,
        log=tmp_path / "marimo.log",
        seconds=STARTUP_SECONDS,
    )
    yield server.url
    server.stop()


def test_a_click_on_the_map_tells_python_z(address, page):
    page.goto(address)
    overlay = page.locator(".in-notebook .map canvas.overlay")
    overlay.wait_for()
    page.locator(".in-notebook .map").click(position={"x": 150, "y": 120})
    page.wait_for_timeout(500)
    z = page.locator(".in-notebook").evaluate(
        "(root) => Array.from(root.explorer.store.state.z, (value) => value.toFixed(3)).join(', ')"
    )
    page.get_by_text(f"z is {z}").wait_for()
