"""The reading process: one job at a time, limited, and nothing left behind however it ends."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.datasets.own.read import read_images
from explorer.datasets.own.store import list_own, load_own
from explorer.datasets.report import ReadingStopped
from explorer.errors import ExplorerError
from explorer.jobs import process as processes
from explorer.jobs import reader
from explorer.jobs.process import ORPHANED, resident_bytes, run_worker, serve
from explorer.jobs.reader import read_in_worker
from tests.datasets.own.cases import (
    encode,
    make_npy_header,
    make_png,
    pack,
    pack_pets,
    raw_zip,
)
from tests.helpers import present
from tests.waiting import wait_until

PATIENCE_SECONDS = 120


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data folder of one's own."""
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def pets(tmp_path):
    return pack_pets(tmp_path / "pets.zip")


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """Pictures that take minutes to read: one large one under many names."""
    folder = tmp_path_factory.mktemp("endless") / "endless"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    first = folder / "0.png"
    first.write_bytes(encode(Image.fromarray(noise), "PNG", compress_level=1))
    for i in range(1, 5000):
        os.link(first, folder / f"{i}.png")
    return folder


def work(root):
    """What lies in the workshop: folders alone, for locks of them come and go."""
    return [path for path in (root / "own" / "work").iterdir() if path.is_dir()]


def test_a_worker_reads_what_the_function_reads(root, pets):
    told = []
    known = read_images(pets, size=8, channels=1, fit="pad", background=7)
    with read_in_worker(
        pets,
        size=8,
        channels=1,
        fit="pad",
        background=7,
        progress=lambda *state: told.append(state),
    ) as pending:
        data = pending.dataset
        assert data.fingerprint == known.fingerprint and data.names == known.names
        assert data.report == known.report and data.class_names == ("cat", "dog")
        assert data.name == "pets" and data.pixel_digest == known.pixel_digest
    assert told[-1] == (12, 12)


def test_what_is_not_kept_is_gone_and_what_is_kept_stays(root, pets):
    with read_in_worker(pets) as pending:
        assert len(work(root)) == 1
    assert work(root) == [] and list_own() == []
    with read_in_worker(pets, size=(8, 12)) as pending:
        kept = pending.keep("mine")
    assert work(root) == [] and kept.shape == (3, 8, 12)
    assert load_own("mine").fingerprint == kept.fingerprint


def test_a_name_that_is_taken_leaves_the_images_to_be_kept_by_another(root, pets):
    with read_in_worker(pets) as pending:
        with pytest.raises(ExplorerError, match="is a data set of Latent Explorer"):
            pending.keep("mnist")
        pending.keep("mine")
    assert [entry.name for entry in list_own()] == ["mine"]


@pytest.mark.parametrize("kind", ["liar", "overlap", "terabyte"])
def test_what_cannot_be_read_is_the_same_sentence_as_in_the_function(root, tmp_path, kind):
    path = tmp_path / f"{kind}.zip"
    if kind == "liar":
        raw_zip(path, b"a.bmp", bytes(1_000_000), 100)
    elif kind == "overlap":
        raw_zip(path, b"a.bmp", bytes(1000), 1000, names=5)
    else:
        pack(path, [("images.npy", make_npy_header("(1000000, 3, 600, 600)"))])
    with pytest.raises(ExplorerError) as known:
        read_images(path)
    with pytest.raises(ExplorerError) as found:
        read_in_worker(path)
    assert str(found.value) == str(known.value)
    assert work(root) == []


def test_a_wish_that_cannot_be_met_starts_no_process(root, pets, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("it was started"))
    with pytest.raises(ExplorerError, match="1 or 3 channels"):
        read_in_worker(pets, channels=2)


