"""Data sets: one shape for all, fixed splits, and errors that say what to do."""

import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from explorer import datasets
from explorer.datasets import DATASETS, ImageDataset, digits, external, is_available, load_dataset
from explorer.datasets.images import split_rows
from explorer.errors import ExplorerError
from tests.helpers import present


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """A computer that holds no collection: an empty cache and no data root."""
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)
    datasets._load.cache_clear()
    return tmp_path / "cache" / "data"


def some_images(count=10, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 5), dtype=np.uint8)


# The one shape of a data set


def test_importing_the_room_imports_no_heavy_library():
    code = (
        "import sys, explorer.datasets;"
        "print({'torch', 'torchvision', 'sklearn'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "set()", answer.stderr


def test_a_split_carries_rows_labels_factors_and_global_ids():
    images = some_images()
    data = ImageDataset(
        "own",
        images,
        np.arange(10) % 2,
        ("even", "odd"),
        factors={"size": np.linspace(0, 1, 10)},
        splits={"train": np.arange(6), "test": np.array([9, 6])},
    )
    test = data.split("test")
    assert data.shape == (1, 4, 5)
    assert test.ids.tolist() == [9, 6]
    assert np.array_equal(test.images, images[[9, 6]])
    assert present(test.labels).tolist() == [1, 0]
    assert test.factors["size"].tolist() == [1.0, 6 / 9]
    assert len(data.split("all")) == len(data) == 10


def test_consecutive_rows_are_handed_out_without_a_copy():
    data = ImageDataset("own", some_images(), splits={"train": np.arange(2, 8)})
    assert np.shares_memory(data.split("train").images, data.images)


def test_every_array_is_read_only_and_the_callers_own_stays_writable():
    images = some_images()
    data = ImageDataset("own", images, splits={"test": np.array([3, 1])})
    for array in (data.images, data.split("test").images, data.split("all").ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    images[0] = 0


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"images": np.zeros((2, 1, 4, 4))}, "must be uint8"),
        ({"images": np.zeros((2, 4, 4), np.uint8)}, r"shape \(N, C, H, W\)"),
        ({"images": np.zeros((0, 1, 4, 4), np.uint8)}, "no pixels"),
        ({"labels": np.arange(9)}, "one per image"),
        ({"labels": np.arange(10), "class_names": ("a", "b")}, "outside its 2 class names"),
        ({"labels": np.arange(10) - 1}, "outside"),
        ({"factors": {"size": np.arange(3)}}, "factor 'size'"),
        ({"splits": {"training": np.arange(3)}}, "not 'training'"),
        ({"splits": {"test": np.array([10])}}, "outside its 10 images"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(ExplorerError, match=message):
        ImageDataset(**({"name": "own", "images": some_images()} | parts))


def test_an_unknown_split_names_the_choices():
    data = ImageDataset("own", some_images(), splits={"train": np.arange(4)})
    with pytest.raises(ExplorerError, match=r"no split 'test': choose all, train\."):
        data.split("test")


def test_the_fingerprint_follows_pixels_labels_and_splits_only():
    def fingerprint(name="own", labels=tuple(range(10)), last_test=5, first_pixel=0):
        images = some_images()
        images[0, 0, 0, 0] = first_pixel
        return ImageDataset(
            name, images, np.array(labels), splits={"test": np.array([1, last_test])}
        ).fingerprint

    same = fingerprint()
    assert same == fingerprint(name="renamed")
    assert len({same, fingerprint(labels=(1,) * 10), fingerprint(last_test=6)}) == 3
    assert same != fingerprint(first_pixel=1)


# The user's own arrays


def test_own_floats_become_bytes_and_a_channel_is_added():
    images = np.linspace(0, 1, 60).reshape(5, 3, 4)
    data = ImageDataset.from_arrays(images)
    assert data.shape == (1, 3, 4)
    assert np.abs(data.images[:, 0] / 255 - images).max() <= 1 / 510 + 1e-12


def test_own_bytes_are_kept_and_own_labels_name_the_classes():
    images = some_images(40)
    data = ImageDataset.from_arrays(images, ["cat", "dog"] * 20, name="pets")
    assert np.array_equal(data.images, images)
    assert data.class_names == ("cat", "dog")
    assert present(data.labels)[:3].tolist() == [0, 1, 0]


def test_own_splits_are_80_10_10_and_repeatable():
    first, again, other = (
        ImageDataset.from_arrays(some_images(100), seed=seed) for seed in (0, 0, 1)
    )
    assert {k: len(v) for k, v in first.splits.items()} == {
        "all": 100,
        "train": 80,
        "validation": 10,
        "test": 10,
    }
    assert np.array_equal(first.splits["test"], again.splits["test"])
    assert not np.array_equal(first.splits["test"], other.splits["test"])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.full((5, 4, 4), np.nan), None, "NaN"),
        (np.full((5, 4, 4), 2.0), None, r"must lie in \[0, 1\]"),
        (np.zeros((5, 4, 4), int), None, "uint8 or floats"),
        (np.zeros((5, 4), np.uint8), None, r"\(N, H, W\)"),
        (np.zeros((2, 4, 4), np.uint8), None, "at least three"),
        (np.zeros((5, 4, 4), np.uint8), [0, 1], "one per image"),
        (np.zeros((3, 4, 4), np.uint8), [0.5, 1.5, 2.5], "integers or strings"),
    ],
)
def test_own_arrays_that_cannot_be_used_say_why(images, labels, message):
    with pytest.raises(ExplorerError, match=message):
        ImageDataset.from_arrays(images, labels)


