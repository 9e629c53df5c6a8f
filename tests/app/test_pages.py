"""One bad run breaks no page: each page as it is made for a visitor, without a browser."""

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import explorer
from explorer.app.text import JOINER, plain
from explorer.app.views.models.compare_card import describe
from explorer.datasets import load_dataset
from explorer.library import Library
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.runs.sweeps import prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.text import catalogue, say
from explorer.training.family import family_configs
from tests.helpers import list_tables, present
from tests.models.adopted.strangers import adopt_own
from tests.small_run import die

VIEWS = Path(explorer.__file__).parent / "app" / "views"
PAGES = {
    "explore": "model",
    "train": "run",
    "collapse": "run",
    "elbo": "run",
    "models": "models",
    "runs": None,
}
"""Pages that list runs, with the word in the address that asks for one."""
NAME = "[x](https://evil.example) ![](//evil.example/a) **b** :red[c] www.evil.example"


def find_view(page):
    path = VIEWS / f"{page}.py"
    return path if path.is_file() else VIEWS / page / "page.py"


def open_page(page, **address):
    app = AppTest.from_file(str(find_view(page)))
    app.default_timeout = 120
    for word, value in address.items():
        app.query_params[word] = value
    return app.run()


def said(app):
    """Return all sentences of a page, as the visitor reads them."""
    shown = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    return [element.value.replace("\\", "").replace(JOINER, "") for element in shown]


def find_given(app, component):
    """Return what the page gives to its one component of a name."""
    found = [each.proto for each in app.get("bidi_component")]
    (only,) = (each for each in found if each.component_name == f"explorer_{component}")
    return json.loads(only.json)[0]


def change(path, **values):
    content = json.loads((path / "run.json").read_text(encoding="utf-8"))
    (path / "run.json").write_text(json.dumps({**content, **values}), encoding="utf-8")


def break_run(path, name):
    """Break a copy of the good run in one of several ways."""
    if name == "description":
        change(path, created=None)
    elif name == "nesting":
        (path / "run.json").write_text("[" * 10_000, encoding="utf-8")
    elif name == "codes":
        np.savez(path / "codes.npz", mean=np.full((300, 2), "x"), ids=np.arange(300))
    elif name == "codes of another size":
        np.savez(path / "codes.npz", mean=np.zeros((9, 5)), logvar=np.zeros((9, 5)))
    elif name == "codes that are none":
        nothing = np.full((300, 2), np.nan)
        np.savez(path / "codes.npz", mean=nothing, logvar=nothing, ids=np.arange(300))
    elif name == "weights":
        (path / "checkpoint.safetensors").write_bytes(b"nonsense")
    elif name == "film":
        for frame in (path / "snapshots").iterdir():
            frame.write_bytes(b"PK nonsense")
    elif name == "log":
        line = {"step": 1, "seconds": 1, "beta": 1, "objective": 1, "elbo": -1, "reconstruction": 1}
        lines = [{**line, "kl": "much"}, {**line, "kl": 1, "kl_per_dim": [None, 2]}, line]
        content = "".join(json.dumps(entry) + "\n" for entry in lines)
        (path / "metrics.jsonl").write_text(content, encoding="utf-8")
    elif name == "results":
        change(path, results={"test": {"kl": 1.0, "note": ["x"]}, "all": {}}, timing={})
    elif name == "side files":
        for file in ("diagnosis.json", "holes.json", "theory.json", "viewer.json", "control.json"):
            (path / file).write_text("[[3]]", encoding="utf-8")


WAYS = (
    "description", "nesting", "codes", "codes of another size", "codes that are none", "weights",
    "film", "log", "results", "side files",
)  # fmt: skip


PAIRS = [(page, way) for page in PAGES for way in WAYS]
EVERY = 3
"""Of how many pairs `make test` tries one; so it comes by each page, and by each way."""