def test_a_reading_that_takes_too_long_is_ended(root, endless):
    with pytest.raises(ExplorerError, match="endless took longer than 1 seconds"):
        read_in_worker(endless, seconds=1)
    assert work(root) == []


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Pictures of 49 million pixels each, in small files."""
    head = struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes((1 + 3 * 7000) * 7000), 1)
    black = make_png((b"IHDR", head), (b"IDAT", rows))
    path = tmp_path_factory.mktemp("large") / "large.zip"
    return pack(path, [(f"{i}.png", black) for i in range(20)])


def test_a_reading_that_takes_too_much_memory_is_ended(root, large):
    with pytest.raises(ExplorerError, match="takes more than the 200 MB allowed"):
        read_in_worker(large, memory_bytes=200_000_000)
    assert work(root) == []


@pytest.mark.skipif(sys.platform != "linux", reason="others do not limit memory by themselves")
def test_the_process_keeps_to_its_memory_though_nobody_watches(tmp_path, large):
    job = {"path": str(large), "folder": str(tmp_path), "memory_bytes": 200_000_000}
    (line,) = run_reader(job)
    assert line["event"] == "failed" and "takes more than the 200 MB allowed" in line["message"]


def test_the_watch_ends_what_no_limit_of_the_system_does(root, endless, monkeypatch):
    monkeypatch.setattr(processes, "resident_bytes", lambda pid: 3 << 30)
    with pytest.raises(ExplorerError, match="takes more than the 2.15 GB allowed"):
        read_in_worker(endless)
    assert work(root) == []


def test_what_is_done_as_it_is_stopped_was_stopped(tmp_path):
    job = {"path": "a", "folder": str(tmp_path), "seconds": 60, "memory_bytes": 2**40}
    assert run_worker(__name__, job | {"waits": False}) == "an answer"
    with pytest.raises(ReadingStopped, match="stopped"):
        run_worker(__name__, job | {"waits": True}, stop=lambda: True)


def test_a_reading_is_stopped_in_good_order(root, endless):
    told = []
    with pytest.raises(ReadingStopped, match="stopped"):
        read_in_worker(endless, progress=lambda *state: told.append(state), stop=lambda: bool(told))
    assert work(root) == []


def test_a_reader_that_does_not_heed_is_ended_all_the_same(root, endless, monkeypatch):
    monkeypatch.setattr(processes, "STOPPING_SECONDS", 0.0)
    with pytest.raises(ReadingStopped, match="stopped"):
        read_in_worker(endless, stop=lambda: True)
    assert work(root) == []


def started(root):
    """Return the process that reads for this one, once it is at work."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    for pid in " ".join(path.read_text(encoding="utf-8") for path in children).split():
        if "explorer.jobs.reader" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
            return (
                int(pid)
                if any((folder / "pixels.npy").is_file() for folder in work(root))
                else None
            )
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_reader_that_is_killed_is_told_and_leaves_nothing(root, endless):
    failed = []

    def read():
        try:
            read_in_worker(endless)
        except ExplorerError as error:
            failed.append(str(error))

    thread = threading.Thread(target=read)
    (root / "own" / "work").mkdir(parents=True)
    thread.start()
    os.kill(wait_until(lambda: started(root)), signal.SIGKILL)
    thread.join(PATIENCE_SECONDS)
    assert failed == ["The process that read endless ended unexpectedly."]
    assert work(root) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_a_parent_that_is_killed_takes_its_reader_and_its_files_with_it(root, endless, pets):
    code = (
        "import sys; from explorer.jobs.reader import read_in_worker\n"
        "read_in_worker(sys.argv[1], progress=lambda *state: print('at work', flush=True))"
    )
    command = [sys.executable, "-c", code, str(endless)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert present(parent.stdout).readline() == "at work\n"
        children = (
            Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
            .read_text(encoding="utf-8")
            .split()
        )
        parent.kill()
    for pid in children:
        wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists())
    # Whatever the two left, the next reader removes.
    with read_in_worker(pets):
        assert len(work(root)) == 1
    assert work(root) == []


