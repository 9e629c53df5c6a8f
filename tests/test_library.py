"""One place answers which runs, which images and whose."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from explorer.config import BudgetConfig, Config
from explorer.datasets import DATASETS, ImageDataset, load_dataset
from explorer.datasets.own.store import keep_images
from explorer.errors import ExplorerError
from explorer.library import NEEDS, Library
from explorer.paths import cache_folder
from explorer.runs.info import DatasetInfo
from explorer.runs.writer import RunWriter


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)
    return Library(tmp_path / "runs")


def some_images(count=40, side=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, side, side), dtype=np.uint8)


def describe(dataset, **changes):
    info = DatasetInfo(
        dataset.name, dataset.shape, dataset.class_names, dataset.fingerprint, dataset.pixel_digest
    )
    return dataclasses.replace(info, **changes)


def write_run(library, name, **settings):
    RunWriter(library.own.folder / name, **{"latent_dim": 2, **settings}).set_state("finished")
    return library.find(name)


def test_a_visitors_run_goes_before_a_shipped_one_of_its_name(library, tiny_run):
    assert not library.is_own(library.find("digits-2d"))
    shutil.copytree(tiny_run.path, library.own.folder / "digits-2d")
    assert library.is_own(library.find("digits-2d"))
    ids = [run.id for run in library.runs({"model"})]
    assert ids[0] == "digits-2d" and ids.count("digits-2d") == 1
    with pytest.raises(ExplorerError, match="no run 'nobody'"):
        library.find("nobody")


def test_runs_are_chosen_by_what_a_page_needs(library, tiny_run):
    shutil.copytree(tiny_run.path, library.own.folder / "trained")
    write_run(library, "loop")
    own = lambda *needs: {run.id for run in library.runs(needs) if library.is_own(run)}  # noqa: E731
    assert own() == {"trained", "loop"}
    assert own("model") == own("codes") == own("config") == own("images") == {"trained"}
    assert own("density", "shares", "map", "ended") == {"trained", "loop"}
    assert own("codebook") == set()
    (library.own.folder / "trained" / "checkpoint.safetensors").unlink()
    assert own("model") == set()
    with pytest.raises(KeyError):
        library.runs({"wings"})
    shipped = {run.id for run in library.runs({"codebook", "model", "codes"})}
    assert shipped == {"mnist-vq", "strokes-vq"}
    assert all(need in NEEDS for need in ("model", "density"))


def test_shipped_runs_may_come_first(library):
    write_run(library, "mine")
    assert library.runs()[0].id == "mine"
    assert library.runs(first="shipped")[-1].id == "mine"


def test_images_are_known_by_their_pixels(library):
    digits = load_dataset("digits")
    found = library.images_of(write_run(library, "ours", dataset=describe(digits)))
    assert found is digits
    old = describe(digits, pixels="")
    assert library.images_of(write_run(library, "older", dataset=old)) is digits
    other = describe(digits, pixels="0" * 64)
    assert library.images_of(write_run(library, "others", dataset=other)) is None


def test_a_name_alone_tells_no_images(library):
    # Own images of the same size that call themselves "digits", as ours are called.
    theirs = ImageDataset.from_arrays(some_images(side=8), name="digits")
    assert library.images_of(write_run(library, "mine", dataset=describe(theirs))) is None
    unsaid = DatasetInfo("digits", (1, 8, 8))
    assert library.images_of(write_run(library, "unsaid", dataset=unsaid)) is None
    assert library.images_of(write_run(library, "nothing")) is None


def test_a_page_waits_for_no_drawing_and_leaves_nothing_out_that_is_quick(library):
    assert library.opens_at_once("digits") and library.opens_at_once("shapes")
    assert not library.opens_at_once("strokes") and not library.opens_at_once("mnist")
    shapes = load_dataset("shapes")
    run = write_run(library, "ours", dataset=describe(shapes))
    assert library.images_of(run, at_once=True) is shapes
    older = cache_folder() / "datasets" / "strokes-v1-20000-0.npz"
    older.parent.mkdir(parents=True)
    older.touch()  # What another version drew is drawn anew.
    assert not library.opens_at_once("strokes")
    older.with_name(DATASETS["strokes"].kept_as).touch()
    assert library.opens_at_once("strokes")


@pytest.mark.mnist
def test_ones_own_mnist_is_not_mnist(library, mnist_root):
    library.data_root = mnist_root
    theirs = ImageDataset.from_arrays(some_images(), name="mnist")
    assert library.has_images("mnist")
    assert library.images_of(write_run(library, "mine", dataset=describe(theirs))) is None


def test_what_must_be_downloaded_first_is_absent_and_nothing_else_is(library):
    absent = library.absent_sets()
    assert absent == [name for name, entry in DATASETS.items() if not entry.offline]
    assert not set(absent) & set(library.image_sets())


def test_a_download_is_asked_for_by_name(library):
    with pytest.raises(ExplorerError, match="no data set 'minst'"):
        library.download("minst")


def test_ones_own_images_are_found_whatever_they_are_called(library):
    theirs = ImageDataset.from_arrays(some_images(side=12), name="cells")
    keep_images(theirs, "tissue")
    assert library.image_sets()[-1] == "tissue"
    run = write_run(library, "mine", dataset=describe(theirs))
    found = library.images_of(run)
    assert found is not None and np.array_equal(found.images, theirs.images)


def test_the_results_that_speak_for_a_run_are_the_most_held_out(library, tiny_run):
    info = tiny_run.info
    assert info.best_split == "test" and info.best_results is info.results["test"]
    only = lambda *names: dataclasses.replace(info, results={n: {"elbo": 0.0} for n in names})  # noqa: E731
    assert only("train", "all", "validation").best_split == "validation"
    assert only("train", "all").best_split == "all"
    assert only().best_split is None and only().best_results == {}


def test_what_travels_with_a_run_is_believed_of_shipped_ones_alone(library, tiny_run):
    assert library.stored(library.find("mnist-2d"), "diagnosis")["dimensions"]
    shutil.copytree(tiny_run.path, library.own.folder / "mine")
    (library.own.folder / "mine" / "diagnosis.json").write_text(
        json.dumps({"dimensions": []}), "utf-8"
    )
    assert library.stored(library.find("mine"), "diagnosis") is None


def test_a_job_on_ones_own_images_is_named_by_them(library, monkeypatch):
    kept = keep_images(ImageDataset.from_arrays(some_images(side=8), name="cells"), "tissue")
    asked = []

    class Queue:
        def submit(self, config, path, data_root, images):
            asked.append((config.dataset, path, data_root, images.pixels, images.fingerprint))
            RunWriter(path, config=config, model_kind="config")

    monkeypatch.setattr(Library, "queue", property(lambda self: Queue()))
    config = Config(dataset="tissue", budget=BudgetConfig(steps=1))
    run = library.start(config, "My cells")
    assert run.name == "My cells" and run.path.parent == library.own.folder
    assert asked == [("tissue", run.path, None, kept.pixel_digest, "")]
    # The same pixels in two sets are told apart by labels and splits.
    labelled = ImageDataset.from_arrays(kept.images, np.arange(40) % 2)
    twin = keep_images(labelled, "labelled-tissue")
    library.start(dataclasses.replace(config, dataset=twin.name))
    assert asked[-1][3:] == (kept.pixel_digest, labelled.fingerprint)
    assert load_dataset("tissue").shape == (1, 8, 8)
