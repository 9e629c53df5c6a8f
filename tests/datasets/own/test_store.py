"""Your own data sets: kept once, mapped when used, gone when removed."""

import dataclasses
import json
import mmap
import os
import threading

import numpy as np
import pytest

from explorer.datasets import ImageDataset
from explorer.datasets.own import shelf
from explorer.datasets.own.read import read_images
from explorer.datasets.own.store import keep_images, list_own, load_own, remove_own
from explorer.errors import ExplorerError


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data folder of one's own, and no other."""
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def some_images(seed=0, count=12):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 5), dtype=np.uint8)


def some_data(seed=0, **changes):
    data = ImageDataset(
        "any",
        some_images(seed),
        np.arange(12) % 2,
        ("even", "öd"),
        factors={"size": np.linspace(0, 1, 12), "side of it": np.array(["left", "right"] * 6)},
        splits={"train": np.arange(8), "validation": np.array([11, 8]), "test": np.array([9, 10])},
        names=tuple(f"größe/{i}.png" for i in range(12)),
    )
    return dataclasses.replace(data, **changes)


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def files(root):
    return sorted(
        str(path.relative_to(root / "own"))
        for path in (root / "own").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )


def test_what_is_kept_comes_back_whole_and_mapped(root):
    data = some_data()
    for found in (keep_images(data, "pets"), load_own("pets")):
        assert np.array_equal(found.images, data.images) and found.name == "pets"
        assert is_mapped(found.images) and not found.images.flags.writeable
        assert found.fingerprint == data.fingerprint and found.class_names == data.class_names
        assert found.names == data.names and found.pixel_digest == data.pixel_digest
        assert list(found.factors) == ["size", "side of it"]
        for key, values in data.factors.items():
            assert np.array_equal(found.factors[key], values)


def test_data_without_labels_names_and_splits_comes_back_too(root):
    keep_images(ImageDataset("bare", some_images()), "bare")
    found = load_own("bare")
    assert found.labels is None and found.names is None and found.factors == {}
    assert list(found.splits) == ["all"] and found.report is None


def test_a_report_comes_back_with_the_images(root, cases):
    data = read_images(cases / "leak.zip")
    keep_images(data, "shapes-of-mine")
    assert load_own("shapes-of-mine").report == data.report


def test_own_data_sets_are_listed_with_what_is_known_of_them(root):
    assert list_own() == []
    keep_images(some_data(), "b-set")
    keep_images(some_data(1), "A-set")
    first, second = list_own()
    assert (first.name, second.name) == ("A-set", "b-set")
    assert (second.images, second.shape) == (12, (3, 4, 5))
    assert second.class_names == ("even", "öd") and second.factors == ("size", "side of it")
    assert second.pixel_digest == some_data().pixel_digest


def test_equal_pixels_are_stored_once_and_stay_as_long_as_they_are_used(root):
    data = some_data()
    keep_images(data, "one")
    keep_images(dataclasses.replace(data, labels=np.zeros(12, int)), "two")
    pixels = f"pixels/{data.pixel_digest}.npy"
    parts = [
        f"sets/{name}/{part}"
        for name in ("one", "two")
        for part in ("dataset.json", "names.txt", "rows.npz")
    ]
    assert files(root) == [pixels, *parts]
    remove_own("one")
    assert files(root) == [pixels, *parts[3:]]
    assert np.array_equal(load_own("two").images, data.images)
    remove_own("two")
    assert files(root) == [] and list_own() == []


def test_keeping_the_same_again_is_no_error_and_another_of_the_name_is_one(root):
    kept = keep_images(some_data(), "pets")
    assert keep_images(some_data(), "pets").fingerprint == kept.fingerprint
    for other in (some_data(1), some_data(labels=np.zeros(12, int))):
        with pytest.raises(ExplorerError, match="'pets' already: .*data remove pets"):
            keep_images(other, "pets")
    with pytest.raises(ExplorerError, match="'pets' already"):
        keep_images(some_data(1), "PETS")
    assert len(list_own()) == 1


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "../x", "-a", "a b", "a\n", "x" * 61]
)
def test_a_name_that_could_be_a_path_is_refused(root, name):
    with pytest.raises(ExplorerError, match="is no name for a data set"):
        keep_images(some_data(), name)
    with pytest.raises(ExplorerError, match="no data set"):
        load_own(name)