def test_both_killed_at_once_leave_nothing_after_the_next_start(root, endless, pets):
    code = (
        "import os, signal, sys; from explorer.jobs import process as processes, reader\n"
        "def follow(worker, *rest):\n"
        "    worker.stdout.readline(); os.kill(worker.pid, signal.SIGKILL)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "processes._follow = follow\n"
        "reader.read_in_worker(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(endless)], check=False)
    (left,) = work(root)
    assert (left / "pixels.npy").is_file()
    with read_in_worker(pets):
        assert not left.exists()


def test_jobs_are_done_one_at_a_time(root, pets, monkeypatch):
    running, most = [], []
    true_start = processes._start

    def count(module, job):
        running.append(job)
        most.append(len(running))
        return true_start(module, job)

    true_follow = processes._follow

    def follow(*arguments):
        true_follow(*arguments)
        running.pop()

    monkeypatch.setattr(processes, "_start", count)
    monkeypatch.setattr(processes, "_follow", follow)
    threads = [threading.Thread(target=lambda: read_in_worker(pets).discard()) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert most == [1, 1, 1]


def test_a_job_that_waits_can_be_stopped(root, pets):
    assert reader._one_at_a_time.acquire(timeout=PATIENCE_SECONDS)
    try:
        with pytest.raises(ReadingStopped):
            read_in_worker(pets, stop=lambda: True)
    finally:
        reader._one_at_a_time.release()


# The process by itself


def run_reader(job, by="argument"):
    given = json.dumps(job)
    command = [sys.executable, "-m", "explorer.jobs.reader", *([given] if by == "argument" else [])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if by == "input":
            present(process.stdin).write(given + "\n")
            present(process.stdin).flush()
        lines = [json.loads(line) for line in present(process.stdout)]
        assert process.wait() == 0
    return lines


@pytest.mark.parametrize("by", ["argument", "input"])
def test_the_process_takes_its_job_either_way_and_answers_in_json(tmp_path, pets, by):
    folder = tmp_path / "out"
    folder.mkdir()
    lines = run_reader({"path": str(pets), "folder": str(folder), "size": 8}, by)
    assert lines[-1] == {"event": "done"}
    assert lines[-2] == {"event": "progress", "done": 12, "total": 12}
    assert np.load(folder / "pixels.npy").shape == (12, 3, 8, 8)


def test_the_process_says_in_one_sentence_what_went_wrong(tmp_path):
    job = {"path": str(tmp_path / "none"), "folder": str(tmp_path)}
    (line,) = run_reader(job)
    assert line["event"] == "failed" and "no file and no folder" in line["message"]


def test_the_process_ends_when_its_input_does_and_removes_what_it_made(tmp_path, endless):
    folder = tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-m", "explorer.jobs.reader"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        present(process.stdin).write(
            json.dumps({"path": str(endless), "folder": str(folder)}) + "\n"
        )
        present(process.stdin).flush()
        assert json.loads(present(process.stdout).readline())["event"] == "progress"
        present(process.stdin).close()
        assert process.wait(PATIENCE_SECONDS) == ORPHANED
    assert not folder.exists()


def test_reading_needs_neither_torch_nor_pandas():
    code = (
        "import sys, explorer.jobs.reader, explorer.datasets.own.read\n"
        "print(sorted({'torch', 'pandas', 'pyarrow', 'streamlit', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_the_memory_of_a_process_is_told():
    before = resident_bytes(os.getpid())
    if before is None:
        pytest.skip("this platform does not tell")
    block = np.ones(100_000_000, np.uint8)
    assert 90_000_000 < present(resident_bytes(os.getpid())) - before < 150_000_000
    del block
    assert resident_bytes(2**22 + 1) is None


def answer_at_the_last_moment(job, tell, stop):
    """Be done with a job once it is stopped, as one is that looks no more whether it was."""
    while job["waits"] and not stop():
        time.sleep(0.01)
    return "an answer"


if __name__ == "__main__":
    serve(answer_at_the_last_moment)
