"""Every case of answers.md gives what it must: images by their pixels, refusals by their words."""

import numpy as np
import pytest

from explorer.datasets.own.read import read_images
from explorer.errors import ExplorerError
from tests.datasets.own.cases import CLASSES, COUNT, draw, drawn_arrays, make_parquet, ramp
from tests.helpers import present

JPEG_LOSS = 4.0
"""Mean difference in grey levels that quality 90 leaves of drawn shapes, at most."""


def pixels_by_name(data):
    """Return each image as (H, W, C) integers, by the last part of its name."""
    images = data.images.transpose(0, 2, 3, 1).astype(int)
    return {name.rpartition("/")[2]: image for name, image in zip(data.names, images, strict=True)}


def assert_the_drawn_jpegs(data):
    found = pixels_by_name(data)
    assert data.images.shape == (COUNT, 3, 64, 64)
    for i in range(COUNT):
        drawn = np.asarray(draw(CLASSES[i % 4], seed=i)).astype(int)
        assert np.abs(found[f"{i:05d}.jpg"] - drawn).mean() < JPEG_LOSS
    names = [data.class_names[label] for label in data.labels]
    at = [int(name.rpartition("/")[2].removesuffix(".jpg")) for name in data.names]
    assert names == [CLASSES[i % 4] for i in at]


@pytest.mark.parametrize(
    ("case", "origin", "splits"),
    [
        ("folders-40.zip", "folders", (32, 4, 4)),
        ("splits.zip", "folders", (28, 6, 6)),
        ("hf-metadata.zip", "column label", (32, 4, 4)),
        ("labels-csv-semicolon-bom.zip", "column class", (32, 4, 4)),
    ],
)
def test_an_archive_of_jpegs_gives_its_pictures_labels_and_splits(cases, case, origin, splits):
    data = read_images(cases / case)
    assert_the_drawn_jpegs(data)
    assert data.class_names == ("circle", "square", "star", "triangle")
    assert present(data.report).labels == origin
    sizes = tuple(len(data.splits[part]) for part in ("train", "validation", "test"))
    assert sizes == splits
    assert present(data.report).splits == ("given" if case == "splits.zip" else "drawn")


def test_the_folders_named_for_splits_decide_which_image_is_where(cases):
    data = read_images(cases / "splits.zip")
    for part, folder in (("train", "train"), ("validation", "val"), ("test", "test")):
        assert all(f"/{folder}/" in present(data.names)[row] for row in data.splits[part])


def test_parquet_gives_the_pictures_in_their_order_and_classes_in_theirs(tmp_path):
    pytest.importorskip("pyarrow")
    make_parquet(tmp_path)
    data = read_images(tmp_path / "hf.parquet")
    assert data.class_names == CLASSES
    assert present(data.labels).tolist() == [i % 4 for i in range(COUNT)]
    for i in (0, 17, COUNT - 1):
        drawn = np.asarray(draw(CLASSES[i % 4], seed=i)).transpose(2, 0, 1).astype(int)
        assert np.abs(data.images[i] - drawn).mean() < JPEG_LOSS


@pytest.mark.parametrize("case", ["nhwc.npz", "minus-one-to-one.npz"])
def test_arrays_of_either_layout_and_range_give_the_same_bytes(cases, case):
    data = read_images(cases / case)
    assert np.array_equal(data.images, drawn_arrays().transpose(0, 3, 1, 2))
    assert (present(data.report).layout, present(data.report).scale) == {
        "nhwc.npz": ("NHWC", "0…255"),
        "minus-one-to-one.npz": ("NCHW", "−1…1"),
    }[case]


def test_labels_in_words_and_in_numbers(cases):
    words, numbers = read_images(cases / "nhwc.npz"), read_images(cases / "minus-one-to-one.npz")
    assert [words.class_names[label] for label in present(words.labels)] == [
        CLASSES[i % 4] for i in range(60)
    ]
    assert numbers.class_names == ("0", "1", "2", "3")
    assert present(numbers.labels).tolist() == [i % 4 for i in range(60)]
    assert present(words.report).splits == "drawn"
    assert present(numbers.report).splits == "completed"


def test_bytes_of_zero_and_one_are_black_and_white(cases):
    data = read_images(cases / "zero-one-bytes.npz")
    white = drawn_arrays().mean(-1) > 110
    assert np.array_equal(data.images[:, 0], np.where(white, 255, 0))
    assert data.labels is None and present(data.report).channel_rule == "grey"


