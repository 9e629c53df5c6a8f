"""What a stranger can send to the running app, by a socket of its own and without our pages."""

import contextlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.conftest import Server
from tests.doors.doors import any_file, word
from tests.runs.hostile import pick, write_json
from tests.visiting import Visitor
from tests.waiting import wait_until


def read(url: str, name: str) -> tuple[int, str]:
    """Return status and text of what a server answers when it is called by a name."""
    request = urllib.request.Request(url, headers={"Host": name})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_page_whose_name_was_made_to_lead_here_reaches_nothing(server):
    with pytest.raises(InvalidStatus) as refused:
        Visitor(server.url, "evil.example").__enter__()
    assert refused.value.response.status_code == 403
    for path in ("/", "/runs", "/_stcore/host-config", "/_stcore/allowed-message-origins"):
        status, words = read(server.url + path, "evil.example")
        assert status == 403 and "--allow-host" in words
    assert read(server.url, "localhost")[0] == 200
    assert read(f"{server.url}/_stcore/health", "pod-7")[0] == 200


def test_the_script_alone_shows_such_a_page_nothing_but_a_sentence(tmp_path):
    from explorer.paths import PACKAGE

    script = PACKAGE / "app" / "main.py"
    (tmp_path / "runs").mkdir()
    server = Server(
        tmp_path / "runs",
        command=[sys.executable, "-m", "streamlit", "run", str(script)],
        flags="--server.port {port} --server.headless true",
        LATENT_EXPLORER_CACHE=str(tmp_path / "cache"),
    )
    try:
        with Visitor(server.url, "evil.example") as visitor:
            turn = visitor.turn("runs")
        assert "--allow-host" in turn.alerts[0] and set(turn.kinds) == {"alert"}
    finally:
        server.stop()


def count_workers(server: Server) -> int:
    """Return how many training workers a server has started."""
    shown = subprocess.run(["ps", "-eo", "ppid=,args="], capture_output=True, text=True).stdout
    rows = (line.split(maxsplit=1) for line in shown.splitlines())
    return sum(
        int(row[0]) == server.process.pid and "explorer.jobs.worker" in row[1] for row in rows
    )


def test_cleared_caches_start_no_second_worker(server):
    with Visitor(server.url) as visitor:
        visitor.turn("train")
        wait_until(lambda: count_workers(server))
        for _ in range(3):
            visitor.clear_caches()
            assert visitor.turn("train").errors == []
            assert count_workers(server) == 1


def count_threads(server: Server) -> int:
    shown = subprocess.run(
        ["ps", "-o", "nlwp=", "-p", str(server.process.pid)], capture_output=True, text=True
    )
    return int(shown.stdout)


def test_visitors_who_vanish_leave_no_thread_behind(server):
    with Visitor(server.url) as stays:
        stays.turn("learn")
        before = count_threads(server)
        crowd = [Visitor(server.url) for _ in range(12)]
        for visitor in crowd:
            visitor.__enter__()
            visitor.send(visitor.call("learn"))  # And is gone before it has come.
            visitor.socket.socket.shutdown(socket.SHUT_RDWR)
        # The server's own pool of threads is as large as its work was, and no larger.
        wait_until(lambda: count_threads(server) <= before + 2)
        assert stays.turn("learn").errors == []


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 9))]
PAGES = ("", "learn", "train", "beta", "collapse", "elbo", "models", "runs", "nowhere", "../x")
WORDS_OF_ADDRESSES = (
    "model", "models", "run", "runs", "sweep", "images", "image", "chapter", "z", "mask", "q", "vq",
    "view", "lang", "present", "beta", "seed", "count", "embed", "x",
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_no_address_breaks_a_page(server, seed):
    rng = np.random.default_rng(seed)
    with Visitor(server.url) as visitor:
        for _ in range(6):
            page = PAGES[rng.integers(len(PAGES))]
            asked = {
                WORDS_OF_ADDRESSES[rng.integers(len(WORDS_OF_ADDRESSES))]: word(rng)
                for _ in range(rng.integers(1, 5))
            }
            query = urlencode(asked, errors="replace")
            assert visitor.turn(page, query).errors == [], (page, query)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_message_breaks_the_server(server, seed):
    rng = np.random.default_rng(seed)
    with Visitor(server.url) as good:
        whole = good.call("learn").SerializeToString()
        for _ in range(12):
            with Visitor(server.url) as visitor:
                visitor.turn("learn")
                with contextlib.suppress(ConnectionClosed):  # The server may hang up.
                    visitor.socket.send(any_file(rng, whole) or b"\0")
                    message = visitor.call("learn")
                    state = message.rerun_script.widget_states.widgets.add()
                    state.id = word(rng).encode("utf-8", "replace").decode()
                    state.json_value = write_json(pick(rng)).decode("utf-8", "replace")
                    visitor.send(message)
        assert good.turn("learn").errors == []
