"""The app in a real browser: one server and one Chromium for all browser tests."""

import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.serving import Served, free_port
from tests.waiting import POLL_MILLISECONDS, wait_for_script

VIEWPORT = {"width": 1280, "height": 800}
STARTUP_SECONDS = 60

GO = """address => {
  document.querySelectorAll('#root .explorer-lede').forEach((lede) => lede.dataset.left = '');
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}"""
"""Go to another page of the app; each page has a sentence at its head that is its own."""

ARRIVED = """() => document.querySelector('#root .explorer-lede:not([data-left])')
  && !document.querySelector('#root [data-left]')"""


class Server(Served):
    """A running app, and its runs folder."""

    def __init__(
        self,
        runs: Path,
        command: list[str] | None = None,
        flags: str = "--port {port} --no-browser",
        health: str = "/_stcore/health",
        **environment: str,
    ) -> None:
        self.runs = runs
        port = free_port()
        command = command or [sys.executable, "-m", "explorer.cli", "app"]
        super().__init__(
            [*command, *flags.format(port=port).split()],
            health,
            port,
            environment={**os.environ, "LATENT_EXPLORER_RUNS": str(runs), **environment},
            folder=runs,
            log=runs.parent / f"server-{port}.log",
            seconds=STARTUP_SECONDS,
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server with runs and a cache of its own, in which no strokes are ever drawn."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "runs").mkdir()
    server = Server(folder / "runs", LATENT_EXPLORER_CACHE=str(folder / "cache"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def visitor(chromium, server):
    """A browser context with a warm cache, and a still page that keeps its process alive."""
    context = chromium.new_context(
        viewport=VIEWPORT, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(30_000)
    context.new_page().goto(f"{server.url}/_stcore/health")
    yield context
    context.close()


@pytest.fixture
def page(visitor):
    """A new page, that is a session of its own, of a visitor who has been here before."""
    before = visitor.pages
    page = visitor.new_page()
    yield page
    for opened in visitor.pages:
        if opened not in before:
            opened.close()
    # An open page needs the one against forged requests when it sends a file.
    visitor.clear_cookies(name=re.compile("^(?!_streamlit_xsrf$)"))


class Tour:
    """One page of the app for many tests: it goes from address to address as Back does.

    Streamlit is not loaded anew; the script is run, in the same visit, with the page and the query
    of the address. What the console says meanwhile, and what no request found, is kept in `said`.
    """

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.is_spoilt = True
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", self._read)
        page.on("response", self._look)

    def go(self, address: str) -> Any:
        """Return the page once it shows `address`, such as "collapse?run=digits-2d"."""
        if self.is_spoilt:
            self.is_spoilt = False
            self.page.goto(f"{self.url}/{address}")
            self.page.locator("#root .explorer-lede").wait_for(timeout=60_000)
            wait_for_script(self.page)
            return self.page
        name = address.partition("?")[0]
        if urlsplit(self.page.url).path == f"/{name}":
            # A page's widgets are forgotten once another page stands there.
            self._leave_for("/learn" if name == "runs" else "/runs")
        self._leave_for(f"/{address}")
        return self.page

    def stay(self, address: str) -> Any:
        """Return the page as it was left at `address`; go there only from elsewhere."""
        there, here = urlsplit(f"{self.url}/{address}"), urlsplit(self.page.url)
        asked = set(parse_qsl(there.query)) - set(parse_qsl(here.query))
        if self.is_spoilt or here.path != there.path or asked:
            return self.go(address)
        return self.page

    def _leave_for(self, address: str) -> None:
        wait_for_script(self.page)
        self.page.evaluate(GO, address)
        self.page.wait_for_function(ARRIVED, polling=POLL_MILLISECONDS)
        wait_for_script(self.page)

    def _read(self, line: Any) -> None:
        if line.type == "error":
            self.said.append(line.text)

    def _look(self, answer: Any) -> None:
        if answer.status >= 400:
            self.said.append(answer.url)


@pytest.fixture(scope="session")
def toured(visitor, server):
    """The page of `tour`, which stays open."""
    return Tour(visitor.new_page(), server.url)


@pytest.fixture
def tour(toured):
    """Go to an address on a page that many tests share; its console stays clean."""
    toured.said.clear()
    yield toured
    toured.page.set_viewport_size(VIEWPORT)
    assert toured.said == []


@pytest.fixture(scope="session")
def shared(visitor, server):
    """One Explore page for all tests that can bring it back to how it opened."""
    from tests.browser.explore_page import ExplorePage, ensure_run

    ensure_run(server.runs, "two")
    return ExplorePage(visitor.new_page(), f"{server.url}/?model=two")


@pytest.fixture
def view(shared):
    """The small two-latent run, as it opens."""
    if shared.is_spoilt:
        shared.open()
    shared.fresh()
    yield shared
    assert shared.errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember that a test failed on a shared page: the next one opens it anew."""
    report = yield
    for name in {"view", "toured", "menu"} & item.funcargs.keys():
        item.funcargs[name].is_spoilt |= report.failed
    return report


@pytest.fixture
def explore(page, server):
    """Open Explore on a run of MODELS, with further URL parameters."""
    from tests.browser.explore_page import ExplorePage, ensure_run

    opened = []

    def open_page(name: str = "two", query: str = ""):
        ensure_run(server.runs, name)
        opened.append(ExplorePage(page, f"{server.url}/?model={name}{query}"))
        return opened[-1]

    yield open_page
    for shown in opened:
        assert shown.errors == []
