"""Commands from many viewers to one job: none lost, each once, in order; old ones do no harm."""

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ExplorerError
from explorer.runs.control import ACTIONS, Command, Control
from tests.helpers import present


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_commands_are_numbered_and_read_once_in_order(run):
    viewer, job = Control(run), Control(run)
    assert [viewer.send("pause"), viewer.send("beta", 2), viewer.send("resume")] == [1, 2, 3]
    assert job.pending(0) == [Command(1, "pause"), Command(2, "beta", 2.0), Command(3, "resume")]
    assert job.pending(3) == []
    viewer.send("stop")
    assert job.pending(3) == [Command(4, "stop")]


def test_a_cleared_channel_has_no_old_commands(run):
    Control(run).send("stop")
    Control(run).clear()
    assert Control(run).pending(0) == []
    assert Control(run).send("pause") == 1


def test_without_a_file_nothing_is_asked(run):
    assert Control(run).pending(0) == []


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "null", "3", '[{"number": 1}]', '[["a"]]', "[" * 9000,
        '[{"number": "1", "action": "stop"}]', '[{"number": 1, "action": 2}]',
        '[{"number": 1, "action": "beta", "value": "2"}]',
        '[{"number": 1, "action": "beta", "value": 1e999}]',
        '[{"number": 1, "action": "beta"}]',
    ],
)  # fmt: skip
def test_a_broken_file_asks_for_nothing(run, content):
    (run / "control.json").write_text(content, encoding="utf-8")
    assert Control(run).pending(0) == []


@pytest.mark.parametrize("value", [None, -1.0, float("nan"), float("inf"), 1e9])
def test_a_beta_that_is_no_sensible_number_is_refused(run, value):
    with pytest.raises(ExplorerError, match="β must be from 0 to 10000"):
        Control(run).send("beta", value)
    assert not (run / "control.json").exists()


def test_an_unknown_action_is_refused(run):
    with pytest.raises(ExplorerError, match="not 'explode'"):
        Control(run).send("explode")


def test_a_run_that_is_gone_is_told_and_not_brought_back(tmp_path):
    with pytest.raises(ExplorerError, match="There is no run"):
        Control(tmp_path / "gone").send("stop")
    assert list(tmp_path.iterdir()) == []


def test_a_held_lock_is_told(run, monkeypatch):
    def refuse(self, *arguments, **options):
        raise Timeout("control.lock")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(ExplorerError, match="Another viewer"):
        Control(run).send("stop")


def test_a_folder_that_takes_no_lock_is_told(run, monkeypatch):
    def refuse(self, *arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(ExplorerError, match="cannot be written to"):
        Control(run).send("stop")


def test_threads_with_one_or_two_channels_lose_no_command(run):
    """Two tabs of one server: each sends its own β values while the job polls."""
    shared, count = Control(run), 25
    channels = [shared, shared, Control(run)]

    def send(tab, channel):
        for index in range(count):
            channel.send("beta", tab * 1000 + index)

    tabs = [threading.Thread(target=send, args=pair) for pair in enumerate(channels)]
    for tab in tabs:
        tab.start()
    job = Control(run)
    applied: list[Command] = []
    while any(tab.is_alive() for tab in tabs):
        applied += job.pending(applied[-1].number if applied else 0)
    applied += job.pending(applied[-1].number if applied else 0)
    assert [command.number for command in applied] == list(range(1, 3 * count + 1))
    values = [present(command.value) for command in applied]
    for number in range(3):
        mine = [value for value in values if value // 1000 == number]
        assert mine == [number * 1000 + index for index in range(count)]


def test_processes_lose_no_command(run):
    """Two servers on one run."""
    code = (
        "import sys; from explorer.runs.control import Control; control = Control(sys.argv[1])\n"
        "for index in range(25): control.send('beta', int(sys.argv[2]) * 1000 + index)"
    )
    senders = [
        subprocess.Popen([sys.executable, "-c", code, str(run), str(tab)]) for tab in range(2)
    ]
    assert [sender.wait() for sender in senders] == [0, 0]
    commands = Control(run).pending(0)
    assert [command.number for command in commands] == list(range(1, 51))
    assert {c.value for c in commands} == {1000 * tab + i for tab in range(2) for i in range(25)}


events = st.lists(st.sampled_from([*ACTIONS, "poll", "clear"]), max_size=30)


@given(events)
def test_whatever_viewers_do_the_job_hears_each_command_once(events):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run.json").write_text("{}", encoding="utf-8")
        tabs, job = [Control(folder), Control(folder)], Control(folder)
        sent: list[tuple[int, str]] = []
        heard: list[tuple[int, str]] = []
        applied = 0

        def poll():
            nonlocal applied
            for command in job.pending(applied):
                heard.append((command.number, command.action))
                applied = command.number

        for turn, event in enumerate(events):
            if event == "poll":
                poll()
            elif event == "clear":
                # A job that starts: what was heard or not before is void.
                job = Control(folder)
                job.clear()
                sent, heard, applied = [], [], 0
            else:
                number = tabs[turn % 2].send(event, 1.0 if event == "beta" else None)
                sent.append((number, event))
        poll()
        assert heard == sent
        assert [number for number, _ in heard] == list(range(1, len(heard) + 1))
        if (folder / "control.json").exists():
            json.loads((folder / "control.json").read_text(encoding="utf-8"))
