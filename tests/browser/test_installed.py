"""The wheel, unpacked elsewhere and started in an empty folder, in a real browser."""

from urllib.parse import urlsplit

import pytest

from tests.browser.test_base_path import BASE, Heard, serve_below
from tests.test_packaging import installed  # noqa: F401

pytestmark = pytest.mark.browser


def test_the_installed_app_opens_with_its_theme_and_below_a_path(installed, page, tmp_path):  # noqa: F811
    """Without the path's last slash, as a proxy or a Jupyter server may call it."""
    (tmp_path / "runs").mkdir()
    server = serve_below(tmp_path / "runs", PYTHONPATH=str(installed))
    heard = Heard(page)
    try:
        page.goto(f"{server.url}{BASE}?model=mnist-2d")
        host = page.locator(".st-key-explore_map [data-testid=stBidiComponentIsolated]")
        # Of a server that has only just begun.
        host.get_by_text("mnist-2d").first.wait_for(state="attached", timeout=120_000)
        assert urlsplit(page.url).path == f"{BASE}/" and "model=mnist-2d" in page.url
        primary = "node => getComputedStyle(node).getPropertyValue('--st-primary-color')"
        assert host.evaluate(primary) == "#3a4560"
        page.get_by_role("link", name="Runs", exact=True).first.click()
        page.wait_for_url(f"**{BASE}/runs*")
        page.locator(".desk tr[data-id='mnist-2d']").wait_for(timeout=120_000)
        ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
        assert page.evaluate(ground) == "rgb(251, 251, 250)"
        size = "getComputedStyle(document.documentElement).fontSize"
        assert page.evaluate(size) == "15px"
        heard.check()
    finally:
        server.stop()
