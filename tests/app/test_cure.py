"""A cure that does not come to its end says so in one sentence, with what to do."""

import shutil

import pytest

from explorer.analysis.consultation.prescription import treat
from explorer.app.session import library
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.app.test_pages import change, open_page, said
from tests.helpers import present
from tests.small_run import make_config


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A collapsed run, and its cure by a learned σ²."""
    folder = tmp_path_factory.mktemp("pair")
    sick = train(make_config(40, likelihood="gaussian", sigma2=5.0), folder / "sick")
    train(present(treat(sick, "optimal-sigma")).config, folder / "cure")
    return folder


def open_cut(pair, tmp_path, monkeypatch, **status):
    for name in ("sick", "cure"):
        shutil.copytree(pair / name, tmp_path / name)
    written = vars(Run(tmp_path / "cure").info.status)
    change(tmp_path / "cure", status={**written, **status})
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    return open_page("collapse", run="sick")


def keys(app):
    return [button.key for button in app.button]


def test_one_that_failed_says_why_and_is_gone_on_with(pair, tmp_path, monkeypatch):
    message = "The loss is no longer a number: lower the learning rate."
    app = open_cut(pair, tmp_path, monkeypatch, state="failed", step=17, message=message)
    (told,) = [error.value.replace("\\", "") for error in app.error]
    assert told.startswith(f"This training failed at step 17: {message}")
    assert "another remedy from Details" in told
    assert "collapse_go_on_cure" in keys(app)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"state": "stopped", "step": 12}, "stopped at step 12 of 40"),
        ({"state": "running", "step": 12, "heartbeat": 0.0}, "process of this training is gone"),
    ],
    ids=["stopped", "interrupted"],
)
def test_one_that_was_cut_short_does_not_count_as_compared(
    pair, tmp_path, monkeypatch, status, says
):
    app = open_cut(pair, tmp_path, monkeypatch, **status)
    (told,) = [warning.value for warning in app.warning if says in warning.value]
    assert "train it anew by its button above" in told
    assert any("Not at its end: 0 of 2 latents awake before" in words for words in said(app))
    assert not any("Compared:" in words for words in said(app))
    assert "collapse_go_on_cure" in keys(app)


def test_one_that_came_to_its_end_is_compared(pair, tmp_path, monkeypatch):
    app = open_cut(pair, tmp_path, monkeypatch)
    assert any("Compared: 0 of 2 latents awake before" in words for words in said(app))
    assert "collapse_go_on_cure" not in keys(app)


def test_a_click_queues_the_remedy_beside_its_patient(pair, tmp_path, monkeypatch):
    """With the patient's seed and budget; that it is trained and compared, a browser sees."""
    shutil.copytree(pair / "sick", tmp_path / "sick")
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    app = open_page("collapse", run="sick")
    app.button(key="collapse_remedy_optimal-sigma").click().run()
    (job,) = library().queue.jobs()
    assert job.directory.parent == tmp_path and "optimal" in job.directory.name
    sick, cure = (present(Run(path).info.config) for path in (tmp_path / "sick", job.directory))
    assert (sick.model.likelihood, cure.model.likelihood) == ("gaussian", "gaussian-optimal")
    assert (cure.seed, cure.budget) == (sick.seed, sick.budget)
    assert "sick" in Run(job.directory).name
