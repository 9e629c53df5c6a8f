"""The app in a real browser: one server and one Chromium for all browser tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTUP_SECONDS = 60


class Server:
    """A running app: its address, its runs folder and its process."""

    def __init__(self, runs: Path, command: list[str] | None = None, **environment: str) -> None:
        self.runs = runs
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = command or [sys.executable, "-m", "explorer.cli", "app"]
        self.log = open(runs.parent / f"server-{self.port}.log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--no-browser"],
            env={**os.environ, "LATENT_EXPLORER_RUNS": str(runs), **environment},
            cwd=runs,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(Path(self.log.name).read_text("utf-8")[-2000:]) from None
                time.sleep(0.2)

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
    runs = tmp_path_factory.mktemp("app") / "runs"
    runs.mkdir()
    server = Server(runs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        message = "No Chromium or Chrome was found: the app was NOT tested in a browser."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def shared(chromium, server):
    """One Explore page for a whole file of tests."""
    from tests.browser.explore_page import keep_open

    yield from keep_open(chromium, server)


@pytest.fixture
def view(shared):
    """The small two-latent run, as it opens."""
    shared.fresh()
    yield shared
    assert shared.errors == []


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