def test_an_image_in_two_splits_is_told_with_both_names(cases):
    report = present(read_images(cases / "leak.zip").report)
    assert (report.leaks, report.repeated) == (1, 1)
    assert report.leak_names == (("train/circle/a.jpg", "test/circle/b.jpg"),)
    assert any("in two splits" in sentence for sentence in report.sentences())


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("broken.zip", "broken: the end of the zip archive is missing"),
        ("no-pictures.zip", "one file was left out, readme.txt because its name is not"),
        ("bomb-ratio.zip", "4 files were left out, a/0.bmp because it is packed 1,027 : 1"),
        ("bomb-overlap.zip", "its files share the same bytes"),
        ("liar.zip", "one file was left out, a/liar.bmp because its size or checksum is not"),
        ("pickled-objects.npz", "holds Python objects, which are never opened"),
        ("terabyte-header.npz", "promises 1.08 TB and holds 100 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(cases, case, said):
    with pytest.raises(ExplorerError, match=said) as error:
        read_images(cases / case)
    assert case in str(error.value) and "\n" not in str(error.value)


# odd.zip


@pytest.fixture(scope="module")
def odd(cases):
    return read_images(cases / "odd.zip")


def test_odd_pictures_come_in_and_the_rest_is_left_out_by_name(odd):
    assert odd.images.shape == (18, 3, 64, 64)
    assert set(odd.class_names) == {"deep", "exif", "many", "mode", "naïve", "size"}
    assert {entry.name: entry.reason for entry in odd.report.left_out} == {
        "skip/truncated.jpg": "broken",
        "skip/empty.jpg": "empty",
        "skip/text.png": "format",
        "skip/vector.png": "format",
        "skip/postscript.png": "format",
        "skip/60000x60000.png": "pixels",
        "skip/notes.txt": "name",
        "skip/inner.zip": "archive",
        "skip/link.jpg": "link",
        "../../../tmp/evil/traversal.jpg": "path",
        "/abs/absolute.jpg": "path",
        "../../windows.jpg": "path",
    }


def test_a_camera_held_upright_is_turned_back(odd):
    picture = pixels_by_name(odd)["rotated-6-white-bar-ends-up-right.jpg"]
    # 48 × 64 upright, cut to its middle 48 × 48: the bar of 10 of 48 columns stands at the right.
    assert picture[:, 56:].min() > 200 and picture[:, :48].max() < 50
    assert odd.report.turned == 1


def test_sixteen_bits_and_floats_become_the_same_bytes_and_the_dark_stays_dark(odd):
    found = pixels_by_name(odd)
    full = np.rint(ramp() / 65535 * 255)
    assert np.array_equal(found["ramp-16-bit.png"], np.repeat(full[..., None], 3, 2))
    assert np.array_equal(found["float-0-1.tif"], found["ramp-16-bit.png"])
    dark = found["dark-16-bit-below-4096.png"]
    assert (dark.min(), dark.max()) == (0, 16)


def test_every_mode_shows_the_same_star(odd):
    found = pixels_by_name(odd)
    star = np.asarray(draw("star", seed=1)).astype(int)
    luma = np.asarray(draw("star", seed=1).convert("L")).astype(int)[..., None]
    assert np.array_equal(found["palette.png"], star)
    assert np.array_equal(found["lossless.webp"], star)
    assert np.array_equal(found["la.png"], np.repeat(luma, 3, 2))
    assert np.abs(found["grey.jpg"] - luma).mean() < JPEG_LOSS
    assert np.abs(found["cmyk.jpg"] - star).mean() < JPEG_LOSS
    assert set(np.unique(found["one-bit.png"])) == {0, 255}


@pytest.mark.parametrize("background", [0, 200])
def test_what_is_transparent_shows_the_background(cases, background):
    found = pixels_by_name(read_images(cases / "odd.zip", background=background))
    star = np.asarray(draw("star", seed=1)).astype(int)
    alpha = (np.add.outer(np.arange(64), np.arange(64)) * 2).clip(0, 255)[..., None]
    mixed = np.rint((star * alpha + background * (255 - alpha)) / 255)
    assert np.array_equal(found["rgba-gradient.png"], mixed)
    # One of the two entries of the palette is transparent.
    seen = found["palette-transparent.png"]
    through = (seen == background).all(-1)
    assert 0 < through.sum() < through.size and np.array_equal(seen[~through], star[~through])


@pytest.mark.parametrize("name", ["animated.gif", "animated.png", "pages.tif"])
def test_of_many_frames_the_first_is_taken(odd, name):
    first = np.asarray(draw("circle", seed=0)).astype(int)
    assert np.array_equal(pixels_by_name(odd)[name], first)
    assert odd.report.first_frames == 3


def test_other_sizes_are_cut_to_their_middle_and_one_pixel_is_one_colour(odd):
    found = pixels_by_name(odd)
    wide = draw("star", seed=1).resize((200, 60)).crop((70, 0, 130, 60)).resize((64, 64))
    assert np.abs(found["wide-200x60.jpg"] - np.asarray(wide).astype(int)).mean() < JPEG_LOSS
    assert np.ptp(found["one-pixel.png"], axis=(0, 1)).max() == 0
    assert (odd.report.smallest, odd.report.largest) == ((1, 1), (60, 200))