@pytest.mark.filterwarnings("ignore:.*(invalid value|Mean of empty):RuntimeWarning")
@pytest.mark.parametrize(
    ("page", "way"),
    [
        pytest.param(*pair, marks=pytest.mark.slow if number % EVERY else ())
        for number, pair in enumerate(PAIRS)
    ],
)
def test_a_bad_run_breaks_no_page(runs, page, way):
    """Neither the page that opens, nor the one that is asked for the bad run."""
    shutil.copytree(runs / "good", runs / "bad")
    break_run(runs / "bad", way)
    address, word = {}, PAGES[page]
    if word is not None:
        address[word] = "bad"
    if page == "models":
        address |= {"models": "bad,good", "images": "digits"}
    app = open_page(page, **address)
    assert [entry.message for entry in app.exception] == []
    assert len(app.main.children) > 0


@pytest.mark.filterwarnings("ignore:.*(invalid value|Mean of empty):RuntimeWarning")
@pytest.mark.parametrize("way", WAYS)
def test_a_bad_member_breaks_no_sweep(runs, tiny_run, way):
    configs = family_configs(tiny_run.info.config, (1.0, 4.0, 8.0))
    sweep = prepare_sweep(runs / "lab", "sweep", configs)
    for name, config in configs.items():
        shutil.copytree(runs / "good", sweep.path / name)
        change(sweep.path / name, config=config.to_dict())
    break_run(sweep.path / "beta-4", way)
    (sweep.path / "theory.json").write_text("[[3]]", encoding="utf-8")
    app = open_page("beta", sweep="lab")
    assert [entry.message for entry in app.exception] == []
    assert app.selectbox(key="beta_choose").value == "lab"


def test_the_runs_page_says_what_cannot_be_read_and_why(runs):
    for name, way in (("broken", "nesting"), ("wrong", "description")):
        shutil.copytree(runs / "good", runs / name)
        break_run(runs / name, way)
    shutil.copytree(runs / "good", runs / "of another time")
    (runs / "newer").mkdir()
    (runs / "newer" / "run.json").write_text('{"schema": 7}', encoding="utf-8")
    app = open_page("runs")
    assert list(app.exception) == []
    (unreadable,) = app.expander
    assert unreadable.label == "Folders that cannot be read as runs: 4"
    told = said(unreadable)
    assert "- **broken**: its run.json is empty, damaged, or no plain JSON file." in told
    assert "- **wrong**: created in its run.json is missing or not what it must be." in told
    assert "- **newer**: written by another version (schema 7)." in told
    assert any(
        line.startswith("- **of another time**: the folder's name is no id") for line in told
    )
    for language, word in (("zh-Hans", "无法"), ("zh-Hant", "無法")):
        assert word in open_page("runs", lang=language).expander[0].label


def test_the_runs_page_names_what_stands_in_a_shipped_ones_place(runs):
    assert not any("in place of the shipped" in line for line in said(open_page("runs")))
    (runs / "good").rename(runs / "mnist-2d")
    (line,) = (line for line in said(open_page("runs")) if "in place of the shipped" in line)
    assert line.startswith("mnist-2d: ")


@pytest.mark.parametrize("page", ["explore", "elbo", "collapse", "models", "train"])
def test_an_id_opens_the_visitors_own_run_on_every_page(runs, page):
    (runs / "good").rename(runs / "mnist-20d")
    Run(runs / "mnist-20d").rename("Mine")
    address = {present(PAGES[page]): "mnist-20d"}
    if page == "models":
        address = {"models": "mnist-20d,digits-2d", "images": "digits"}
    app = open_page(page, **address)
    assert list(app.exception) == []
    if page == "train":
        assert any("**Mine** :small[" in line and "· finished" in line for line in said(app))
    elif page == "collapse":
        assert len(list_tables(app)[0]) == 2, "its latents, not the shipped one's twenty"
    elif page == "models":
        assert app.multiselect(key="compare_of_digits").value == ["mnist-20d", "digits-2d"]
    elif page == "elbo":
        assert app.selectbox(key="elbo_model").value == "mnist-20d"
        assert "Mine · mnist-20d" in app.selectbox(key="elbo_model").options
        # Of two latents, unlike the shipped one's twenty, the identity is exact.
        assert any(catalogue()["elbo.microscope.lead"] == line for line in said(app))


def test_a_model_that_is_asked_for_twice_stands_there_once(runs):
    app = open_page("models", models="strokes-vae-2d,strokes-vae-2d,strokes-ae-2d")
    assert list(app.exception) == []
    chosen = app.multiselect(key="compare_of_strokes").value
    assert chosen == ["strokes-vae-2d", "strokes-ae-2d"]


