"""`explorer.show` in a real marimo: the map moves there, and Python hears of z."""

import os
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.browser.conftest import _free_port

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
    address = f"http://127.0.0.1:{(port := _free_port())}"
    command = [sys.executable, "-m", "marimo", "run", "shown.py", "--headless", "--no-token"]
    with open(tmp_path / "marimo.log", "wb") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()
                break
            except OSError:
                assert time.monotonic() < deadline and server.poll() is None
                time.sleep(0.1)
        yield address
        server.terminate()
        server.wait(15)


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
