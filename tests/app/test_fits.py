"""A linear model asked for on Models: queued like any training, followed, and found among the rest.

With a worker, in a browser: tests/browser/test_models.py.
"""

import json
import shutil

import pytest

from explorer.app.session import library
from explorer.runs.run import Run
from explorer.runs.writer import mark_run
from explorer.text import say
from explorer.training.loop import train
from tests.app.test_pages import open_page, said


@pytest.fixture
def compared(runs):
    """Models, open on two runs of the digits."""
    return open_page("models", images="digits", models="good,digits-2d")


def ask_for_fit(app, method="fa", latents=3):
    app.selectbox(key="compare_fit_model").set_value(method)
    app.number_input(key="compare_fit_latents_63").set_value(latents)
    app.button(key="compare_fit").click()
    return app.run()


def newest(folder):
    """Return the one run of a fit in the visitor's folder."""
    found = [Run(path.parent) for path in folder.glob("*/run.json") if path.parent.name != "good"]
    (run,) = found
    return run


def chosen(app):
    (widget,) = [w for w in app.multiselect if (w.key or "").startswith("compare_of_digits")]
    return widget.value


def test_a_fit_waits_in_the_queue_and_nothing_is_trained_in_the_server(runs, compared):
    app = ask_for_fit(compared)
    assert list(app.exception) == []
    run = newest(runs)
    config = run.info.config
    assert config is not None
    assert (config.method, config.model.latent_dim, config.dataset) == ("fa", 3, "digits")
    assert run.info.status.state == "queued" and not run.snapshot_steps()
    assert [job.directory for job in library().queue.jobs()] == [run.path]
    model = say("en", "compare.kind.fa")
    assert say("en", "compare.fit_queued", model=model) in said(app)
    assert chosen(app) == ["good", "digits-2d"]


def test_a_fit_that_runs_says_for_how_long(runs, compared):
    ask_for_fit(compared)
    run = newest(runs)
    mark_run(run.path, "running")
    values = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    values["created"] -= 7
    (run.path / "run.json").write_text(json.dumps(values), encoding="utf-8")
    words = [line for line in said(compared.run()) if "Factor analysis to digits" in line]
    assert len(words) == 1 and any(f"for {seconds} s" in words[0] for seconds in (7, 8, 9, 10))


def test_a_fit_that_has_ended_stands_among_the_models_until_it_is_taken_away(runs, compared):
    ask_for_fit(compared)
    run = newest(runs)
    config = run.info.config
    assert config is not None
    train(config, run.path)
    app = compared.run()
    assert list(app.exception) == []
    assert chosen(app) == ["good", "digits-2d", run.id]
    assert app.query_params["models"] == ",".join(chosen(app))
    assert not any("Factor analysis was" in line or "waits" in line for line in said(app))
    (widget,) = [w for w in app.multiselect if (w.key or "").startswith("compare_of_digits")]
    app = widget.set_value(["good", run.id]).run()
    assert chosen(app.run()) == ["good", run.id]
    (widget,) = [w for w in app.multiselect if (w.key or "").startswith("compare_of_digits")]
    app = widget.set_value(["good", "digits-2d"]).run()
    assert chosen(app.run()) == ["good", "digits-2d"], "it is not put back"


def test_the_last_of_five_makes_room(runs):
    for name in ("b", "c", "d"):
        shutil.copytree(runs / "good", runs / name)
    app = open_page("models", images="digits", models="good,b,c,d,digits-2d")
    ask_for_fit(app, latents=2)
    (path,) = [p for p in runs.glob("*-fa-2d-*") if p.is_dir()]
    config = Run(path).info.config
    assert config is not None
    train(config, path)
    assert chosen(app.run()) == ["good", "b", "c", "d", path.name]


def test_a_fit_that_failed_says_why(runs, compared):
    ask_for_fit(compared, method="ica")
    run = newest(runs)
    mark_run(run.path, "failed", "ICA did not settle.")
    app = compared.run()
    model = say("en", "compare.kind.ica")
    told = say("en", "compare.fit_failed", model=model, message="ICA did not settle.")
    assert told in said(app)
    assert chosen(app) == ["good", "digits-2d"]
    # A removed run is no longer spoken of.
    library().own.delete(run.id)
    assert told not in said(compared.run())


def test_as_many_latents_as_pixels_cannot_be_asked_for(compared):
    assert compared.number_input(key="compare_fit_latents_63").max == 63
