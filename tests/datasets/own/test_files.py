"""Folders and archives of files: labels and splits by paths, and what is left out."""

import os
import zipfile

import numpy as np
import pytest

from explorer.datasets.own.files import sort_paths
from explorer.datasets.own.read import read_images
from explorer.errors import ExplorerError
from tests.datasets.own.cases import draw, encode, pack, raw_zip
from tests.helpers import present

KINDS = ("circle", "square", "star")


def picture(seed=0):
    return encode(draw(KINDS[seed % 3], 16, seed), "PNG")


def write(folder, *places):
    for seed, place in enumerate(places):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(seed))
    return folder


def left_out(data):
    return {entry.name: entry.reason for entry in data.report.left_out}


def labels_of(*paths):
    return sort_paths(paths)[0]


# What paths say


@pytest.mark.parametrize(
    ("paths", "labels", "splits"),
    [
        (["cat/1.png", "dog/1.png"], ["cat", "dog"], [None, None]),
        (["all/cat/1.png", "all/dog/1.png"], ["cat", "dog"], [None, None]),
        (["1.png", "2.png"], [None, None], [None, None]),
        (["pets/1.png", "pets/2.png"], [None, None], [None, None]),
        (["train/cat/1.png", "val/dog/1.png"], ["cat", "dog"], ["train", "validation"]),
        (["x/train/cat/1.png", "x/test/dog/1.png"], ["cat", "dog"], ["train", "test"]),
        (["cat/train/1.png", "dog/test/1.png"], ["cat", "dog"], ["train", "test"]),
        (["train/1.png", "test/2.png"], [None, None], ["train", "test"]),
        (["train/cat/images/1.png", "val/images/1.png"], ["cat", None], ["train", "validation"]),
        (
            ["images/train/cat/1.png", "images/val/dog/1.png"],
            ["cat", "dog"],
            ["train", "validation"],
        ),
        (["cat/old/1.png", "dog/new/1.png"], ["cat", "dog"], [None, None]),
    ],
)
def test_folders_are_classes_and_splits(paths, labels, splits):
    assert sort_paths(paths) == (labels, splits)


def test_a_train_among_vehicles_is_a_class():
    paths = ["bus/1.png", "train/1.png", "car/1.png"]
    assert sort_paths(paths) == (["bus", "train", "car"], [None] * 3)


def test_a_stray_picture_beside_the_splits_is_of_none():
    paths = ["cover.png", "train/cat/1.png", "train/dog/1.png", "test/cat/2.png"]
    assert sort_paths(paths) == (
        [None, "cat", "dog", "cat"],
        [None, "train", "train", "test"],
    )


# What is there


def test_a_folder_and_its_zip_give_the_same_images(tmp_path):
    places = ["b/2.png", "a/10.png", "a/9.png", "b/1.png", "a/1.png", "b/0.png"]
    folder = write(tmp_path / "pets", *places)
    archive = pack(tmp_path / "pets.zip", [(p, (folder / p).read_bytes()) for p in places])
    first, second = read_images(folder), read_images(archive)
    assert first.name == second.name == "pets"
    assert first.names == second.names and sorted(present(first.names)) == sorted(places)
    assert first.fingerprint == second.fingerprint
    assert (present(first.report).kind, present(second.report).kind) == ("folder", "zip")


def test_what_systems_and_programs_leave_behind_is_passed_over_silently(tmp_path):
    folder = write(
        tmp_path,
        "1.png",
        "2.png",
        "3.png",
        ".hidden.png",
        ".ipynb_checkpoints/1.png",
        "__MACOSX/1.png",
        "._1.png",
    )
    (folder / "Thumbs.db").write_bytes(b"")
    data = read_images(folder)
    assert len(data) == 3 and left_out(data) == {}


