"""A page elsewhere whose name leads to this machine (DNS rebinding) is not let in."""

import pytest

from explorer.app.hosts import VARIABLE, KnownHosts, is_known
from tests.waiting import run_apart

NAMES = {"localhost", "lab.example", "*.school.example"}


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8501", "127.0.0.1:8501", "192.168.1.7", "[::1]:8501", "lab.example.",
     "a.school.example", "a.b.school.example:80"],
)  # fmt: skip
def test_addresses_in_figures_and_own_names_are_known(host):
    assert is_known(host, NAMES)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "evil.example:8501", "127.0.0.1.evil.example",
     "school.example", "notschool.example", "user@localhost", "localhost/x", "localhost?x",
     "localhost:x", "localhost:99999", "[::1", "127.0.0.1#.evil.example", "ex ample", "*"],
)  # fmt: skip
def test_any_other_name_is_strange(host):
    assert not is_known(host, NAMES)


def test_a_star_stands_for_any_name():
    assert is_known("evil.example", {"*"}) and not is_known("", {"*"})


def ask(kind: str, path: str, host: str | None, peer: str = "127.0.0.1", **more: str) -> list[dict]:
    """Return what a server behind the middleware answers; "passed" stands for its own answer."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "passed"})

    async def receive():
        return {}

    async def send(message):
        sent.append(message)

    headers = [(key.replace("_", "-").encode(), value.encode()) for key, value in more.items()]
    headers += [] if host is None else [(b"host", host.encode())]
    scope = {
        "type": kind,
        "path": path,
        "method": "GET",
        "headers": headers,
        "client": (peer, 5000),
    }
    run_apart(KnownHosts(app)(scope, receive, send))
    return sent


PASSED = [{"type": "passed"}]


@pytest.mark.parametrize(
    "path", ["/", "/train", "/_stcore/stream", "/_stcore/upload_file/x", "/media/x",
             "/_stcore/bidi-components/latent-explorer.latent_map/payload/0123456789abcdef"],
)  # fmt: skip
@pytest.mark.parametrize("host", [None, "", "evil.example"])
def test_no_route_answers_a_browser_of_this_machine_by_a_strange_name(path, host):
    (start, body) = ask("http", path, host)
    assert start["status"] == 403 and b"--allow-host" in body["body"]
    assert ask("websocket", path, host) == [{"type": "websocket.close", "code": 1008}]
    assert ask("http", path, "localhost:1") == PASSED


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.7", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_has_several_addresses(peer):
    assert ask("http", "/", "evil.example", peer) != PASSED


def test_what_a_public_host_calls_the_server_cannot_be_known():
    assert ask("websocket", "/_stcore/stream", "app.example", "10.0.0.4") == PASSED
    assert ask("websocket", "/", "app.example", x_forwarded_for="203.0.113.5") == PASSED


def test_names_that_were_given_are_all_that_hold(monkeypatch):
    monkeypatch.setenv(VARIABLE, "Lab.Example, *.school.example")
    for host in ("lab.example", "pc.school.example:80", "10.0.0.1", "localhost"):
        assert ask("http", "/", host, "10.0.0.4") == PASSED
    assert ask("http", "/", "evil.example", "10.0.0.4") != PASSED
    assert ask("http", "/", "evil.example", x_forwarded_for="203.0.113.5") != PASSED


def test_a_machine_may_ask_for_the_health_under_any_name():
    assert ask("http", "/_stcore/health", "pod-7") == PASSED
