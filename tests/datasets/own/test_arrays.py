"""Arrays as people store them: which is which, in any layout, and never believed unseen."""

import io
import zipfile

import numpy as np
import pytest

from explorer.datasets.own import npy
from explorer.datasets.own.arrays import choose_layout
from explorer.datasets.own.npy import split_key
from explorer.datasets.own.read import read_images
from explorer.errors import ExplorerError
from tests.datasets.own.cases import make_npy_header, pack
from tests.helpers import present

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (12, 8, 10, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (12, 8, 10), dtype=np.uint8)


def save(folder, compressed=False, **arrays):
    path = folder / "data.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def read(folder, **arrays):
    return read_images(save(folder, **arrays))


def left_out(data):
    return {entry.name: entry.reason for entry in data.report.left_out}


# Pixels


@pytest.mark.parametrize(
    ("array", "layout"),
    [
        (COLOUR, "NHWC"),
        (COLOUR.transpose(0, 3, 1, 2), "NCHW"),
        (np.asfortranarray(COLOUR), "NHWC"),
        (COLOUR.astype(np.int64), "NHWC"),
        (COLOUR.astype(">u2"), "NHWC"),
        (COLOUR / 255, "NHWC"),
        ((COLOUR / 255).astype(">f4"), "NHWC"),
        (COLOUR.astype(np.float64), "NHWC"),
        (COLOUR / 127.5 - 1, "NHWC"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_colour_comes_out_the_same_however_it_was_stored(tmp_path, array, layout, compressed):
    data = read_images(save(tmp_path, compressed, images=array))
    assert np.array_equal(data.images, COLOUR.transpose(0, 3, 1, 2))
    assert present(data.report).layout == layout


@pytest.mark.parametrize(
    ("array", "layout"), [(GREY, "NHW"), (GREY[..., None], "NHWC"), (GREY[:, None], "NCHW")]
)
def test_grey_comes_with_and_without_its_channel(tmp_path, array, layout):
    data = read(tmp_path, images=array)
    assert np.array_equal(data.images[:, 0], GREY) and data.report.layout == layout


def test_rows_of_pixels_are_squares(tmp_path):
    rows = RNG.integers(0, 256, (5, 49), dtype=np.uint8)
    assert np.array_equal(read(tmp_path, x=rows).images, rows.reshape(5, 1, 7, 7))
    with pytest.raises(ExplorerError, match=r"shape \(5, 50\): give pictures as"):
        read(tmp_path, x=np.zeros((5, 50), np.uint8))


def test_masks_and_floats_with_alpha(tmp_path):
    mask = GREY > 100
    assert np.array_equal(read(tmp_path, images=mask).images[:, 0], mask * 255)
    faded = np.concatenate([COLOUR / 255, np.full((12, 8, 10, 1), 0.5)], 3)
    data = read_images(save(tmp_path, images=faded), background=100)
    assert np.abs(data.images.transpose(0, 2, 3, 1) - (COLOUR * 0.5 + 50)).max() <= 1
    assert present(data.report).flattened == 12


def test_a_single_array_in_a_npy_file(tmp_path):
    np.save(tmp_path / "pets.npy", COLOUR)
    data = read_images(tmp_path / "pets.npy")
    assert np.array_equal(data.images, COLOUR.transpose(0, 3, 1, 2))
    assert (data.name, present(data.report).kind) == ("pets", "npy")


def test_rows_keep_their_order_and_are_called_by_it(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "CHUNK_BYTES", 500)
    data = read(tmp_path, images=COLOUR)
    assert np.array_equal(data.images, COLOUR.transpose(0, 3, 1, 2))
    assert data.names == tuple(f"images[{row}]" for row in range(12))


@pytest.mark.parametrize(
    ("shape", "name", "picture"),
    [
        ((9, 3, 32, 48), "NCHW", (32, 48, 3)),
        ((9, 32, 48, 3), "NHWC", (32, 48, 3)),
        ((9, 32, 32, 4), "NHWC", (32, 32, 4)),
        ((9, 1, 28, 28), "NCHW", (28, 28, 1)),
        ((9, 3, 32, 3), "NHWC", (3, 32, 3)),
        ((9, 3, 3, 3), "NHWC", (3, 3, 3)),
        ((9, 1, 28, 1), "NHWC", (1, 28, 1)),
        ((9, 4, 4), "NHW", (4, 4, 1)),
        ((9, 28, 28), "NHW", (28, 28, 1)),
    ],
)
def test_the_layout_follows_from_the_shape(shape, name, picture):
    layout = choose_layout("x", shape)
    assert (layout.name, layout.shape) == (name, picture)


@pytest.mark.parametrize("shape", [(64, 64, 3), (9, 2, 32, 32), (9, 32), (9, 3, 8, 8, 3), (9,)])
def test_shapes_of_no_pictures_are_told(shape):
    with pytest.raises(ExplorerError, match=r"give pictures as \(N, H, W\)"):
        choose_layout("x", shape)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((5, 4, 4), np.nan), "NaN"),
        ((COLOUR / 255 - 0.45) / 0.22, r"lie in \[-2\.\d+, 2\.5\], which is no scale.*\[0, 1\]"),
        (COLOUR.astype(int) - 128, "no scale of pictures"),
        (np.zeros((5, 4, 4), complex), "holds complex128"),
        (np.full((5, 4, 4), "a"), "holds <U1"),
        (np.zeros((0, 4, 4), np.uint8), "is empty"),
        (np.zeros((5, 0, 4), np.uint8), "is empty"),
        (np.zeros((2, 4, 4), np.uint8), "At least three images"),
    ],
)
def test_arrays_of_no_pictures_say_why(tmp_path, array, said):
    with pytest.raises(ExplorerError, match=said):
        read(tmp_path, images=array)