def test_other_files_are_left_out_by_name(tmp_path):
    folder = write(tmp_path, "1.png", "2.PNG", "3.png")
    for name in ("notes.txt", "more.tar", "4.heic"):
        (folder / name).write_bytes(b"x")
    data = read_images(folder)
    assert sorted(present(data.names)) == ["1.png", "2.PNG", "3.png"]
    assert left_out(data) == {"notes.txt": "name", "more.tar": "archive", "4.heic": "name"}


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are made otherwise there")
def test_links_within_the_folder_are_followed_others_not_and_no_pipe_is_waited_for(tmp_path):
    folder = write(tmp_path / "pets", "1.png", "2.png", "all/3.png")
    write(tmp_path / "elsewhere", "secret.png")
    (folder / "within.png").symlink_to("all/3.png")
    (folder / "out.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    (folder / "nowhere.png").symlink_to(folder / "none.png")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    data = read_images(folder)
    assert sorted(present(data.names)) == ["1.png", "2.png", "all/3.png", "within.png"]
    assert left_out(data) == {
        "out.png": "link",
        "nowhere.png": "closed",
        "more": "link",
        "round": "link",
        "pipe.png": "special",
    }


def test_a_file_too_large_is_left_out_unread(tmp_path):
    folder = write(tmp_path, "1.png", "2.png", "3.png")
    with open(folder / "large.png", "wb") as file:
        file.truncate(65 << 20)
    assert left_out(read_images(folder)) == {"large.png": "bytes"}


def test_of_two_members_of_one_name_the_first_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = pack(tmp_path / "a.zip", [(n, picture(i)) for i, n in enumerate(["1.png"] * 2)])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("2.png", picture(2))
        archive.writestr("3.png", picture(3))
    data = read_images(path)
    assert len(data) == 3 and left_out(data) == {"1.png": "twice"}
    first = np.asarray(draw(KINDS[0], 16, 0)).transpose(2, 0, 1)
    assert np.array_equal(data.images[present(data.names).index("1.png")], first)


def test_a_member_without_a_name_is_left_out(tmp_path):
    path = raw_zip(tmp_path / "a.zip", b"", b"content", 7)
    with pytest.raises(ExplorerError, match="one file was left out"):
        read_images(path)


def test_an_encrypted_archive_says_so(tmp_path):
    path = pack(tmp_path / "a.zip", [("1.png", picture())])
    # Bit 0 of the flags, in the local header and in the table of contents.
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ExplorerError, match="1.png because it is encrypted"):
        read_images(path)


def test_names_cannot_hide_or_run_on(tmp_path):
    strange = "a\u202egnp.\x1b[31m" + "x" * 300 + ".png"
    data = read_images(
        pack(
            tmp_path / "a.zip", [(strange, picture()), ("1.png", picture(1)), ("2.png", picture(2))]
        )
    )
    (name,) = set(present(data.names)) - {"1.png", "2.png"}
    assert name.isprintable() and len(name) <= 200 and name.endswith("x.png")


# Tables beside the pictures


def test_a_table_gives_labels_and_factors_and_misses_are_told(tmp_path):
    folder = write(tmp_path, *(f"img/{i}.png" for i in range(5)))
    (folder / "metadata.csv").write_text(
        "file_name,label,size,side\nimg/0.png,x,1.5,left\nimg/1.png,y,2,right\n"
        "img/2.png,x,,left\nimg/3.png,y,4,left\nimg/9.png,y,4,left\n",
        encoding="utf-8",
    )
    data = read_images(folder)
    rows = [present(data.names).index(f"img/{i}.png") for i in range(5)]
    labels = present(data.labels)
    assert [data.class_names[labels[row]] for row in rows] == ["x", "y", "x", "y", "no label"]
    assert data.class_names == ("x", "y", "no label") and present(data.report).unlabelled == 1
    assert data.factors["size"][rows][[0, 1, 3]].tolist() == [1.5, 2.0, 4.0]
    assert np.isnan(data.factors["size"][rows][[2, 4]]).all()
    assert data.factors["side"][rows].tolist() == ["left", "right", "left", "left", ""]
    assert present(data.report).notes == (
        "1 rows of metadata.csv name no picture here: img/9.png.",
    )


def test_a_table_without_labels_leaves_those_of_the_folders(tmp_path):
    folder = write(tmp_path, "cat/0.png", "dog/1.png", "cat/2.png")
    (folder / "info.csv").write_text("file,size,weight\n0,1,2.5\n1,2,3.5\n2,3,4.5\n", "utf-8")
    data = read_images(folder)
    assert data.class_names == ("cat", "dog") and present(data.report).labels == "folders"
    assert set(data.factors) == {"size", "weight"}


def test_a_table_that_speaks_of_no_picture_is_left_out(tmp_path):
    folder = write(tmp_path, "0.png", "1.png", "2.png")
    (folder / "losses.csv").write_text("step,loss\n100,0.5\n200,0.4\n300,0.3\n", encoding="utf-8")
    assert left_out(read_images(folder)) == {"losses.csv": "table"}


def test_too_many_folders_are_no_classes(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.datasets.own.tables.MOST_CLASSES", 3)
    data = read_images(write(tmp_path, *(f"{i}/a.png" for i in range(4))))
    assert data.labels is None and present(data.report).notes == (
        "4 folders are too many to be classes.",
    )
