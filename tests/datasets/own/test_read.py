"""From a path to a data set: the rules found, what is told, and how little memory it takes."""

import dataclasses
import json
import shutil
import tempfile
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from explorer.datasets import ImageDataset
from explorer.datasets.images import digest_pixels
from explorer.datasets.own import pixels as pixels_module
from explorer.datasets.own import read as module
from explorer.datasets.own.read import read_images
from explorer.datasets.report import ReadingStopped, Report
from explorer.errors import ExplorerError
from tests.datasets.own.cases import draw, encode, pack
from tests.helpers import present


def zip_of(folder, pictures, name="pets.zip", form="PNG"):
    members = []
    for at, picture in enumerate(pictures):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        members.append((f"{at:04d}.png", encode(image, form)))
    return pack(folder / name, members)


def grey(side=8, count=6):
    return list(np.random.default_rng(0).integers(0, 256, (count, side, side), dtype=np.uint8))


def stars(sizes):
    return [draw("star", size, seed) for seed, size in enumerate(sizes)]


# Size


def test_pictures_of_one_size_keep_it(tmp_path):
    data = read_images(zip_of(tmp_path, [np.zeros((20, 30), np.uint8) + i for i in range(4)]))
    assert data.shape == (1, 20, 30)
    assert (present(data.report).size_rule, present(data.report).resized) == ("own", 0)


@pytest.mark.parametrize("sizes", [(32, 32, 40, 32), (129, 129, 129)])
def test_pictures_that_differ_or_are_large_become_64(tmp_path, sizes):
    data = read_images(zip_of(tmp_path, stars(sizes)))
    assert data.shape == (3, 64, 64)
    assert (present(data.report).size_rule, present(data.report).resized) == ("mixed", len(sizes))


def test_the_size_that_is_asked_for_holds(tmp_path):
    path = zip_of(tmp_path, stars((32, 40, 32)))
    assert read_images(path, size=32).shape == (3, 32, 32)
    data = read_images(path, size=(16, 24), fit="pad", background=9)
    assert data.shape == (3, 16, 24) and (data.images[:, :, :, :4] == 9).all()
    report = present(data.report)
    assert (report.size, report.fit, report.size_rule) == ((16, 24), "pad", "told")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"size": 0}, "size is a whole number from 1 to 512"),
        ({"size": 513}, "not 513"),
        ({"size": (8, 8, 8)}, r"not \(8, 8, 8\)"),
        ({"size": 8.5}, "not 8.5"),
        ({"fit": "squash"}, "crop, pad, resize, not 'squash'"),
        ({"channels": 2}, "1 or 3 channels, not 2"),
        ({"background": 256}, "0 to 255, not 256"),
        ({"background": "white"}, "not 'white'"),
    ],
)
def test_a_wish_that_cannot_be_met_is_told_at_once(wish, said):
    with pytest.raises(ExplorerError, match=said):
        read_images("/no/such/path", **wish)


# Channels and scale


def test_grey_pictures_in_colour_files_are_grey(tmp_path):
    coloured = [np.repeat(picture[..., None], 3, 2) for picture in grey()]
    data = read_images(zip_of(tmp_path, coloured))
    assert data.shape == (1, 8, 8) and present(data.report).channel_rule == "grey"
    assert any("No picture has colour" in sentence for sentence in present(data.report).sentences())


def test_one_picture_in_colour_makes_all_of_three_channels(tmp_path):
    pictures = [*grey(16), draw("star", 16)]
    data = read_images(zip_of(tmp_path, pictures))
    assert data.shape == (3, 16, 16) and present(data.report).channel_rule == "colour"
    by_name = dict(zip(present(data.names), data.images, strict=True))
    assert np.array_equal(by_name["0000.png"], np.repeat(pictures[0][None], 3, 0))
    assert np.array_equal(by_name["0006.png"], np.asarray(pictures[6]).transpose(2, 0, 1))


def test_channels_that_are_asked_for_hold(tmp_path):
    path = zip_of(tmp_path, stars((16, 16, 16)))
    assert read_images(path, channels=1).shape == (1, 16, 16)
    assert read_images(zip_of(tmp_path, grey(), "g.zip"), channels=3).shape == (3, 8, 8)


def test_twelve_bits_in_sixteen_come_out_bright_whichever_picture_shows_it(tmp_path):
    twelve = [np.arange(64, dtype=np.uint16).reshape(8, 8) * step for step in (1, 20, 65)]
    data = read_images(zip_of(tmp_path, twelve))
    by_name = dict(zip(present(data.names), data.images, strict=True))
    for at, pixels in enumerate(twelve):
        known = np.rint(pixels / 4095 * 255)
        assert np.array_equal(by_name[f"{at:04d}.png"][0], known)
    assert present(data.report).scale == "0…4095 (12 bits)"


# What is told on the way


def test_progress_goes_to_the_end_and_is_that_of_pictures(tmp_path):
    told = []
    read_images(zip_of(tmp_path, grey()), progress=lambda *state: told.append(state))
    assert told == [(done, 6) for done in range(1, 7)]


