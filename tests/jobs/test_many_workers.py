"""The queue before several workers, some of which are lost: fakes stand for who trains."""

import threading

import pytest

from explorer.config import BudgetConfig, Config
from explorer.errors import ExplorerError
from explorer.jobs import queue
from explorer.jobs.queue import LocalRunner
from explorer.jobs.workers import SchedulerLost
from explorer.runs.control import Control
from explorer.runs.run import Run
from explorer.runs.writer import mark_run
from tests.waiting import wait_until

CONFIG = Config(budget=BudgetConfig(seconds=10))


class Fake:
    """Answers what it is told to, once it may."""

    def __init__(self, answers, heard, gate):
        self.answers, self.heard, self.gate = answers, heard, gate
        self.pid: int | None = 1
        self.killed = threading.Event()

    def start(self):
        self.pid = 1

    def ask(self, request):
        name = request["directory"].rpartition("/")[2]
        self.heard.append(name)
        self.gate.wait(20)
        answer = self.answers.pop(0) if self.answers else "done"
        if isinstance(answer, Exception):
            raise answer
        if answer == "lost":
            mark_run(request["directory"], "running")
            return None
        mark_run(request["directory"], "finished")
        return {"event": answer}

    def kill(self):
        self.killed.set()

    def finish(self):
        pass

    def release(self):
        self.pid = None


class Crew:
    """A queue and all its fakes."""

    def __init__(self, folder, workers=1, attempts=1, answers=()):
        self.folder, self.heard, self.gate = folder, [], threading.Event()
        self.answers, self.fakes = list(answers), []
        self.runner = LocalRunner(20, workers, attempts, self.hire)

    def hire(self):
        self.fakes.append(Fake(self.answers, self.heard, self.gate))
        return self.fakes[-1]

    def submit(self, name, **terms):
        return self.runner.submit(CONFIG, self.folder / name, **terms)


@pytest.fixture
def crew(tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "RETRY_SECONDS", 0.01)
    made = []

    def make(**settings):
        made.append(Crew(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.gate.set()
        one.runner.close()


def test_owners_have_turns(crew):
    one = crew()
    first = one.submit("a0", owner="a")
    wait_until(lambda: one.heard)
    rest = [one.submit(name, owner=name[0]) for name in ("a1", "a2", "b1", "c1")]
    assert [job.directory.name for job in one.runner.jobs()] == ["a0", "b1", "c1", "a1", "a2"]
    one.gate.set()
    for future in (first, *rest):
        future.result(20)
    assert one.heard == ["a0", "b1", "c1", "a1", "a2"]


def test_several_are_trained_at_once(crew):
    one = crew(workers=3)
    futures = [one.submit(f"a{number}") for number in range(4)]
    wait_until(lambda: len(one.heard) == 3)
    assert one.runner.count() == (3, 1)
    one.gate.set()
    for future in futures:
        future.result(20)
    assert sorted(one.heard) == ["a0", "a1", "a2", "a3"]


def test_a_place_and_a_wait_are_told(crew, tmp_path):
    one = crew()
    one.submit("a0")
    wait_until(lambda: one.heard)
    one.submit("a1")
    one.submit("a2")
    place, seconds = one.runner.expect(tmp_path / "a2")
    assert place == 2 and 15 < seconds <= 20  # Ten of each, less what has passed of the first.
    assert one.runner.expect(tmp_path / "a0") == (0, 0)
    assert one.runner.expect(tmp_path / "nobody") == (0, 0)


def test_a_lost_worker_is_replaced_and_its_run_goes_on(crew, tmp_path):
    one = crew(attempts=3, answers=["lost", "lost", "done"])
    one.gate.set()
    assert one.submit("a0").result(20).path == tmp_path / "a0"
    assert one.heard == ["a0"] * 3


def test_a_run_whose_workers_die_again_and_again_has_failed(crew):
    one = crew(attempts=2, answers=["lost", "lost"])
    one.gate.set()
    with pytest.raises(ExplorerError, match="ended unexpectedly"):
        one.submit("a0").result(20)
    assert one.heard == ["a0"] * 2
    assert one.submit("a1").result(20).id == "a1"


def test_a_lost_scheduler_is_one_sentence_and_jobs_wait(crew, tmp_path):
    lost = SchedulerLost("The Dask scheduler at 'tcp://a:1' was lost; jobs wait for it.")
    one = crew(answers=[lost] * 3 + ["done"])
    first, second = one.submit("a0"), one.submit("a1")
    one.gate.set()
    assert first.result(20).path == tmp_path / "a0" and second.result(20)
    assert one.heard == ["a0"] * 4 + ["a1"]
    wait_until(lambda: one.runner.trouble == "")
    assert one.runner.jobs() == []


def test_while_it_is_lost_the_queue_says_so(crew, tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "RETRY_SECONDS", 60)
    one = crew(answers=[SchedulerLost("The scheduler was lost.")])
    one.gate.set()
    one.submit("a0")
    wait_until(lambda: one.runner.trouble)
    assert one.runner.trouble == "The scheduler was lost."
    assert Run(tmp_path / "a0").info.status.state == "queued"
    assert [job.directory.name for job in one.runner.jobs()] == ["a0"]


def test_what_takes_too_long_is_stopped_and_then_ended(crew, tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "GRACE_SECONDS", 0.05)
    one = crew()
    one.submit("a0", longest=0.01)
    wait_until(lambda: one.fakes[0].killed.is_set())
    assert Control(tmp_path / "a0").latest("stop") is not None
