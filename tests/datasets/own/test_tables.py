"""Tables as spreadsheets and people write them: which row is which picture, what a column means."""

import unicodedata

import numpy as np
import pytest

from explorer.archives.refused import Refused
from explorer.datasets.own.tables import Table, join_tables, read_meaning, read_table
from explorer.datasets.report import LeftOuts

PATHS = ["a/1.jpg", "a/2.jpg", "b/3.jpg"]


def columns(data, path="labels.csv"):
    return dict(read_table(data if isinstance(data, bytes) else data.encode(), path).columns)


def join(text, paths=PATHS, path="labels.csv"):
    left_out = LeftOuts()
    joined, notes = join_tables([read_table(text.encode(), path)], paths, left_out)
    return joined, notes, left_out.listed


def meaning(**cells):
    return read_meaning(cells, LeftOuts())


# Reading


@pytest.mark.parametrize(
    "data",
    [
        b"id,class\n1,x\n2,y\n",
        b"\xef\xbb\xbfid,class\r\n1,x\r\n2,y\r\n",
        b"id;class\n1;x\n2;y",
        b"id\tclass\n1\tx\n2\ty\n",
        b'"id","class"\n"1","x"\n\n"2","y"\n',
        "id,class\n1,x\n2,y\n".encode("utf-16"),
        b" id , class \n 1 , x \n 2 , y \n",
    ],
)
def test_every_way_to_write_a_table_gives_the_same(data):
    assert columns(data) == {"id": ["1", "2"], "class": ["x", "y"]}


def test_other_code_pages_and_commas_within_words():
    assert columns("id,name\n1,Größe\n".encode("cp1252"))["name"] == ["Größe"]
    assert columns('id,name\n1,"a, b"\n')["name"] == ["a, b"]


def test_between_semicolons_a_comma_is_a_decimal_point():
    assert columns("id;x;note\n1;-1,5;a,b\n") == {"id": ["1"], "x": ["-1.5"], "note": ["a,b"]}
    assert columns('id,x\n1,"1,5"\n')["x"] == ["1,5"]


def test_rows_may_be_short_and_headings_empty():
    assert columns("id,\n1\n2,y\n") == {"id": ["1", "2"], "column 2": ["", "y"]}


@pytest.mark.parametrize("data", [b"", b"id,class\n", b"\n\n", b'a\n"' + b"x" * 200_000])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(Refused, match="table"):
        read_table(data, "a.csv")


def test_a_table_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr("explorer.datasets.own.tables.LARGEST_TABLE", 10)
    with pytest.raises(Refused, match="table"):
        read_table(b"id,class\n1,x\n", "a.csv")


# Which row is which picture


@pytest.mark.parametrize(
    "names",
    [
        ["a/1.jpg", "a/2.jpg", "b/3.jpg"],
        ["./a/1.jpg", "/a/2.jpg", "b\\3.jpg"],
        ["1.jpg", "2.jpg", "3.jpg"],
        ["1", "2", "3"],
        ["/somebody/else/1.jpg", "../2.jpg", "C:\\3.jpg"],
    ],
)
def test_pictures_are_found_by_path_name_or_number(names):
    text = "file,color\n" + "".join(f"{name},c{i}\n" for i, name in enumerate(names))
    assert join(text)[0] == {"color": ["c0", "c1", "c2"]}


def test_the_column_that_names_pictures_is_found_whatever_it_is_called():
    joined, _, _ = join("n,which,k\n1,1.jpg,3\n1,2.jpg,3\n2,3.jpg,3\n")
    assert joined == {"n": ["1", "1", "2"], "k": ["3", "3", "3"]}


def test_a_name_of_two_pictures_points_to_the_one_beside_the_table():
    paths = ["test/1.jpg", "train/1.jpg", "train/2.jpg"]
    joined, _, _ = join("file,label\n1.jpg,x\n2.jpg,y\n", paths, "train/labels.csv")
    assert joined == {"label": [None, "x", "y"]}
    # From above, nobody knows which one is meant.
    joined, notes, _ = join("file,label\n1.jpg,x\n2.jpg,y\n", paths)
    assert joined == {"label": [None, None, "y"]}
    assert notes == ["1 rows of labels.csv name no picture here: 1.jpg."]