def test_a_reading_that_is_stopped_says_so_and_reads_no_further(tmp_path):
    path, told = zip_of(tmp_path, grey()), []
    with pytest.raises(ReadingStopped, match="stopped"):
        read_images(path, progress=lambda *state: told.append(state), stop=lambda: len(told) == 2)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none", None, "no file and no folder"),
        ("a.png", encode(draw("star"), "PNG"), "it is one picture; give a folder"),
        ("a.tar.gz", b"\x1f\x8b", "unpack it and give the folder"),
        ("a.7z", b"7z", "unpack it"),
        ("a.pkl", b"\x80\x04", "numpy.savez"),
        ("a.csv", b"a,b\n", "folder that holds the table"),
        ("a", b"anything", "give a folder, a .zip, a .npz or a .parquet"),
        ("empty.zip", b"", "it is broken, or not"),
    ],
)
def test_what_is_not_read_is_told_with_what_to_do(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ExplorerError, match=said):
        read_images(path)


def test_files_are_known_by_what_they_are_not_by_their_names(tmp_path):
    zip_of(tmp_path, grey()).rename(tmp_path / "upload")
    assert present(read_images(tmp_path / "upload").report).kind == "zip"
    np.savez(tmp_path / "arrays.npz", images=np.stack(grey()))
    (tmp_path / "arrays.npz").rename(tmp_path / "arrays.zip")
    assert present(read_images(tmp_path / "arrays.zip").report).kind == "npz"


def test_a_folder_without_pictures_says_what_pictures_are(tmp_path):
    with pytest.raises(ExplorerError, match="holds no pictures .PNG, JPEG"):
        read_images(tmp_path)


def test_too_few_pictures_and_all_of_them_broken(tmp_path):
    with pytest.raises(ExplorerError, match="At least three images are needed.*not 2"):
        read_images(zip_of(tmp_path, grey(count=2)))
    broken = pack(tmp_path / "b.zip", [(f"{i}.png", b"x") for i in range(5)])
    with pytest.raises(ExplorerError, match="5 files were left out, 0.png because it is no PNG"):
        read_images(broken)


def test_a_full_disk_is_told_before_and_after_it_happens(tmp_path, monkeypatch):
    path = zip_of(tmp_path, grey())
    usage = dataclasses.make_dataclass("Usage", ["free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100))
    with pytest.raises(
        ExplorerError, match=r"6 images of 8 × 8 pixels need 384 bytes; .* 100 bytes"
    ):
        read_images(path)


# Splits, order and the map


def test_each_split_of_files_is_one_stretch_of_the_map(tmp_path):
    data = read_images(zip_of(tmp_path, grey(count=40)))
    for part in ("train", "validation", "test"):
        assert np.shares_memory(data.split(part).images, data.images)
    # The split is drawn: it is no stretch of the names.
    held = {int(present(data.names)[row][:4]) for row in data.splits["validation"]}
    assert max(held) - min(held) > len(held)


def test_splits_are_mended_where_too_many_of_one_are_broken(tmp_path):
    members = [(f"train/{i}.png", encode(draw("star", 8, i), "PNG")) for i in range(8)]
    members += [("val/8.png", encode(draw("star", 8, 8), "PNG")), ("test/9.png", b"x")]
    data = read_images(pack(tmp_path / "a.zip", members))
    assert present(data.report).splits == "completed" and len(data.splits["test"]) == 1
    assert [present(data.names)[row] for row in data.splits["validation"]] == ["val/8.png"]


def test_images_are_mapped_read_only_and_outlive_their_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    pictures = grey()
    data = read_images(zip_of(tmp_path, pictures))
    assert isinstance(data, ImageDataset) and not data.images.flags.writeable
    assert list((tmp_path / "temporary").iterdir()) == []
    by_name = dict(zip(present(data.names), data.images, strict=True))
    assert all(np.array_equal(by_name[f"{i:04d}.png"][0], pictures[i]) for i in range(6))


def test_memory_stays_small_beside_the_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (16_000, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(16_000) % 7)
    tracemalloc.start()
    data = read_images(tmp_path / "a.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The map is the system's; this is what is allocated beside it.
    assert peak < 0.3 * images.nbytes and data.images.nbytes == images.nbytes


def test_a_file_of_pixels_is_numpys_own(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)
    with open(tmp_path / "pixels.npy", "w+b") as file:
        written = pixels_module.PixelFile(file, tmp_path, (3, 4, 6))
        written.append(images[:2])
        written.append(images[2:])
        mapped = written.finish()
        assert written.digest() == digest_pixels(images)
    assert np.array_equal(mapped, images)
    assert np.array_equal(np.load(tmp_path / "pixels.npy"), images)


def test_repeats_point_to_the_first_of_their_kind(tmp_path):
    images = np.zeros((6, 1, 2, 2), np.uint8)
    images[[1, 4]], images[[2]] = 7, 9
    with open(tmp_path / "pixels.npy", "w+b") as file:
        written = pixels_module.PixelFile(file, tmp_path, (1, 2, 2))
        written.append(images)
        assert written.repeats().tolist() == [0, 1, 2, 0, 1, 0]


def test_the_same_files_give_the_same_data_set_every_time(cases):
    first, again = (read_images(cases / "folders-40.zip") for _ in range(2))
    assert first.fingerprint == again.fingerprint and first.names == again.names


def test_a_report_survives_as_json(cases):
    report = present(read_images(cases / "odd.zip").report)
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    for sentence in report.sentences():
        assert sentence.endswith(".") and "\n" not in sentence


def test_a_name_is_that_of_the_file_unless_it_is_given(tmp_path):
    path = zip_of(tmp_path, grey(), "my pets (2).zip")
    assert read_images(path).name == "my-pets-2"
    assert read_images(path, name="cats").name == "cats"


def test_every_reason_has_its_words():
    assert module.STRANGE[".h5"].startswith("save")
    from explorer.datasets.report import REASONS, LeftOut

    for key in REASONS:
        assert "{" not in LeftOut("a", key, "1").text
