"""The wheel, unpacked elsewhere and started in an empty folder, in a real browser."""

import pytest

from tests.browser.conftest import Server
from tests.test_packaging import installed  # noqa: F401

pytestmark = pytest.mark.browser


def test_the_installed_app_opens_with_its_theme(installed, page, tmp_path):  # noqa: F811
    (tmp_path / "runs").mkdir()
    server = Server(tmp_path / "runs", PYTHONPATH=str(installed))
    try:
        page.goto(f"{server.url}/runs")
        row = page.locator(".desk tr[data-id='mnist-2d']")
        row.wait_for(timeout=120_000)  # Of a server that has only just begun.
        ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
        assert page.evaluate(ground) == "rgb(251, 251, 250)"
        size = "getComputedStyle(document.documentElement).fontSize"
        assert page.evaluate(size) == "15px"
        page.goto(server.url)
        host = page.locator(".st-key-explore_map [data-testid=stBidiComponentIsolated]")
        host.get_by_text("mnist-2d").first.wait_for(state="attached")
        primary = "node => getComputedStyle(node).getPropertyValue('--st-primary-color')"
        assert host.evaluate(primary) == "#3a4560"
    finally:
        server.stop()