def test_splits_share_out_every_stratum_and_lose_no_row():
    strata = np.repeat(np.arange(5), [10, 20, 30, 40, 100])
    splits = split_rows(strata, seed=3)
    assert sorted(np.concatenate(list(splits.values()))) == list(range(200))
    for part, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        counts = np.bincount(strata[splits[part]], minlength=5)
        assert np.abs(counts - share * np.array([10, 20, 30, 40, 100])).max() <= 1


# The registry


def test_the_names_are_these():
    offline = ["digits", "strokes", "shapes", "colour-shapes", "mnist-200"]
    assert list(DATASETS) == [*offline, "mnist", "fashion-mnist", "kmnist"]


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(ExplorerError, match="no data set 'minst': choose digits, strokes, shapes"):
        load_dataset("minst")
    with pytest.raises(ExplorerError, match="choose digits"):
        is_available("minst")


def test_offline_data_sets_are_always_available_and_collections_are_not(no_data):
    available = [name for name in DATASETS if is_available(name)]
    assert available == ["digits", "strokes", "shapes", "colour-shapes", "mnist-200"]
    assert available == [name for name, entry in DATASETS.items() if entry.offline]


def test_handwriting_is_what_was_written_by_hand():
    written = [name for name, entry in DATASETS.items() if entry.handwriting]
    assert written == ["digits", "strokes", "mnist-200", "mnist", "kmnist"]


def test_a_data_set_is_kept_in_memory():
    assert load_dataset("digits") is load_dataset("digits")


# Digits


def test_digits_are_scikit_learns_in_stratified_splits():
    data = load_dataset("digits")
    assert (len(data), data.shape) == (1797, DATASETS["digits"].shape)
    sizes = {name: len(rows) for name, rows in data.splits.items()}
    assert sizes == {"all": 1797, "train": 1297, "validation": 200, "test": 300}
    assert np.ptp(np.bincount(present(data.split("test").labels))) <= 3


def test_digits_in_bytes_give_back_the_counts_of_the_source():
    from sklearn.datasets import load_digits

    counts = load_digits().images
    bytes_ = load_dataset("digits").images[:, 0]
    assert np.array_equal(np.rint(bytes_ / 255 * 16), counts)
    assert np.abs(bytes_ / 255 - counts / 16).max() < 1 / 370


