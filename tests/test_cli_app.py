"""`latent-explorer app`: who may come in is said before a server listens to strangers."""

import os

import pytest

from explorer.cli import build_parser
from explorer.commands.app import choose_mode, clean_base, is_loopback, open_app
from explorer.commands.jupyter import describe_server
from explorer.errors import ExplorerError


def choose(*words):
    return choose_mode(build_parser().parse_args(["app", *words]))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1", "[::1]"])
def test_on_ones_own_machine_nothing_is_asked(host):
    assert is_loopback(host)
    assert choose("--host", host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.4", "class.example"])
def test_who_listens_to_strangers_is_told_what_they_could_do(host):
    with pytest.raises(ExplorerError, match="change and delete your runs"):
        choose("--host", host)
    assert choose("--host", host, "--trust-network") is None
    mode = choose("--host", host, "--public")
    assert mode is not None and mode.kind == "public"


def test_a_classroom_has_a_lecturer_and_takes_files():
    mode = choose("--classroom", "--code", "apple", "--lecturer", "pear", "--limit", "runs=3")
    assert mode is not None
    assert (mode.code, mode.lecturer, mode.uploads) == ("apple", "pear", True)
    assert mode.limits.runs == 3
    codes = {choose("--classroom").lecturer for _ in range(3)}
    assert len(codes) == 3 and all(len(code) == 8 for code in codes)


def test_a_public_server_has_none_and_takes_no_files_unless_asked():
    mode = choose("--public")
    assert mode is not None and (mode.lecturer, mode.uploads) == ("", False)
    asked = choose("--public", "--uploads")
    assert asked is not None and asked.uploads
    with pytest.raises(ExplorerError, match="has no lecturer"):
        choose("--public", "--lecturer", "pear")


def test_what_does_not_go_together_is_refused(capsys):
    with pytest.raises(SystemExit):
        choose("--public", "--classroom")
    capsys.readouterr()
    with pytest.raises(ExplorerError, match="must not be the visitors'"):
        choose("--classroom", "--code", "apple", "--lecturer", "apple")
    for words in (("--code", "a"), ("--limit", "runs=3"), ("--no-uploads",)):
        with pytest.raises(ExplorerError, match="are of --classroom or --public"):
            choose(*words)


@pytest.mark.skipif(os.name == "nt", reason="glibc's settings are no affair of Windows")
@pytest.mark.parametrize("own", [None, "8"])
def test_a_server_keeps_little_of_what_its_threads_have_freed(monkeypatch, tmp_path, own):
    handed = {}
    monkeypatch.setattr(os, "execve", lambda path, command, environment: handed.update(environment))
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if own is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", own)
    open_app(build_parser().parse_args(["app", "--port", "0", "--runs", str(tmp_path)]))
    assert handed["MALLOC_ARENA_MAX"] == (own or "1"), "what a visitor has set holds"


@pytest.mark.skipif(os.name == "nt", reason="there the server is a child")
def test_a_server_looks_after_no_source_files(monkeypatch, tmp_path):
    """Streamlit would for each visitor anew, and load half of a changed package into a page."""
    started = []
    monkeypatch.setattr(os, "execve", lambda path, command, environment: started.extend(command))
    open_app(build_parser().parse_args(["app", "--port", "0", "--runs", str(tmp_path)]))
    assert started[started.index("--server.fileWatcherType") + 1] == "none"


def test_workers_are_counted():
    assert choose("--classroom", "--workers", "3").workers == 3
    assert choose("--classroom").workers == max(1, (os.cpu_count() or 2) - 1)
    cluster = choose("--classroom", "--scheduler", "tcp://a:1")
    assert (cluster.scheduler, cluster.workers) == ("tcp://a:1", 8)
    for wrong in ("-1", "1000"):
        with pytest.raises(ExplorerError, match="from 1 to 256"):
            choose("--public", "--workers", wrong)


def start(monkeypatch, *words):
    handed: list[str] = []
    monkeypatch.setattr(os, "execve", lambda path, command, environment: handed.extend(command))
    open_app(build_parser().parse_args(["app", "--port", "0", *words]))
    return handed


@pytest.mark.skipif(os.name == "nt", reason="Windows starts another process")
def test_a_base_path_is_handed_to_the_server_and_stands_in_the_address(
    monkeypatch, capsys, tmp_path
):
    command = start(monkeypatch, "--runs", str(tmp_path), "--base-path", "/user/ada/vae/")
    assert command[command.index("--server.baseUrlPath") + 1] == "user/ada/vae"
    assert "http://127.0.0.1:0/user/ada/vae," in capsys.readouterr().out
    assert "--server.baseUrlPath" not in start(monkeypatch, "--runs", str(tmp_path))


@pytest.mark.parametrize("wrong", ["/a b", "/a//b", "/../a", "https://class.example/a", "/a?b"])
def test_a_base_path_that_is_none_is_refused(wrong):
    with pytest.raises(ExplorerError, match="A base path is like /vae"):
        clean_base(wrong)


def test_jupyter_starts_the_app_on_its_own_port_below_its_own_path():
    server = describe_server()
    filled = [word.format(port=4321, base_url="/user/ada/") for word in server["command"]]
    options = build_parser().parse_args(filled[filled.index("app") :])
    assert (options.port, options.no_browser) == (4321, True)
    assert options.base_path == "/user/ada/latent-explorer", "Jupyter's own and the server's name"
    assert is_loopback(options.host), "only Jupyter reaches it"
    assert server["absolute_url"], "the app answers under the path that it was given"
