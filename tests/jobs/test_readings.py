"""Uploads: copied to disk, read one after the other, found again, and nothing left behind."""

import io
import threading

import pytest

from explorer.datasets.own.read import read_images
from explorer.datasets.own.store import list_own, load_own
from explorer.errors import ExplorerError
from explorer.jobs import readings
from explorer.jobs.readings import LARGEST_UPLOAD, ReadingQueue
from tests.jobs.test_reader import endless, pets, root, work
from tests.waiting import wait_until

__all__ = ["endless", "pets", "root"]


@pytest.fixture
def queue(root):
    queue = ReadingQueue()
    yield queue
    queue.close()
    wait_until(lambda: work(root) == [])


def upload(queue, path, **rules):
    with open(path, "rb") as file:
        return queue.add(file, path.name, path.stat().st_size, **rules)


def finish(reading):
    wait_until(lambda: reading.state in ("read", "failed"))
    return reading


@pytest.fixture
def held(monkeypatch):
    """A reader that reads nothing until it is let go or stopped; what it was given."""
    gate, given = threading.Event(), []

    def read(path, *, stop, progress, **rules):
        given.append((path, rules))
        progress(3, 12)
        wait_until(lambda: gate.is_set() or stop())
        raise ExplorerError("It was held.")

    monkeypatch.setattr(readings, "read_in_worker", read)
    yield given
    gate.set()


def test_an_upload_becomes_a_data_set_by_the_rules_it_came_with(root, queue, pets):
    reading = finish(upload(queue, pets, size=8, channels=1))
    known = read_images(pets, size=8, channels=1)
    assert (reading.state, reading.done, reading.total) == ("read", 12, 12)
    assert reading.dataset.fingerprint == known.fingerprint
    assert reading.dataset.report == known.report
    queue.keep(reading, "mine")
    assert queue.uploads() == [] and work(root) == []
    assert load_own("mine").fingerprint == known.fingerprint


def test_it_is_found_again_by_whoever_asks_next(queue, pets):
    reading = finish(upload(queue, pets))
    assert queue.uploads() == [reading]
    queue.discard(reading)
    assert queue.uploads() == [] and list_own() == []


def test_what_was_read_before_a_stop_came_is_shown(queue, pets):
    reading = finish(upload(queue, pets))
    queue.stop(reading)
    assert queue.uploads() == [reading] and not reading.stopped.is_set()


def test_the_uploaded_file_goes_once_it_is_read(root, queue, pets):
    reading = upload(queue, pets)
    finish(reading)
    assert not reading.path.exists()
    assert [path.name for folder in work(root) for path in folder.glob("*.zip")] == []


def test_a_name_that_is_taken_leaves_the_images_to_be_kept_by_another(queue, pets):
    reading = finish(upload(queue, pets))
    with pytest.raises(ExplorerError, match="is a data set of Latent Explorer"):
        queue.keep(reading, "mnist")
    assert queue.uploads() == [reading]
    queue.keep(reading, "mine")


def test_what_cannot_be_read_says_why_and_the_next_is_read(queue, tmp_path, pets):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pets.read_bytes()[:200])
    first, second = upload(queue, broken), upload(queue, pets)
    finish(second)
    assert first.state == "failed" and first.message.endswith(".")
    with pytest.raises(ExplorerError) as known:
        read_images(broken)
    assert first.message == str(known.value)
    with pytest.raises(ExplorerError, match=r"broken\.zip has not been read"):
        queue.keep(first, "mine")


def test_two_uploads_are_read_one_after_the_other(queue, pets, held):
    first, second = upload(queue, pets, size=8), upload(queue, pets, fit="pad")
    wait_until(lambda: first.done)
    assert (first.state, first.done, first.total) == ("reading", 3, 12)
    assert second.state == "waiting"
    assert [rules["size"] for _, rules in held] == [8]
    queue.stop(first)
    wait_until(lambda: second.state == "reading")
    assert queue.uploads() == [second] and held[-1][1]["fit"] == "pad"


def test_one_that_waits_is_let_go_unread(root, queue, pets, held):
    first, second = upload(queue, pets), upload(queue, pets)
    wait_until(lambda: first.done)
    queue.stop(second)
    assert queue.uploads() == [first] and len(work(root)) == 1


def test_a_reading_is_stopped_and_leaves_nothing(root, queue, endless, tmp_path):
    import zipfile

    path = tmp_path / "endless.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for at in range(12):
            archive.write(endless / "0.png", f"{at}.png")
    reading = upload(queue, path)
    wait_until(lambda: reading.done)
    queue.discard(reading)
    assert queue.uploads() == []
    wait_until(lambda: work(root) == [])


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("pets.zip", LARGEST_UPLOAD + 1, "larger than 200 MB is added by command line"),
        ("pets.rar", 10, "drop a .zip or an .npz file"),
        ("pets", 10, "drop a .zip or an .npz file"),
    ],
)
def test_what_is_refused_at_the_door_is_not_copied(root, queue, name, size, message):
    with pytest.raises(ExplorerError, match=message):
        queue.add(io.BytesIO(b"0" * 10), name, size)
    assert queue.uploads() == [] and work(root) == []


@pytest.mark.parametrize("name", ["../../up.zip", "C:\\docs\\up.zip", "/etc/up.zip"])
def test_a_file_name_leads_nowhere(root, queue, held, name):
    reading = queue.add(io.BytesIO(b"0"), name, 1)
    assert reading.name == "up.zip"
    assert reading.path.parent.parent == root / "own" / "work"


def test_a_long_name_of_any_script_fits_on_the_disk(queue, held):
    assert queue.add(io.BytesIO(b"0"), "猫" * 300 + ".zip", 1).path.is_file()


def test_so_many_may_be_here_at_a_time(queue, pets, held):
    for _ in range(ReadingQueue.most):
        upload(queue, pets)
    with pytest.raises(ExplorerError, match="4 files are here already"):
        upload(queue, pets)
    queue.discard(queue.uploads()[-1])
    upload(queue, pets)


def test_what_one_visit_holds_leaves_room_for_the_next(queue, pets, held, monkeypatch):
    for _ in range(ReadingQueue.most):
        upload(queue, pets, owner="first")
    upload(queue, pets, owner="second")
    monkeypatch.setattr(ReadingQueue, "most_of_all", len(queue.uploads()))
    with pytest.raises(ExplorerError, match="5 files of all visitors are here already"):
        upload(queue, pets, owner="third")


def test_what_a_killed_server_left_goes_with_the_next_start(root):
    left = root / "own" / "work" / "left"
    left.mkdir(parents=True)
    (left / "pets.zip").write_bytes(b"0")
    ReadingQueue().close()
    assert work(root) == []
