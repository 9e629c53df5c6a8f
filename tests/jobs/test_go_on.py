"""Going on through the queue with any run: on the images that it was begun on, and no others."""

import dataclasses

import numpy as np
import pytest

from explorer.config import BudgetConfig
from explorer.datasets import ImageDataset, load_dataset
from explorer.datasets.own import trained
from explorer.datasets.own.store import keep_images, remove_own
from explorer.errors import ExplorerError
from explorer.jobs import host
from explorer.jobs.queue import LocalRunner
from explorer.jobs.sweep import train_member
from explorer.library import Library
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training.family import family_configs, train_family
from explorer.training.loop import train
from explorer.training.remedies import apply_remedy
from tests.helpers import present
from tests.small_run import IMAGES, SMALL, change, die, killed_at, same_runs

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def runner():
    runner = LocalRunner()
    yield runner
    runner.close()


@pytest.fixture
def library(runner, tmp_path, monkeypatch):
    # What trainings of other tests kept is not at hand.
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)
    monkeypatch.setattr(Library, "queue", property(lambda self: runner))
    return Library(tmp_path / "runs", tmp_path / "data")


@pytest.fixture
def begin(library, monkeypatch):
    """Begin a run from Python as a process that is killed in the middle."""

    def begin(images, config=SMALL, name="run", training=train):
        path = library.own.folder / name
        with killed_at(monkeypatch, 75):
            training(config, path, images, data_root=library.data_root)
        for found in [path] if (path / "run.json").is_file() else [*path.glob("*/")]:
            die(found)
        return path

    return begin


def go_on(library, path):
    """Go on as the button does, and wait for the end."""
    library.go_on(Run(path))
    jobs = [job for job in library.queue.jobs() if path in (job.directory, *job.paths())]
    for job in jobs:
        job.future.result(PATIENCE_SECONDS)
    return Run(path)


def test_a_run_on_arrays_that_nobody_holds_ends_as_if_nothing_had_been(
    library, begin, uninterrupted
):
    run = go_on(library, begin(IMAGES))
    assert run.info.status.state == "finished"
    same_runs(run, uninterrupted)


def test_labels_and_splits_go_on_too(library, begin, tmp_path):
    images = ImageDataset.from_arrays(IMAGES, np.arange(60) % 3, seed=7)
    run = go_on(library, begin(images))
    same_runs(run, train(SMALL, tmp_path / "whole", images))
    assert present(run.info.dataset).class_names == ("0", "1", "2")


def test_a_family_on_arrays_goes_on_whole(library, begin, tmp_path):
    configs = family_configs(SMALL, (0.5, 2.0))
    path = begin(IMAGES, configs, "family", train_family)
    run = go_on(library, path / "beta-2")
    whole = train_family(configs, tmp_path / "whole", IMAGES)
    assert run.info.results == whole.member("beta-2").info.results
    assert Run(path / "beta-0.5").info.status.state == "finished"


def test_too_many_images_go_on_from_python_alone_and_say_so_first(
    library, begin, uninterrupted, monkeypatch
):
    monkeypatch.setattr(trained, "KEPT_BYTES", IMAGES.nbytes - 1)
    with pytest.warns(UserWarning, match=r"goes on from Python alone.* more than is kept") as told:
        path = begin(IMAGES)
    assert [warning.filename for warning in told] == [__file__], "told of the line that trains"
    with pytest.raises(ExplorerError, match=r"not at hand: add them .* or go on from Python"):
        library.go_on(Run(path))
    assert Run(path).info.status.shown_state() == "interrupted" and library.queue.jobs() == []
    with pytest.warns(UserWarning, match="goes on from Python alone"):
        same_runs(train(SMALL, path, IMAGES), uninterrupted)


def test_a_renamed_data_set_is_still_the_runs(library, begin, tmp_path):
    kept = keep_images(ImageDataset.from_arrays(IMAGES), "cells", data_root=library.data_root)
    path = begin(kept, change(SMALL, dataset="cells"))
    keep_images(kept, "tissue", data_root=library.data_root)
    remove_own("cells", library.data_root)
    run = go_on(library, path)
    assert run.info.status.state == "finished" and present(run.info.config).dataset == "cells"


