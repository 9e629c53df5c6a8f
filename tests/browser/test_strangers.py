"""What a stranger can send to the running app, by a socket of its own and without our pages."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus

from tests.browser.conftest import Server
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