@pytest.mark.parametrize("name", ["model", "run", "models"])
def test_models_opens_on_the_images_of_the_run_that_is_asked_for(name):
    app = open_page("models", **{name: "digits-2d"})
    assert app.selectbox(key="compare_images").value == "digits"
    assert not app.exception and not [w for w in app.toast if "digits" in str(w.value)]


def test_what_others_wrote_is_shown_letter_by_letter(runs):
    """A run's name, its failure, its folder's name; in a browser: tests/browser/test_runs.py."""
    Run(runs / "good").rename(NAME)
    status = json.loads((runs / "good" / "run.json").read_text(encoding="utf-8"))["status"]
    change(runs / "good", status={**status, "state": "failed", "message": NAME})
    app = open_page("train", run="good")
    (failure,) = (error.value for error in app.error)
    assert plain(NAME) in failure
    assert any(plain(NAME) in entry.value for entry in app.markdown)
    (runs / "www.evil.example").mkdir()
    (runs / "www.evil.example" / "run.json").write_text("", encoding="utf-8")
    assert any(plain("www.evil.example") in entry.value for entry in open_page("runs").markdown)
    app = open_page("train", run=NAME)
    assert [plain(NAME) in error.value for error in app.error] == [True]


def test_a_run_of_a_loop_of_ones_own_is_shown_where_it_can_be(runs):
    with RunWriter(runs / "own", latent_dim=3) as writer:
        writer.log(1, reconstruction=2.0)
        writer.snapshot(1, np.zeros((4, 3)), samples=np.zeros((2, 5, 5)))
        writer.save_codes(np.zeros((4, 3)))
        writer.set_results({"test": {"accuracy": 0.5}}, {})
    for page, word in PAGES.items():
        app = open_page(page, **({word: "own"} if word else {}))
        assert [entry.message for entry in app.exception] == []


def test_a_beta_that_nobody_stated_is_shown_as_unknown(runs):
    with RunWriter(runs / "unstated", latent_dim=2) as writer:
        for step, kl in ((1, [2.0, 2.0]), (2, [2.0, 0.0]), (3, [2.0, 0.0])):
            writer.log(step, reconstruction=9.0, kl_per_dim=kl)
    app = open_page("train", run="unstated")
    shown = " ".join(entry.proto.body for entry in app.get("html"))
    assert list(app.exception) == [] and "· β —" in shown
    (told,) = [entry.value for entry in app.caption if "fell asleep" in entry.value]
    assert "fell asleep at step 2." in told, "nothing is said of a β that nobody stated"


def test_a_loop_of_ones_own_is_diagnosed_from_train_and_hears_no_commands(runs):
    with RunWriter(runs / "own", latent_dim=2) as writer:
        for step in (1, 2):
            writer.log(step, reconstruction=9.0, kl_per_dim=[1.0, 2.0])
        writer.save_codes(np.zeros((4, 2)), np.zeros((4, 2)))
    labels = [button.label for button in open_page("train", run="own").button]
    assert labels[-1] == "Diagnose it" and "Open in Explore" not in labels
    silent = RunWriter(runs / "silent", latent_dim=2)
    silent.log(1, reconstruction=9.0)
    die(silent.path)
    app = open_page("train", run="silent")
    (warning,) = app.warning
    assert "has not been heard of" in warning.value and "Go on" not in warning.value


def test_pages_take_up_nothing_twice(runs):
    """Five visits, one queue, and what waited once in it."""
    from explorer.jobs import host

    info = Run(runs / "good").info
    die(RunWriter(runs / "waits", config=info.config, model_kind="config").path)
    for _ in range(5):
        assert list(open_page("train").exception) == []
    assert [job.directory.name for job in host.get_runner().jobs()] == ["waits"]
    assert os.getpid() == Run(runs / "waits").info.status.pid
    assert {run.id for run in RunStore(runs).list()} == {"good", "waits"}


