"""Files: whole or not at all, and a plain sentence where they cannot be written."""

import errno
import json
import os
import threading

import pytest

from explorer import files
from explorer.errors import ExplorerError
from explorer.files import make_folder, replace_file, replace_json


def full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_reader_sees_one_whole_version_or_the_other(tmp_path):
    path = tmp_path / "value.json"
    replace_json(path, [0] * 20_000)
    ended, seen = threading.Event(), set()

    def read():
        while not ended.is_set():
            values = json.loads(path.read_text())
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
        monkeypatch.setattr(files.os, "replace", full_disk)
        write = lambda stream: stream.write(b"new")  # noqa: E731
    else:
        write = full_disk
    with pytest.raises(ExplorerError, match="The disk is full"):
        replace_file(path, write)
    assert json.loads(path.read_text()) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_a_writer_that_raises_leaves_nothing_behind(tmp_path):
    def write(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "value", write)
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
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

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(ExplorerError, match="cannot be written to"):
        replace_json(tmp_path / "value.json", 1)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(ExplorerError, match="could not be written: No such file"):
        replace_json(tmp_path / "gone" / "value.json", 1)


def test_a_figure_that_is_not_finite_is_never_written(tmp_path):
    with pytest.raises(ValueError):
        replace_json(tmp_path / "value.json", float("nan"))
    assert list(tmp_path.iterdir()) == []
