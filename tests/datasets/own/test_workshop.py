"""Work in progress: held by a living process, removed once nobody holds it."""

import subprocess
import sys
import threading

import pytest

from explorer.datasets.own.workshop import Workshop
from explorer.errors import ExplorerError
from tests.helpers import present

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from explorer.datasets.own.workshop import Workshop\n"
    "held = Workshop(Path(sys.argv[1])); (held.folder / 'pixels').write_text('half')\n"
    "print(held.folder, flush=True); time.sleep(600)"
)


def folders(root):
    return sorted(path for path in root.iterdir() if path.is_dir())


def test_a_workshop_is_new_empty_and_gone_at_its_end(tmp_path):
    with Workshop(tmp_path / "work") as first, Workshop(tmp_path / "work") as second:
        assert folders(tmp_path / "work") == sorted([first.folder, second.folder])
        (first.folder / "deep").mkdir()
        (first.folder / "deep" / "file").write_text("x", encoding="utf-8")
    assert folders(tmp_path / "work") == []


def test_what_another_process_holds_stays_until_that_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        held = present(holder.stdout).readline().strip()
        with Workshop(tmp_path):
            assert held in map(str, folders(tmp_path))
        holder.kill()
    with Workshop(tmp_path) as mine:
        assert folders(tmp_path) == [mine.folder]


def test_any_thread_may_close_what_another_opened(tmp_path):
    opened = []
    thread = threading.Thread(target=lambda: opened.append(Workshop(tmp_path)))
    thread.start()
    thread.join()
    with Workshop(tmp_path):
        assert opened[0].folder.is_dir(), "it is held, though its thread has ended"
    opened[0].close()
    assert folders(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        Workshop(tmp_path / "file" / "work")