def test_known_factors_are_offered_once(runs, monkeypatch):
    images = load_dataset("digits")
    factors = {"half": present(images.labels) // 5}
    known = dataclasses.replace(images, factors=factors)
    monkeypatch.setattr(Library, "images_of", lambda self, run, at_once=False: known)
    app = open_page("collapse", run="digits-2d")
    assert list(app.exception) == []
    assert [toggle.key for toggle in app.toggle] == ["collapse_factors"]


# A model that was made elsewhere.


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The digits model as somebody else's, in a folder of runs of its own."""
    folder = tmp_path_factory.mktemp("strangers")
    own = explorer.open_run("digits-2d").model
    adopt_own(folder / "stranger", own, "digits", name="Stranger", data_root=folder)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_page_serves_a_model_that_was_made_elsewhere(page, stranger, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(stranger))
    word = PAGES[page]
    address = {} if word is None else {word: "stranger"}
    if page == "models":
        address = {"models": "stranger,digits-2d", "images": "digits"}
    app = open_page(page, **address)
    assert not app.exception and not app.error
    if page == "models":
        assert "stranger" in app.multiselect[0].value


def test_its_self_test_stands_before_any_verdict(stranger, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(stranger))
    app = open_page("collapse", run="stranger")
    words = [element.value for element in app.success]
    assert any("nothing that speaks against" in sentence for sentence in words)
    assert any("weights imply β = 0.9" in sentence for sentence in said(app))
    assert any("Only a model that was trained here" in sentence for sentence in said(app))


def test_its_beta_stands_beside_it_in_the_comparison(stranger):
    run = Run(stranger / "stranger")
    assert re.fullmatch(r"Stranger: 2 latents, β = (0\.9\d?|1) by its weights", describe(run))


def test_a_model_that_was_fed_with_noise_is_told_and_not_called_healthy(
    stranger, tmp_path, monkeypatch
):
    own = explorer.open_run("digits-2d").model
    noise = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), np.uint8)
    adopt_own(tmp_path / "noisy", own, noise, data_root=tmp_path)
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    app = open_page("collapse", run="noisy")
    (warning,) = [w.value for w in app.warning if "speaks against any verdict" in w.value]
    assert "other images than it was trained on" in warning
    assert not any("nothing that speaks against" in s.value for s in app.success)


def test_runs_without_a_log_are_compared_without_curves(stranger, tmp_path, monkeypatch):
    for name in ("one", "other"):
        shutil.copytree(stranger / "stranger", tmp_path / name)
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    app = open_page("runs", ticked="one,other")
    assert not app.exception
    assert "None of them has a log of its training: there are no curves to compare." in said(app)


def test_the_weights_of_a_model_of_ours_tell_its_beta_on_demand():
    app = open_page("collapse", run="digits-2d")
    assert not any("weights imply" in words for words in said(app))
    app.button(key="collapse_read_weights").click().run()
    (told,) = [words for words in said(app) if "weights imply" in words]
    assert told.startswith("It was trained with β = 1. Its weights imply β = ")
    implied = float(present(re.search(r"imply β = ([0-9.]+)", told)).group(1))
    assert implied == pytest.approx(1, rel=0.1)
    assert any("nothing that speaks against" in element.value for element in app.success)


@pytest.mark.parametrize(
    "report", [7, {"findings": "beta", "explained": "much"}, {"findings": [7]}]
)
def test_a_self_test_of_anybodys_making_breaks_no_page(report, stranger, tmp_path, monkeypatch):
    shutil.copytree(stranger / "stranger", tmp_path / "odd")
    path = tmp_path / "odd" / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["adopted"] |= {"report": report, "beta": {"implied": 3}, "also_fits": [1, {}]}
    path.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    app = open_page("collapse", run="odd")
    assert not app.exception


def test_what_cannot_be_read_of_one_run_leaves_the_rest_of_a_comparison(runs):
    shutil.copytree(runs / "good", runs / "bad")
    for frame in (runs / "bad" / "snapshots").glob("*.npz"):
        frame.write_bytes(b"PK\x03\x04 torn")
    app = open_page("runs", ticked="good,bad")
    assert not app.exception
    (error,) = app.error
    assert "of run bad is broken" in error.value
    assert [metric.label for metric in app.metric] == [
        say("en", f"runs.column.{name}")
        for name in ("elbo", "reconstruction", "kl", "elbo", "reconstruction", "kl")
    ]
