"""Files: whole or not at all, and a plain sentence where they cannot be written."""

import errno
import json
import os
import threading

import pytest

from explorer.errors import ExplorerError
from explorer.files import (
    make_folder,
    open_plain,
    read_json,
    read_limited,
    replace_file,
    replace_json,
)
from tests.helpers import full_disk


def test_a_reader_sees_one_whole_version_or_the_other(tmp_path):
    path = tmp_path / "value.json"
    replace_json(path, [0] * 20_000)
    ended, seen = threading.Event(), set()

    def read():
        while not ended.is_set():
            values = json.loads(path.read_text(encoding="utf-8"))
            assert len(values) == 20_000 and len(set(values)) == 1
            seen.add(values[0])

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for version in range(20):
        replace_json(path, [version] * 20_000)
    ended.set()
    for reader in readers:
        reader.join()
    assert seen
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


@pytest.mark.parametrize("where", ["write", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_half_made(tmp_path, monkeypatch, where):
    path = tmp_path / "value.json"
    replace_json(path, "old")
    if where == "replace":
        monkeypatch.setattr(os, "replace", full_disk)
        write = lambda stream: stream.write(b"new")  # noqa: E731
    else:
        write = full_disk
    with pytest.raises(ExplorerError, match="The disk is full"):
        replace_file(path, write)
    assert json.loads(path.read_text(encoding="utf-8")) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_a_writer_that_raises_leaves_nothing_behind(tmp_path):
    def write(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "value", write)
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        make_folder(tmp_path / "file" / "folder")
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        make_folder(tmp_path / "file")
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        replace_json(tmp_path / "file" / "value.json", 1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_an_unwritable_folder_is_told(tmp_path, monkeypatch, number):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ExplorerError, match="cannot be written to"):
        replace_json(tmp_path / "value.json", 1)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(ExplorerError, match="could not be written: No such file"):
        replace_json(tmp_path / "gone" / "value.json", 1)


def test_a_figure_that_is_not_finite_is_never_written(tmp_path):
    with pytest.raises(ValueError):
        replace_json(tmp_path / "value.json", float("nan"))
    assert list(tmp_path.iterdir()) == []


# What anybody may have put there


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b"1" + b"0" * 5000, b"-Infinity"],
)
def test_what_is_no_json_is_told(tmp_path, content):
    (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(ExplorerError, match="cannot be read as JSON"):
        read_json(tmp_path / "value.json")


def test_json_is_read_with_or_without_a_mark_of_its_encoding(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "value.json").write_bytes(mark + '{"β": [1, 2.5, null]}'.encode())
        assert read_json(tmp_path / "value.json") == {"β": [1, 2.5, None]}


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    with open(tmp_path / "value.json", "wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(ExplorerError, match="more than 16,000,000 bytes"):
        read_json(tmp_path / "value.json")
    with pytest.raises(ExplorerError, match="more than 100 bytes"):
        read_limited(tmp_path / "value.json", 100)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="There are no pipes with names here.")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError):
            open_plain(path)
        with pytest.raises(ExplorerError, match="cannot be read as JSON"):
            read_json(path)


@pytest.mark.parametrize(
    "name", ["x" * 4000, "/".join(["x"] * 2000), "/".join(["x" * 40] * 30), "\0"]
)
def test_a_path_that_no_system_takes_is_told_in_short_and_nothing_is_made(tmp_path, name):
    with pytest.raises(ExplorerError, match="cannot be created|could not be written") as caught:
        make_folder(tmp_path / name)
    assert len(str(caught.value)) < 600
    assert list(tmp_path.iterdir()) == []


def test_a_message_of_any_length_stays_one_sentence():
    message = str(ExplorerError(f"It is {'x' * 10**6}; choose another."))
    assert len(message) < 1001 and message.startswith("It is x") and message.endswith("another.")