def test_a_removed_data_set_is_refused_in_one_sentence(library, begin):
    kept = keep_images(ImageDataset.from_arrays(IMAGES), "cells", data_root=library.data_root)
    path = begin(kept, change(SMALL, dataset="cells"))
    remove_own("cells", library.data_root)
    # Another set of that name and size is none of the run's.
    keep_images(ImageDataset.from_arrays(IMAGES[::-1]), "cells", data_root=library.data_root)
    with pytest.raises(ExplorerError, match="'cells', 6 × 6 pixels. are not at hand"):
        library.go_on(Run(path))


def test_pixels_that_changed_on_the_disk_are_refused(library, begin):
    path = begin(IMAGES)
    (file,) = (library.data_root / "own" / "pixels").glob("*.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ExplorerError, match="started on other images"):
        go_on(library, path)
    assert Run(path).info.status.state == "failed"


def test_images_that_call_themselves_as_ours_are_not_ours(library, begin, monkeypatch):
    theirs = np.random.default_rng(3).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    digits = change(SMALL, dataset="digits")
    path = begin(theirs, digits)
    run = go_on(library, path)
    own = present(run.info.dataset)
    assert own.name == "digits" and own.pixels != load_dataset("digits").pixel_digest
    # Nor is what is tried on the run.
    cure = library.start(apply_remedy("lower-beta", digits), images=own)
    assert present(cure.info.dataset).pixels == own.pixels
    library.queue.jobs()[-1].future.result(PATIENCE_SECONDS)
    assert present(cure.info.dataset) == own
    # Nor with a worker of a sweep, which knows no more than the folder.
    path = begin(theirs, digits, "member")
    train_member(digits.to_dict(), str(path), str(library.data_root))
    assert present(Run(path).info.dataset) == own


def test_nothing_is_tried_on_ours_where_theirs_are_gone(library, begin):
    digits = change(SMALL, dataset="digits")
    data = np.random.default_rng(4).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    kept = keep_images(ImageDataset.from_arrays(data), "eights", data_root=library.data_root)
    run = Run(begin(dataclasses.replace(kept, name="digits"), digits))
    assert library.has_images_of(run) and library.images_of(run) is not None
    remove_own("eights", library.data_root)
    with pytest.raises(ExplorerError, match="'digits', 8 × 8 pixels. are not at hand"):
        library.start(apply_remedy("lower-beta", digits), images=run.info.dataset)
    assert [found.id for found in library.runs() if library.is_own(found)] == ["run"]


def test_what_never_began_just_goes_on(library):
    config = change(SMALL, dataset="digits", budget=BudgetConfig(steps=5))
    path = RunWriter(library.own.folder / "waits", config=config, model_kind="config").path
    die(path)
    assert go_on(library, path).info.status.state == "finished"


def test_a_waiting_run_is_found_when_its_data_set_is_renamed(library):
    data = ImageDataset.from_arrays(IMAGES)
    kept = keep_images(data, "cells", data_root=library.data_root)
    config = change(SMALL, dataset="cells", budget=BudgetConfig(steps=5))
    known = library._identify("cells")
    path = RunWriter(
        library.own.folder / "waits", config=config, model_kind="config", dataset=known
    ).path
    die(path)
    keep_images(kept, "tissue", data_root=library.data_root)
    remove_own("cells", library.data_root)
    run = go_on(library, path)
    assert present(run.info.dataset).fingerprint == data.fingerprint


def test_the_next_server_looks_where_its_library_does(library, tmp_path, monkeypatch):
    """What an earlier one left waiting is taken up with the images of the Library that asks."""
    asked = []

    class Runner:
        def has_room(self):
            return True

        def submit(self, config, path, data_root):
            asked.append((path, data_root))

    monkeypatch.undo()
    monkeypatch.setattr(host, "_runner", Runner())
    monkeypatch.setattr(host, "_left", [])
    monkeypatch.setattr(host, "_looked", set())
    for name in ("one", "other"):
        config = dataclasses.replace(SMALL, dataset="cells")
        path = RunWriter(tmp_path / name / "waits", config=config, model_kind="config").path
        die(path)
    for name in ("one", "other", "one"):
        assert Library(tmp_path / name, tmp_path / f"{name} data").queue is host._runner
    assert asked == [
        (tmp_path / name / "waits", str(tmp_path / f"{name} data")) for name in ("one", "other")
    ]