@pytest.mark.parametrize("name", ["mnist", "Digits"])
def test_our_names_are_ours(root, name):
    with pytest.raises(ExplorerError, match="is a data set of Latent Explorer"):
        keep_images(some_data(), name)


@pytest.mark.parametrize("name", ["add", "Remove"])
def test_words_of_the_command_line_are_no_names(root, name):
    with pytest.raises(ExplorerError, match="is a word of the command line"):
        keep_images(some_data(), name)


def test_names_in_any_script_are_names(root):
    keep_images(some_data(), "我的图片")
    assert load_own("我的图片").name == "我的图片"


def test_an_unknown_name_lists_those_there_are(root):
    with pytest.raises(ExplorerError, match="no data set 'dogs' of your own; there are: none yet"):
        remove_own("dogs")
    keep_images(some_data(), "pets")
    with pytest.raises(ExplorerError, match="there are: pets"):
        load_own("dogs")


def test_a_nearer_data_folder_comes_first(root, tmp_path):
    keep_images(some_data(), "pets")
    keep_images(some_data(1), "pets", data_root=tmp_path / "near")
    keep_images(some_data(2), "more", data_root=tmp_path / "near")
    assert load_own("pets", tmp_path / "near").pixel_digest == some_data(1).pixel_digest
    assert load_own("pets").pixel_digest == some_data().pixel_digest
    assert [entry.name for entry in list_own(tmp_path / "near")] == ["more", "pets"]
    remove_own("pets", tmp_path / "near")
    assert load_own("pets", tmp_path / "near").pixel_digest == some_data().pixel_digest


def test_a_data_folder_that_cannot_be_written_is_passed_over(root, tmp_path):
    root.write_text("", encoding="utf-8")
    keep_images(some_data(), "pets")
    assert (tmp_path / "cache" / "data" / "own" / "sets" / "pets").is_dir()
    (tmp_path / "cache" / "data" / "own").rename(tmp_path / "gone")
    (tmp_path / "cache" / "data" / "own").write_text("", encoding="utf-8")
    with pytest.raises(ExplorerError, match="No data folder can be written"):
        keep_images(some_data(), "pets")


@pytest.mark.parametrize("spoil", ["pixels", "rows", "description", "shape"])
def test_a_damaged_data_set_says_so_and_can_be_removed(root, spoil):
    kept = keep_images(some_data(), "pets")
    folder = root / "own" / "sets" / "pets"
    pixels = root / "own" / "pixels" / f"{kept.pixel_digest}.npy"
    del kept
    if spoil == "pixels":
        os.truncate(pixels, 200)
    elif spoil == "rows":
        (folder / "rows.npz").write_bytes(b"PK")
    elif spoil == "description":
        (folder / "dataset.json").write_text("{", encoding="utf-8")
    else:
        values = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        (folder / "dataset.json").write_text(json.dumps(values | {"shape": [1, 2]}), "utf-8")
    with pytest.raises(ExplorerError, match="is damaged: remove it and add it again"):
        load_own("pets")
    remove_own("pets")
    keep_images(some_data(), "pets")
    assert np.array_equal(load_own("pets").images, some_images())


def test_a_data_set_of_a_newer_version_is_left_alone(root):
    keep_images(some_data(), "pets")
    path = root / "own" / "sets" / "pets" / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"schema": 99}), "utf-8")
    with pytest.raises(ExplorerError, match="newer Latent Explorer"):
        load_own("pets")


def test_what_somebody_killed_left_behind_is_removed_in_time(root, monkeypatch):
    # Killed after the pixels were stored and before their description was.
    monkeypatch.setattr(
        shelf, "write_description", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        keep_images(some_data(1), "lost")
    monkeypatch.undo()
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(root))
    (root / "own" / "pixels" / ".half.npy.0.part").write_bytes(b"half")
    assert len(files(root)) == 1 and "lost" not in [found.name for found in list_own()]
    kept = keep_images(some_data(), "pets")
    assert [path.name for path in (root / "own" / "pixels").iterdir()] == [
        f"{kept.pixel_digest}.npy"
    ]
    assert [path.name for path in (root / "own" / "work").iterdir()] == [".gate"]


def test_many_at_once_keep_one(root):
    errors = []

    def keep():
        try:
            keep_images(some_data(), "pets")
        except ExplorerError as error:
            errors.append(error)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(list_own()) == 1 and len(files(root)) == 4
