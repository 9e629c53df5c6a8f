"""The wheel, unpacked elsewhere and started in an empty folder, in a real browser."""

import pytest

from tests.browser.conftest import Server
from tests.test_packaging import installed  # noqa: F401

pytestmark = pytest.mark.browser


def test_the_installed_app_opens_with_its_theme(installed, page, tmp_path):  # noqa: F811
    (tmp_path / "runs").mkdir()
    server = Server(tmp_path / "runs", PYTHONPATH=str(installed))
    try:
        page.goto(f"{server.url}/train")
        start = page.get_by_role("button", name="Start", exact=True)
        start.wait_for(timeout=120_000)  # Of a server that has only just begun.
        colour = start.evaluate("node => getComputedStyle(node).backgroundColor")
        assert colour == "rgb(58, 69, 96)"
        page.goto(server.url)
        page.get_by_text("mnist-2d").first.wait_for(state="attached")
    finally:
        server.stop()
