"""Payloads on disk: what was built once of the same parts is not built again."""

import gzip
import os

import pytest

from explorer.export import kept
from explorer.export.container import pack
from explorer.export.kept import find_payload, keep_payload

PAYLOAD = pack({"schema": 1, "text": "x" * 1000})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path))
    return tmp_path / "payloads"


def never() -> bytes:
    pytest.fail("It was built again.")


def test_of_the_same_parts_nothing_is_built_again(folder):
    assert keep_payload(("run", "stamp", "en"), lambda: PAYLOAD) == PAYLOAD
    assert keep_payload(("run", "stamp", "en"), never) == PAYLOAD


def test_what_was_kept_is_found_and_nothing_else(folder):
    assert find_payload(("run", "stamp")) is None
    keep_payload(("run", "stamp"), lambda: PAYLOAD)
    assert find_payload(("run", "stamp")) == PAYLOAD
    assert find_payload(("run", "later")) is None


def test_other_weights_or_another_version_are_built_anew(folder, monkeypatch):
    other = pack({"schema": 1, "text": "y"})
    keep_payload(("run", "stamp"), lambda: PAYLOAD)
    assert keep_payload(("run", "later"), lambda: other) == other
    monkeypatch.setattr(kept, "stamp_code", lambda: "another version")
    assert keep_payload(("run", "stamp"), lambda: other) == other


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-200],
        lambda content: b"",
        lambda content: gzip.compress(b"something else"),
        lambda content: content[:500] + b"\0\1\2\3" + content[504:],
    ],
    ids=["cut off", "empty", "foreign", "torn"],
)
def test_a_file_that_is_not_what_was_written_is_built_anew(folder, spoil):
    payload = pack({"schema": 1, "text": os.urandom(2000).hex()})
    keep_payload(("run",), lambda: payload)
    (path,) = folder.iterdir()
    path.write_bytes(spoil(path.read_bytes()))
    assert keep_payload(("run",), lambda: payload) == payload
    assert keep_payload(("run",), never) == payload


def test_the_oldest_make_room(folder, monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    for number in range(5):
        keep_payload((number,), lambda: PAYLOAD)
        for path in folder.iterdir():  # Each a second older than what comes next.
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert len(list(folder.iterdir())) == 3
    for number in (2, 3, 4):
        keep_payload((number,), never)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    assert keep_payload(("run",), lambda: PAYLOAD) == PAYLOAD
    other = pack({"schema": 1})
    assert keep_payload(("run",), lambda: other) == other


def test_an_error_of_the_building_is_told_and_nothing_kept(folder):
    def fail() -> bytes:
        raise ValueError("no such weights")

    with pytest.raises(ValueError, match="no such weights"):
        keep_payload(("run",), fail)
    assert not folder.exists()
