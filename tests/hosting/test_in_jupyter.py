"""The app in a Jupyter server, which jupyter-server-proxy starts below a path of its own."""

import json
import urllib.request

import pytest

from tests.browser.explore_page import ExplorePage

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_the_proxy_knows_the_app(lab):
    with urllib.request.urlopen(f"{lab.url}/server-proxy/servers-info", timeout=10) as answer:
        servers = json.load(answer)["server_processes"]
    (ours,) = (server for server in servers if server["name"] == "latent-explorer")
    assert ours["launcher_entry"]["title"] == "Latent Explorer"
    assert ours["launcher_entry"]["enabled"]


def test_the_launcher_has_a_tile(lab, page):
    page.goto(f"{lab.url}/lab?reset")
    page.locator(".jp-LauncherCard", has_text="Latent Explorer").wait_for()


def test_explore_opens_below_the_servers_path(lab, page):
    explore = ExplorePage(page, f"{lab.url}/latent-explorer/?model=mnist-2d")
    assert explore.errors == []
    page.get_by_role("link", name="Learn", exact=True).first.click()
    page.wait_for_url("**/latent-explorer/learn*")
    page.get_by_role("heading").first.wait_for()
