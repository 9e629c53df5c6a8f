"""Parquet as Hugging Face writes it, and as others do."""

import json

import numpy as np
import pytest

from explorer.datasets.own import parquet as module
from explorer.datasets.own.read import read_images
from explorer.errors import ExplorerError
from tests.datasets.own.cases import draw, encode
from tests.helpers import present

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

COUNT = 9
PICTURES = [draw("star", 16, seed) for seed in range(COUNT)]
FILES = [encode(picture, "PNG") for picture in PICTURES]
PIXELS = np.stack([np.asarray(picture) for picture in PICTURES]).transpose(0, 3, 1, 2)


def write(path, columns, features=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns)
    if features:
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": told})
    parquet.write_table(table, path, **options)
    return path


def records(files=FILES):
    return [{"bytes": data, "path": f"/home/somebody/{i}.png"} for i, data in enumerate(files)]


def left_out(data):
    return {entry.name: entry.reason for entry in data.report.left_out}


@pytest.mark.parametrize("cells", [FILES, records()])
@pytest.mark.parametrize("name", ["image", "img", "anything"])
def test_pictures_are_found_as_bytes_and_as_records(tmp_path, name, cells):
    data = read_images(write(tmp_path / "a.parquet", {name: cells, "label": ["x", "y", "z"] * 3}))
    assert np.array_equal(data.images, PIXELS)
    assert data.class_names == ("x", "y", "z") and present(data.report).kind == "parquet"
    assert present(data.names)[:2] == ("a[0]", "a[1]")


def test_several_groups_of_rows_and_batches_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    path = write(tmp_path / "a.parquet", {"image": FILES}, row_group_size=4)
    assert np.array_equal(read_images(path).images, PIXELS)


def test_classes_are_named_as_the_description_says_and_minus_one_is_none(tmp_path):
    features = {"image": {"_type": "Image"}, "kind": {"_type": "ClassLabel", "names": ["b", "a"]}}
    columns = {"image": records(), "label": [0.5] * COUNT, "kind": [0, 1, -1] * 3}
    data = read_images(write(tmp_path / "a.parquet", columns, features))
    assert data.class_names == ("b", "a", "no label")
    assert present(data.labels).tolist() == [0, 1, 2] * 3 and present(data.report).unlabelled == 3
    assert set(data.factors) == {"label"}


def test_other_columns_are_factors_or_left_out_by_name(tmp_path):
    columns = {
        "image": FILES,
        "size": [1.5, None, 3.0] * 3,
        "old": [True, False, True] * 3,
        "label": ["x", None, "y"] * 3,
        "box": [[1, 2]] * COUNT,
        "mask": FILES,
    }
    data = read_images(write(tmp_path / "a.parquet", columns))
    assert data.factors["old"].tolist() == [1, 0, 1] * 3
    assert np.isnan(data.factors["size"]).tolist() == [False, True, False] * 3
    assert left_out(data) == {"box": "nested", "mask": "nested"}
    assert data.class_names == ("x", "y", "no label")


def test_a_folder_of_files_named_for_their_splits(tmp_path):
    parts = {
        "train-00000-of-00002": slice(0, 4),
        "train-00001-of-00002": slice(4, 6),
        "validation-00000-of-00001": slice(6, 8),
        "test-0": slice(8, 9),
    }
    for name, rows in parts.items():
        write(tmp_path / "pets" / "data" / f"{name}.parquet", {"image": FILES[rows]})
    data = read_images(tmp_path / "pets")
    assert present(data.report).splits == "given" and data.name == "pets"
    for part, held in (("train", range(0, 6)), ("validation", (6, 7)), ("test", (8,))):
        assert np.array_equal(data.split(part).images, PIXELS[list(held)])


def test_the_folder_may_name_the_split(tmp_path):
    write(tmp_path / "train" / "0000.parquet", {"image": FILES[:8]})
    write(tmp_path / "test" / "0000.parquet", {"image": FILES[8:]})
    data = read_images(tmp_path)
    assert np.array_equal(data.split("test").images, PIXELS[8:])
    assert present(data.report).splits == "completed"


def test_what_is_no_picture_is_left_out_by_its_row(tmp_path):
    cells = [
        *records(FILES[:6]),
        {"bytes": None, "path": "b.png"},
        {"bytes": b"x", "path": ""},
        None,
    ]
    data = read_images(write(tmp_path / "a.parquet", {"image": cells}))
    assert np.array_equal(np.sort(data.images, 0), np.sort(PIXELS[:6], 0))
    assert left_out(data) == {"a[6]": "elsewhere", "a[7]": "format", "a[8]": "elsewhere"}


def test_a_file_without_pictures_lists_its_columns(tmp_path):
    with pytest.raises(ExplorerError, match="no column of pictures.*a, b"):
        read_images(write(tmp_path / "a.parquet", {"a": [1], "b": ["x"]}))
    with pytest.raises(ExplorerError, match="no column of pictures.*a, b"):
        read_images(write(tmp_path / "a.parquet", {"a": FILES, "b": FILES}))
    write(tmp_path / "d" / "a.parquet", {"image": FILES})
    write(tmp_path / "d" / "b.parquet", {"img": FILES})
    with pytest.raises(ExplorerError, match="b.parquet has no column image"):
        read_images(tmp_path / "d")


@pytest.mark.parametrize("keep", [4, 50, -10])
def test_a_broken_file_is_an_error_of_one_sentence(tmp_path, keep):
    path = write(tmp_path / "a.parquet", {"image": FILES})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ExplorerError, match="a.parquet cannot be read as a Parquet file"):
        read_images(path)


def test_a_page_that_is_broken_is_told(tmp_path):
    path = write(tmp_path / "a.parquet", {"image": FILES}, compression="snappy")
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    with pytest.raises(ExplorerError, match="a.parquet is broken"):
        read_images(path)


def test_zeros_packed_as_bombs_are_refused_before_they_are_read(tmp_path, monkeypatch):
    zeros = [bytes(1 << 20)] * 80
    path = write(tmp_path / "a.parquet", {"image": zeros}, compression="zstd", use_dictionary=False)
    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ExplorerError, match="packs 0.1 GB into one group of rows"):
        read_images(path)


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", {"image": FILES})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(ExplorerError, match="pip install pyarrow"):
        read_images(path)