def test_digits_are_the_same_where_scikit_learn_keeps_them_elsewhere(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    assert np.array_equal(digits.load_digits().images, load_dataset("digits").images)


def test_digits_keep_the_spectrum_of_the_linear_oracle():
    # The eigenvalues of digits / 16, centred, divided by N: the table for the linear VAE.
    known = [0.698857, 0.639167, 0.553553, 0.394704, 0.271385]
    known += [0.230764, 0.202561, 0.171838, 0.157377, 0.144497]
    x = load_dataset("digits").images.reshape(1797, 64) / 255
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    assert eigenvalues[:10] == pytest.approx(known, rel=3e-4)
    assert eigenvalues.sum() == pytest.approx(4.693276, rel=1e-4)


# Collections that torchvision knows


def write_collection(folder: Path, count=12, seed=0):
    """Write a tiny collection in MNIST's idx format and return its training images."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    first = None
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            magic = (0x800 + array.ndim).to_bytes(4, "big")
            sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{kind}-ubyte").write_bytes(magic + sizes + array.tobytes())
        first = images if first is None else first
    return first


def test_an_absent_collection_says_how_to_get_it_and_what_works_offline(no_data):
    with pytest.raises(ExplorerError, match=r"Allow its download \(12 MB\).*'digits', 'mnist-200'"):
        load_dataset("mnist")
    assert not no_data.exists()


@pytest.mark.parametrize("name", external.COLLECTIONS)
def test_a_collection_is_found_where_torchvision_puts_it(name, tmp_path, no_data, monkeypatch):
    folder = tmp_path / "here" / external.COLLECTIONS[name].torchvision_class / "raw"
    images = write_collection(folder)
    assert is_available(name, tmp_path / "here") and not is_available(name)
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path / "here"))
    assert is_available(name)
    data = load_dataset(name)
    assert np.array_equal(data.images[:12, 0], images)
    assert data.split("test").ids.tolist() == list(range(12, 24))
    assert len(data.class_names) == 10


def test_a_collection_that_cannot_be_read_is_an_error_of_one_sentence(tmp_path, no_data):
    folder = tmp_path / "MNIST" / "raw"
    write_collection(folder)
    (folder / "train-images-idx3-ubyte").write_bytes(b"torn")
    with pytest.raises(ExplorerError, match="cannot be read.*delete them"):
        load_dataset("mnist", data_root=tmp_path)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server on this computer that torchvision takes for the mirror of MNIST."""
    from explorer.datasets.torchvision_mend import import_datasets

    served = tmp_path / "served"
    images = write_collection(served)
    resources = []
    for file in external.FILES:
        packed = gzip.compress((served / file).read_bytes())
        (served / f"{file}.gz").write_bytes(packed)
        resources.append((f"{file}.gz", hashlib.md5(packed).hexdigest()))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(served))

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mnist = import_datasets().MNIST
    monkeypatch.setattr(mnist, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(mnist, "resources", resources)
    yield served, images
    server.shutdown()
    server.server_close()


def test_a_download_arrives_whole_reports_progress_and_leaves_no_trace(mirror, no_data):
    reports = []
    data = load_dataset("mnist", download=True, progress=lambda *report: reports.append(report))
    assert np.array_equal(data.images[:12, 0], mirror[1])
    assert reports[-1] == ("mnist", 11_594_722, 11_594_722)
    assert [path.name for path in no_data.iterdir()] == ["MNIST"]
    assert sorted(path.name for path in (no_data / "MNIST" / "raw").iterdir()) == sorted(
        external.FILES
    )


def test_a_download_that_fails_leaves_nothing_behind(mirror, no_data):
    (mirror[0] / f"{external.FILES[-1]}.gz").write_bytes(b"not what the checksum promises")
    with pytest.raises(ExplorerError, match="'mnist' could not be downloaded.*need no network"):
        load_dataset("mnist", download=True)
    assert not is_available("mnist")
    assert list(no_data.iterdir()) == []


@pytest.mark.mnist
def test_mnist_has_its_published_rows(mnist_root):
    data = load_dataset("mnist", data_root=mnist_root)
    assert {name: len(rows) for name, rows in data.splits.items()} == {
        "all": 70_000,
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
    }
    assert present(data.split("train").labels)[:5].tolist() == [5, 0, 4, 1, 9]
    assert present(data.split("test").labels)[:5].tolist() == [7, 2, 1, 0, 4]
    assert data.split("test").ids[0] == 60_000
    assert data.images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
