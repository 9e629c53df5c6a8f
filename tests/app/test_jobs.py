"""A job's buttons and its place in the queue, as pages show them."""

from streamlit.testing.v1 import AppTest

from explorer.app.session import library
from explorer.app.views.train import watch
from explorer.runs.control import Control
from explorer.runs.writer import mark_run
from explorer.text import say
from tests.app.test_pages import open_page
from tests.helpers import present


def queue_two(tiny_run):
    """Queue two trainings and return their runs, in order."""
    config = present(tiny_run.info.config)
    return [library().start(config, name) for name in ("first", "second")]


def test_a_job_that_waits_says_how_many_come_before_it(runs, tiny_run, monkeypatch):
    told = []
    monkeypatch.setattr(watch, "show_empty_stage", lambda run, waiting, key: told.append(waiting))
    first, second = queue_two(tiny_run)
    assert [library().jobs_before(run.path) for run in (first, second)] == [0, 1]
    for run in (second, first):
        open_page("train", run=run.id)
    assert told == [say("en", "job.behind", count=1), say("en", "job.waiting")]


def test_stop_takes_a_waiting_job_from_the_queue(runs, tiny_run):
    _, second = queue_two(tiny_run)
    open_page("train", run=second.id).button(key="train_unqueue").click().run()
    assert second.info.status.state == "stopped"
    assert len(library().queue.jobs()) == 1


def test_one_button_pauses_and_goes_on(runs, tiny_run):
    first, _ = queue_two(tiny_run)
    for state, name, action in (("running", "pause", "pause"), ("paused", "resume", "resume")):
        mark_run(first.path, state)
        button = open_page("train", run=first.id).button(key="train_pause")
        assert button.label == say("en", f"job.{name}")
        button.click().run()
        assert present(Control(first.path).latest(action)).action == action


def test_a_stopped_training_goes_on(runs, tiny_run):
    first, _ = queue_two(tiny_run)
    library().queue.stop(first.path)
    app = open_page("train", run=first.id)
    app.button(key="train_continue").click().run()
    assert first.info.status.state == "queued"
    assert first.path in [job.directory for job in library().queue.jobs()]


def test_what_is_refused_is_a_toast(runs):
    def page():
        from explorer.app.parts.jobs import try_or_toast
        from explorer.errors import ExplorerError

        def refuse():
            raise ExplorerError("Not *now*.")

        assert not try_or_toast(refuse)

    (toast,) = AppTest.from_function(page).run().toast
    assert toast.value == r"Not \*now\*\."
