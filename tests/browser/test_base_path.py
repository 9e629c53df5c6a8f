"""The app below a path of its host, as a proxy or a Jupyter server has it.

`make test` opens it so in tests/browser/test_installed.py, where a server of its own begins anyway.
"""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Server
from tests.browser.explore_page import ExplorePage

pytestmark = pytest.mark.browser

BASE = "/user/ada/vae"


def serve_below(runs, **environment):
    """Return a server below BASE, which answers on no other path."""
    return Server(
        runs,
        flags="--port {port} --no-browser --base-path " + BASE,
        health=f"{BASE}/_stcore/health",
        **environment,
    )


class Heard:
    """What a page was answered, by status and path."""

    def __init__(self, page):
        self.answers: list[tuple[int, str]] = []
        page.on("response", self._note)

    def _note(self, told):
        if told.url.startswith("http"):  # Not what the page hands itself as a blob.
            self.answers.append((told.status, urlsplit(told.url).path))

    def check(self):
        """Assert that all was asked for below BASE and found, the map's numbers too."""
        assert [path for _, path in self.answers if not path.startswith(BASE)] == []
        assert [answer for answer in self.answers if answer[0] >= 400] == []
        payloads = {path for _, path in self.answers if "/payload/" in path}
        assert payloads, "the map's numbers came by their own route"


@pytest.mark.slow
def test_explore_opens_without_its_slash_and_asks_for_nothing_above(tmp_path, page):
    (tmp_path / "runs").mkdir()
    below = serve_below(tmp_path / "runs", LATENT_EXPLORER_CACHE=str(tmp_path / "cache"))
    heard = Heard(page)
    try:
        explore = ExplorePage(page, f"{below.url}{BASE}?model=mnist-2d")
        assert urlsplit(page.url).path == f"{BASE}/" and "model=mnist-2d" in page.url
        assert explore.errors == []
        heard.check()
        page.get_by_role("link", name="Learn", exact=True).first.click()
        page.wait_for_url(f"**{BASE}/learn*")
        page.get_by_role("heading").first.wait_for()
        heard.check()
    finally:
        below.stop()
