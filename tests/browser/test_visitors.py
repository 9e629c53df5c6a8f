"""A class in three browsers: look together, train, reach nobody else's run, lose the server."""

import json
import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from explorer.app.session import PASS
from explorer.runs.control import Control
from explorer.runs.run import Run
from tests.browser.conftest import VIEWPORT, Server
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
FLAGS = (
    "--port {port} --no-browser --classroom --code apple --lecturer pear --workers 1 "
    "--limit seconds=60"
)
PAGES = (
    "?model={run}",
    "train?run={run}",
    "collapse?run={run}",
    "elbo?run={run}",
    "models?vq={run}",
    "runs?ticked={run}",
)


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, chromium, server):
        self.context = chromium.new_context(viewport=VIEWPORT)
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.server = server

    def come_in(self, code):
        """Write the code into the form, and be let through."""
        self.page.goto(f"{self.server.url}/")
        assert self.page.url.endswith("/enter")
        self.page.get_by_label("Code").fill(code)
        self.page.get_by_role("button", name="Come in").click()
        self.page.wait_for_url(lambda url: not url.endswith("/enter"), wait_until="commit")

    def be_let_in(self, code):
        """Send what the form sends, and see nothing yet."""
        sent = self.context.request.post(
            f"{self.server.url}/enter", form={"code": code}, max_redirects=0
        )
        assert sent.status == 303
        return self

    def cookie(self):
        return next(one["value"] for one in self.context.cookies() if one["name"] == PASS)

    def home(self, server):
        return server.runs / ".visitors" / "of" / self.cookie().split(".")[1]

    def train(self, server, seconds):
        """Press Start, and return the run's folder."""
        self.page.goto(f"{server.url}/train?seconds={seconds}")
        self.page.get_by_role("button", name="Start", exact=True).click()
        found = wait_until(lambda: list((self.home(server) / "runs").glob("*/run.json")))
        return found[0].parent

    def ask(self, server, path):
        """Return what is answered to this person's browser."""
        request = urllib.request.Request(
            f"{server.url}/{path}", headers={"Cookie": f"{PASS}={self.cookie()}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            return error.read()


class Class:
    """A server on a folder, which may be killed and begun anew, and three who use it."""

    def __init__(self, folder: Path, chromium):
        self.folder = folder
        self.server = self.begin()
        self.lecturer = Person(chromium, self.server).be_let_in("pear")
        self.anna = Person(chromium, self.server).be_let_in("apple")
        self.bela = Person(chromium, self.server)

    def begin(self):
        cache = str(self.folder / "cache")
        return Server(self.folder / "runs", flags=FLAGS, LATENT_EXPLORER_CACHE=cache)

    def lose(self, run):
        """Kill the server, and the worker that trains a run."""
        worker = Run(run).info.status.pid
        os.kill(self.server.process.pid, signal.SIGKILL)
        if worker is not None:
            os.kill(worker, signal.SIGKILL)
        self.server.process.wait(10)
        self.server.log.close()
        self.server = self.begin()

    def end(self):
        for person in (self.lecturer, self.anna, self.bela):
            person.context.close()
        self.server.stop()


@pytest.fixture
def lesson(tmp_path, chromium):
    (tmp_path / "runs").mkdir()
    held = Class(tmp_path, chromium)
    yield held
    held.end()


def state(path):
    return Run(path).info.status.shown_state()


def is_away(person, server, run, pages=PAGES):
    """Assert that no page shows a run, and no address hands it over."""
    for page in pages:
        person.page.goto(f"{server.url}/{page.format(run=run.name)}")
        person.page.locator(".explorer-lede, .stAlert").first.wait_for()
        person.page.locator("[data-test-script-state=notRunning]").wait_for()
        shown = person.page.locator(".stMain").inner_text()
        assert Run(run).name not in shown, page
    inside = run.relative_to(server.runs).as_posix()
    for door in ("media", "static", "component", "app/static", "app/static/../..", "_stcore"):
        answer = person.ask(server, f"{door}/{inside}/run.json")
        assert b"latent_dim" not in answer and b"checkpoint" not in answer, door


def begin_together(lesson, pages):
    """Have both train: one waits for its turn, and does not reach the other's.

    Anna pauses: she keeps the worker as one who trains does, is at the same place however slow the
    machine is, and takes no time from the rest.
    """
    server, anna, bela = lesson.server, lesson.anna, lesson.bela
    first = anna.train(server, 60)
    wait_until(lambda: Run(first).snapshot_steps())
    Control(first).send("pause")
    Run(first).rename("of Anna alone")
    bela.come_in("apple")
    second = bela.train(server, 2)
    assert state(second) == "queued"
    bela.page.get_by_text("begins in about").wait_for()
    is_away(bela, server, first, pages)
    return first, second


def look_together(lesson, name="collapse", said="run=digits-collapsed"):
    """Have the lecturer show a page to all; its address says what stands there."""
    lesson.lecturer.page.goto(f"{lesson.server.url}/{name}")
    lesson.lecturer.page.wait_for_url(f"**{said}*")
    lesson.lecturer.page.get_by_role("button", name="Everybody look here").click()
    for person in (lesson.anna, lesson.bela):
        person.page.wait_for_url(re.compile(rf"/{urlsplit(name).path}\?.*{said}"))


def lose_and_go_on(lesson, run):
    """Kill server and worker in the middle, and have Anna go on with what she trained."""
    before = max(Run(run).snapshot_steps())
    lesson.lose(run)
    assert max(Run(run).snapshot_steps()) >= before
    page = lesson.anna.page
    page.goto(f"{lesson.server.url}/train?run={run.name}")
    page.get_by_role("button", name="Go on training").click()
    wait_until(lambda: state(run) not in ("interrupted", "queued"))


def names_nobody(lesson, *runs):
    """Assert that the server's log, which is the worker's too, holds nothing of anybody."""
    log = Path(lesson.server.log.name).read_text("utf-8")
    for person in (lesson.anna, lesson.bela):
        assert person.cookie().split(".")[1] not in log
    for run in runs:
        assert run.name not in log and Run(run).name not in log


def test_a_class_looks_together_and_trains_at_once(lesson):
    first, second = begin_together(lesson, PAGES[-1:])
    look_together(lesson, "runs?ticked=digits-2d", "ticked=digits-2d")
    # The lecturer, on that page, stops what takes too long; then it is the next one's turn.
    anna = lesson.anna.cookie().split(".")[1]
    lesson.lecturer.page.locator(f"[class*=visit_stop_{anna}] button").click()
    wait_until(lambda: state(first) in ("stopped", "finished"))
    wait_until(lambda: state(second) == "finished")
    names_nobody(lesson, first, second)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 4])
def test_a_class_outlives_its_servers(lesson, kills):
    first, second = begin_together(lesson, PAGES)
    look_together(lesson)
    Control(first).send("resume")
    for _ in range(kills):
        wait_until(lambda: state(first) in ("training", "running", "interrupted", "finished"))
        lose_and_go_on(lesson, first)
    # What waited is taken up, what was lost goes on, and the pass still holds.
    wait_until(lambda: state(second) == "finished")
    wait_until(lambda: state(first) == "finished")
    values = json.loads((first / "run.json").read_text(encoding="utf-8"))
    assert values["status"]["state"] == "finished"
    Run(second).rename("of Bela alone")
    is_away(lesson.anna, lesson.server, second)
    names_nobody(lesson, first, second)