# Which array is what


@pytest.mark.parametrize("key", ["images", "imgs", "X", "data", "arr_0", "my_pictures"])
def test_the_array_of_images_is_found_by_its_name_or_by_being_the_only_one(tmp_path, key):
    data = read(tmp_path, **{key: COLOUR, "y": np.arange(12) % 2})
    assert len(data) == 12 and data.class_names == ("0", "1")


def test_without_a_name_and_without_choice_the_arrays_are_listed(tmp_path):
    with pytest.raises(ExplorerError, match=r"no array called images.*a \(12, 8, 10\), b \("):
        read(tmp_path, a=GREY, b=GREY)
    with pytest.raises(ExplorerError, match="its arrays: none"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("x_train", ("x", "train")),
        ("X_test", ("x", "test")),
        ("train_images", ("images", "train")),
        ("val_labels", ("labels", "validation")),
        ("y_valid", ("y", "validation")),
        ("images", ("images", None)),
        ("train", ("train", None)),
        ("latents_values", ("latents_values", None)),
    ],
)
def test_keys_are_made_of_a_stem_and_a_split(key, parts):
    assert split_key(key) == parts


@pytest.mark.parametrize("names", [("x_{}", "y_{}"), ("{}_images", "{}_labels")])
def test_arrays_by_split_are_joined_in_order(tmp_path, names):
    arrays: dict[str, np.ndarray] = {}
    for split, rows in (("test", slice(9, 12)), ("train", slice(0, 7)), ("val", slice(7, 9))):
        arrays[names[0].format(split)] = COLOUR[rows]
        arrays[names[1].format(split)] = (np.arange(12) % 3)[rows, None]
    data = read(tmp_path, **arrays)
    assert np.array_equal(data.images, COLOUR.transpose(0, 3, 1, 2))
    assert data.labels.tolist() == [i % 3 for i in range(12)]
    assert [data.splits[part].tolist() for part in ("train", "validation", "test")] == [
        list(range(7)),
        [7, 8],
        [9, 10, 11],
    ]
    assert data.report.splits == "given"


def test_labels_of_one_split_alone_are_not_used(tmp_path):
    arrays = {"x_train": COLOUR[:9], "x_test": COLOUR[9:], "y_train": np.arange(9)}
    data = read(tmp_path, **arrays)
    assert data.labels is None and left_out(data) == {"y_train": "unused"}


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.arange(12) % 2, ("0", "1")),
        (np.arange(12) % 2 == 1, ("0", "1")),
        (np.arange(12) % 2 * 10.0, ("0", "10")),
        (np.arange(12) % 2 * 2 - 1, ("-1", "1")),
        (np.array([b"dog", b"cat"] * 6), ("cat", "dog")),
        (np.array(["10", "9"] * 6), ("9", "10")),
        (np.array([np.nan, 1.0] * 6), ("1", "no label")),
    ],
)
def test_labels_of_every_kind(tmp_path, labels, classes):
    data = read(tmp_path, images=COLOUR, labels=labels)
    assert data.class_names == classes


