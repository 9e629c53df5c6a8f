"""What a visitor with a pass can send to reach another's: addresses, messages, other routes.

Each attack is also made by whom it is allowed to, so that it is known to work.
"""

import os
import shutil
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from explorer.app.session import PASS
from explorer.files import read_json, replace_json
from explorer.runs.control import Control
from explorer.runs.run import Run
from tests.browser.conftest import Server
from tests.visiting import Visitor

FLAGS = "--port {port} --no-browser --classroom --code apple --lecturer pear --workers 1"
SECRET = "of Anna alone"
ADDRESSES = (
    ("", "model"),
    ("train", "run"),
    ("collapse", "run"),
    ("elbo", "run"),
    ("models", "models"),
    ("models", "vq"),
    ("runs", "ticked"),
    ("beta", "sweep"),
)
SHORT = (("", "model"), ("train", "run"), ("models", "vq"), ("runs", "ticked"))
"""What `make test` asks: the pages that compute least; all find a run in one place."""


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the pass stands in the first answer."""

    def redirect_request(self, *_told):
        return None


def come_in(server, code):
    """Return the cookie that a code gives."""
    form = urllib.parse.urlencode({"code": code}).encode()
    try:
        urllib.request.build_opener(Stay).open(f"{server.url}/enter", form)
    except urllib.error.HTTPError as answer:
        return answer.headers["set-cookie"].partition(";")[0]
    raise AssertionError("No redirect.")


class Class:
    """A server, a lecturer and two students; the first has a run, a sweep and images."""

    def __init__(self, folder, tiny_run):
        (folder / "runs").mkdir()
        cache = str(folder / "cache")
        self.server = Server(folder / "runs", flags=FLAGS, LATENT_EXPLORER_CACHE=cache)
        self.cookies = {
            who: come_in(self.server, code)
            for who, code in (("lecturer", "pear"), ("anna", "apple"), ("bela", "apple"))
        }
        with self.open("anna") as anna:
            anna.turn("runs")
        self.home = self.server.runs / ".visitors" / "of" / self.id_of("anna")
        self.run = self.home / "runs" / "secret"
        shutil.copytree(tiny_run.path, self.run)
        Run(self.run).rename(SECRET)

    def id_of(self, who):
        return self.cookies[who].removeprefix(f"{PASS}=").split(".")[1]

    @contextmanager
    def open(self, who):
        with Visitor(self.server.url, cookie=self.cookies[who]) as visitor:
            yield visitor

    def set_state(self, state):
        """Have the run look as if this very process trained it."""
        path = self.run / "run.json"
        values = read_json(path)
        values["status"] |= {
            "state": state,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "heartbeat": time.time(),
        }
        replace_json(path, values)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory, tiny_run):
    held = Class(tmp_path_factory.mktemp("class"), tiny_run)
    yield held
    held.server.stop()


def says_secret(turn):
    assert turn.errors == []
    return any(SECRET in words for words in turn.words)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        address if address in SHORT else pytest.param(*address, marks=pytest.mark.slow)
        for address in ADDRESSES
    ],
)
@pytest.mark.parametrize("who", ["bela", pytest.param("lecturer", marks=pytest.mark.slow)])
def test_no_address_shows_anothers_run(lesson, page, name, who):
    outside = f"../of/{lesson.id_of('anna')}/runs/secret"
    with lesson.open(who) as stranger:
        for run_id in ("secret", outside, f".visitors/{outside[3:]}"):
            query = urllib.parse.urlencode({name: run_id})
            assert not says_secret(stranger.turn(page, query))


def test_its_owner_is_shown_it(lesson):
    with lesson.open("anna") as anna:
        assert says_secret(anna.turn("train", "run=secret"))
        assert says_secret(anna.turn("runs"))


def test_the_desks_messages_reach_ones_own_runs_alone(lesson):
    with lesson.open("anna") as anna, lesson.open("bela") as bela:
        desk = bela.turn("runs").find("runs_desk")
        outside = f"../../{lesson.id_of('anna')}/runs/secret"
        for run_id in ("secret", outside, str(lesson.run)):
            for action in ("delete", "rename", "export", "report", "go_on", "explore"):
                turn = bela.tell(desk, "act", {"action": action, "ids": [run_id]})
                assert not says_secret(turn)
        assert (lesson.run / "run.json").is_file()
        spare = lesson.home / "runs" / "spare"
        shutil.copytree(lesson.run, spare)
        anna.tell(
            anna.turn("runs").find("runs_desk"), "act", {"action": "delete", "ids": ["spare"]}
        )
        assert not spare.exists()


@pytest.mark.parametrize("key", ["train_pause", "train_step", "train_stop"])
def test_a_training_hears_its_owner_alone(lesson, key):
    lesson.set_state("paused")
    with lesson.open("anna") as anna, lesson.open("bela") as bela:
        button = anna.turn("train", "run=secret").find(key)
        Control(lesson.run).clear()
        bela.turn("train", "run=secret")
        bela.press((button[0], ""))
        assert not any(Control(lesson.run).latest(word) for word in ("resume", "step", "stop"))
        lesson.set_state("paused")
        anna.press(button)
        assert any(Control(lesson.run).latest(word) for word in ("resume", "step", "stop"))
    lesson.set_state("finished")


def test_the_lecturers_panel_hears_the_lecturer_alone(lesson):
    with lesson.open("lecturer") as lecturer, lesson.open("bela") as bela:
        extend = lecturer.turn("runs").find(f"visit_extend_{lesson.id_of('anna')}")
        extended = lesson.server.runs / ".visitors" / "extended"
        assert not any(key.startswith("visit_") for key in bela.turn("runs").widgets)
        bela.press((extend[0], ""))
        assert not extended.exists()
        lecturer.press(extend)
        assert read_json(extended) == {lesson.id_of("anna"): 2}


def test_a_student_shows_nothing_to_all(lesson):
    scene = lesson.server.runs / ".visitors" / "scene"
    with lesson.open("lecturer") as lecturer, lesson.open("bela") as bela:
        bela.tell(bela.turn("learn").find("together_mount"), "shown", "/runs")
        assert not scene.exists()
        lecturer.tell(lecturer.turn("learn").find("together_mount"), "shown", "/collapse")
        assert read_json(scene)["address"] == "/collapse"


def test_no_log_names_a_visitor(lesson):
    """It stands last: what the attacks above left in the log counts."""
    log = lesson.server.log.name
    with open(log, encoding="utf-8") as stream:
        words = stream.read()
    for name in (lesson.id_of("anna"), lesson.id_of("bela"), SECRET, "secret"):
        assert name not in words
