"""The app in a real browser: one server and one Chromium for all browser tests."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

VIEWPORT = {"width": 1280, "height": 800}
STARTUP_SECONDS = 60


class Server:
    """A running app: its address, its runs folder and its process."""

    def __init__(
        self,
        runs: Path,
        command: list[str] | None = None,
        flags: str = "--port {port} --no-browser",
        health: str = "/_stcore/health",
        **environment: str,
    ) -> None:
        self.runs = runs
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = command or [sys.executable, "-m", "explorer.cli", "app"]
        self.log = open(runs.parent / f"server-{self.port}.log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, *flags.format(port=self.port).split()],
            env={**os.environ, "LATENT_EXPLORER_RUNS": str(runs), **environment},
            cwd=runs,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}{health}", timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(Path(self.log.name).read_text("utf-8")[-2000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server; its worker ends by itself when its input closes."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()


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
    visitor.clear_cookies()


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
    """Remember that a test failed on the shared page: the next one opens it anew."""
    report = yield
    if report.failed and "view" in item.funcargs:
        item.funcargs["view"].is_spoilt = True
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