def test_class_names_in_the_file_name_the_classes(tmp_path):
    numbers = np.array([2, 0] * 6)
    named = {"labels": numbers, "class_names": np.array(["b", "a", "c"])}
    data = read(tmp_path, images=COLOUR, **named)
    assert data.class_names == ("b", "a", "c") and np.array_equal(data.labels, numbers)
    few = {"labels": numbers, "class_names": np.array(["b", "a"])}
    assert read(tmp_path, images=COLOUR, **few).class_names == ("0", "2")
    each = {"labels": numbers, "names": np.array([f"{i}.jpg" for i in range(12)])}
    assert read(tmp_path, images=COLOUR, **each).class_names == ("0", "2")


def test_labels_of_another_number_are_told(tmp_path):
    with pytest.raises(ExplorerError, match=r"labels in data.npz has the shape \(11,\) for 12"):
        read(tmp_path, images=COLOUR, labels=np.arange(11))


def test_known_factors_keep_their_names_and_their_kinds(tmp_path):
    values = RNG.random((12, 3))
    data = read(
        tmp_path,
        imgs=GREY,
        latents_values=values,
        latents_names=np.array(["shape", "scale", "x"]),
        angle=values[:, :1],
        side=np.array(["left", "right"] * 6),
        other=values[:5],
        wide=RNG.random((12, 40)),
        target=values[:, 0],
    )
    assert set(data.factors) == {
        "latents_values 1",
        "latents_values 2",
        "latents_values 3",
        "angle",
        "side",
        "target",
    }
    assert np.array_equal(data.factors["latents_values 2"], values[:, 1])
    assert np.array_equal(data.factors["angle"], values[:, 0])
    assert data.factors["side"].tolist() == ["left", "right"] * 6
    assert data.labels is None and left_out(data) == {"other": "unused", "wide": "unused"}


def test_python_objects_beside_the_images_are_left_out_unopened(tmp_path):
    data = read(tmp_path, imgs=GREY, metadata=np.array({"a": 1}, dtype=object))
    assert left_out(data) == {"metadata": "objects"}


# Files that lie


def npz(folder, **members):
    return pack(folder / "data.npz", [(f"{key}.npy", value) for key, value in members.items()])


@pytest.mark.parametrize(
    "shape", ["(1000000, 1000000)", "(10, 8, 8)", "(9, 8, 9)", "(-5, 8, 8)", "(10**9,)", "8"]
)
def test_a_header_that_promises_what_is_not_there_is_refused_before_anything_is_allocated(
    tmp_path, shape, monkeypatch
):
    monkeypatch.setattr(np, "frombuffer", lambda *_: pytest.fail("it was read"))
    path = npz(tmp_path, images=make_npy_header(shape) + bytes(9 * 8 * 8))
    with pytest.raises(ExplorerError, match="promises|header cannot be read"):
        read_images(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16,
        b"\x93NUMPY\x09\x00\x10\x00" + b" " * 16,
        b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535,
        make_npy_header("(" * 500 + ")" * 500),
        make_npy_header("(9, 8, 8)", "<m8[zz]"),
        make_npy_header("(9, 8, 8)").replace(b"NUMPY", b"RUMPY"),
    ],
)
def test_a_header_that_is_none_is_told(tmp_path, content):
    with pytest.raises(ExplorerError, match="images in data.npz is damaged: its NumPy header"):
        read_images(npz(tmp_path, images=content))


def test_a_broken_array_that_is_not_needed_is_left_out(tmp_path):
    stream = io.BytesIO()
    np.save(stream, GREY)
    data = read_images(npz(tmp_path, images=stream.getvalue(), mask=make_npy_header("(10**12,)")))
    assert left_out(data) == {"mask": "broken"}


def test_zeros_packed_as_bombs_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "LARGEST_PACKED", 1 << 20)
    path = save(tmp_path, True, images=np.zeros((2000, 32, 32), np.uint8))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ExplorerError, match=r"it is packed [\d,]+ : 1, as bombs are"):
        read_images(path)


def test_an_array_in_the_other_order_must_fit_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.archives.npy.LARGEST_WHOLE", 1000)
    with pytest.raises(ExplorerError, match="save it with np.ascontiguousarray"):
        read(tmp_path, images=np.asfortranarray(COLOUR))
    assert len(read(tmp_path, images=COLOUR)) == 12


def test_a_file_that_ends_too_early_is_told(tmp_path):
    np.save(tmp_path / "a.npy", COLOUR)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-1])
    with pytest.raises(ExplorerError, match="a.npy promises 2.88 kB and holds 2.88 kB"):
        read_images(tmp_path / "a.npy")