def test_tables_of_several_folders_are_joined():
    paths = ["test/1.jpg", "train/1.jpg"]
    tables = [
        Table("test/metadata.csv", {"file_name": ["1.jpg"], "label": ["x"]}),
        Table("train/metadata.csv", {"file_name": ["1.jpg"], "label": ["y"], "more": ["z"]}),
    ]
    joined, _ = join_tables(tables, paths, LeftOuts())
    assert joined == {"label": ["x", "y"], "more": [None, "z"]}


def test_rows_without_a_picture_are_told_and_tables_without_any_are_left_out():
    _, notes, _ = join("file,label\n1,x\n2,y\n3,z\n9,z\n8,z\n")
    assert notes == ["2 rows of labels.csv name no picture here: 9, 8."]
    joined, _, left_out = join("step,loss\n100,0.5\n200,0.4\n")
    assert joined == {} and [(entry.name, entry.reason) for entry in left_out] == [
        ("labels.csv", "table")
    ]


def test_a_mac_writes_umlauts_in_two_letters():
    names = [unicodedata.normalize("NFD", "Größe.jpg"), "b.jpg"]
    joined, _, _ = join("file,label\nGröße.jpg,x\nb.jpg,y\n", names)
    assert joined == {"label": ["x", "y"]}


# What a column means


def test_the_label_is_found_by_its_name_and_the_rest_are_factors():
    found = meaning(size=["1.5", "2", ""], Label=["x", "y", "x"], side=["left", "right", ""])
    assert (found.labels, found.labels_from) == (["x", "y", "x"], "Label")
    assert found.factors["size"].tolist()[:2] == [1.5, 2.0] and np.isnan(found.factors["size"][2])
    assert found.factors["side"].tolist() == ["left", "right", ""]


def test_a_single_column_is_the_label_where_it_can_be():
    assert meaning(breed=["pug", "pug", "lab"]).labels == ["pug", "pug", "lab"]
    found = meaning(age=["1.25", "2.5", "3.75"])
    assert found.labels is None and found.factors["age"].tolist() == [1.25, 2.5, 3.75]


def test_a_label_with_fractions_is_a_factor():
    found = meaning(target=["0.5", "1.5"], kind=["x", "y"])
    assert found.labels is None and set(found.factors) == {"target", "kind"}


def test_whole_numbers_stay_whole_and_lose_the_point_of_tables_with_gaps():
    found = meaning(label=["1.0", "2.0", None], n=["3", "4", "5"])
    assert found.labels == ["1", "2", None]
    assert found.factors["n"].dtype == np.int64


@pytest.mark.parametrize("empty", ["", "NA", "nan", "None", "NULL", "n/a", None])
def test_the_words_for_nothing(empty):
    found = meaning(label=["x", empty], size=["1", empty])
    assert found.labels == ["x", None] and np.isnan(found.factors["size"][1])


def test_a_column_of_splits_is_one():
    found = meaning(split=["train", "val", "TEST", ""], label=["x", "y", "x", "y"])
    assert found.splits == ["train", "validation", "test", None]
    assert meaning(split=["left", "right"], label=["x", "y"]).splits is None


def test_words_that_hardly_repeat_colour_nothing():
    left_out = LeftOuts()
    captions = [f"caption {i}" for i in range(101)]
    found = read_meaning({"caption": captions, "label": ["x"] * 101}, left_out)
    assert found.factors == {}
    assert [(e.name, e.text) for e in left_out.listed] == [
        ("caption", "it has 101 different words, too many to colour by")
    ]


def test_more_classes_than_can_be_told_apart_are_none():
    many = [str(i) for i in range(1001)]
    found = meaning(label=many)
    assert found.labels is None and found.factors["label"].tolist() == list(range(1001))
