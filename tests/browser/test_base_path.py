"""The app below a path of its host, as a proxy or a Jupyter server has it."""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Server
from tests.browser.explore_page import ExplorePage

pytestmark = pytest.mark.browser

BASE = "/user/ada/vae"


@pytest.fixture(scope="module")
def below(tmp_path_factory):
    """A server below BASE, which answers on no other path."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "runs").mkdir()
    server = Server(
        folder / "runs",
        flags="--port {port} --no-browser --base-path " + BASE,
        health=f"{BASE}/_stcore/health",
        LATENT_EXPLORER_CACHE=str(folder / "cache"),
    )
    yield server
    server.stop()


def test_explore_opens_without_its_slash_and_asks_for_nothing_above(below, page):
    answers: list[tuple[int, str]] = []

    def note(told):
        if told.url.startswith("http"):  # Not what the page hands itself as a blob.
            answers.append((told.status, urlsplit(told.url).path))

    page.on("response", note)
    explore = ExplorePage(page, f"{below.url}{BASE}?model=mnist-2d")
    assert urlsplit(page.url).path == f"{BASE}/" and "model=mnist-2d" in page.url
    assert explore.errors == []
    assert [path for _, path in answers if not path.startswith(BASE)] == []
    assert [answer for answer in answers if answer[0] >= 400] == []
    payloads = {path for _, path in answers if "/payload/" in path}
    assert payloads, "the map's numbers came by their own route"

    page.get_by_role("link", name="Learn", exact=True).first.click()
    page.wait_for_url(f"**{BASE}/learn*")
    page.get_by_role("heading").first.wait_for()
    assert [path for _, path in answers if not path.startswith(BASE)] == []
