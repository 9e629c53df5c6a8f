"""A run is called one thing on every page."""

import json
import shutil

import pytest

from explorer.app.parts.names import free_name, label_run, name_training, title_run
from explorer.app.views.runs.compare import list_told
from explorer.app.views.train.watch import Watched, _explain_curves
from explorer.config import Config, ModelConfig
from explorer.export.payload import describe_figures
from explorer.recipes import categorical_config
from explorer.runs.apart import find_differences
from explorer.runs.run import Run
from explorer.runs.store import find_run


@pytest.fixture
def named(tiny_run, tmp_path):
    """A run that its owner has named, with marks that Markdown would take for its own."""
    shutil.copytree(tiny_run.path, tmp_path / "mine")
    run = Run(tmp_path / "mine", "mine")
    run.rename("my *best*")
    return run


def test_a_new_run_is_called_by_its_images_and_the_size_of_its_code_in_no_language():
    assert name_training(Config(dataset="shapes", model=ModelConfig(latent_dim=5))) == "shapes · 5D"
    quantised = categorical_config("digits", (1, 8, 8), codebook=32)
    assert name_training(quantised) == "digits · VQ-VAE 32"


def test_a_name_goes_with_its_id_where_they_differ(named):
    assert label_run(named) == "my *best* · mine"
    assert title_run(named) == r"**my \*best\*** :small[:gray[mine]]"
    shipped = find_run("mnist-2d")
    assert label_run(shipped) == "mnist-2d" and title_run(shipped) == r"**mnist\-2d**"


def test_a_beta_that_was_moved_stands_behind_the_name_on_every_page(named):
    path = named.path / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["timing"]["beta"] = 24.0
    path.write_text(json.dumps(content), encoding="utf-8")
    assert label_run(named) == "my *best* · β 1 → 24 · mine"
    assert title_run(named).startswith(r"**my \*best\* · β 1 → 24**")


def test_a_name_that_is_taken_is_numbered():
    assert free_name("digits", set()) == "digits"
    assert free_name("digits", {"digits"}) == "digits (2)"
    assert free_name("digits", {"digits", "digits (2)", "digits (4)"}) == "digits (3)"


def test_the_caption_of_the_curves_knows_a_collapse():
    """At KL 0 no code is being put to use."""
    told = {}
    for name in ("digits-collapsed", "digits-cured"):
        run = find_run(name)
        told[name] = _explain_curves(Watched(run, run.info, run.metrics("train")))
    assert told["digits-collapsed"].startswith("KL is at 0.00 nats: the code says nothing")
    assert "being put to use" in told["digits-cured"]


def test_the_map_is_told_of_a_moved_beta_too(named):
    assert "moved" not in describe_figures(named)
    path = named.path / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["timing"]["beta"] = 24.0
    path.write_text(json.dumps(content), encoding="utf-8")
    assert describe_figures(named)["moved"] == "1 → 24"
    assert title_run(named, is_steered=True) == r"**my \*best\***"


def test_side_by_side_a_moved_beta_is_a_setting_that_differs(named):
    planned = list_told(named)
    path = named.path / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["timing"]["beta"] = 24.0
    path.write_text(json.dumps(content), encoding="utf-8")
    assert find_differences([planned, list_told(named)]) == ["objective.beta"]
    assert list_told(named)["objective.beta"] == "1 → 24"
