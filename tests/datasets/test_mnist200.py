"""The real digits that are always there: whose they are, and how fair a sample."""

import tomllib

import numpy as np
import pytest

from explorer.datasets import DATASETS, load_dataset
from explorer.datasets.mnist200 import FILE, MNIST_FINGERPRINT, MNIST_PIXELS, is_of_mnist, mnist_ids
from explorer.elbo.evaluation import evaluate_elbo
from explorer.runs.store import list_pretrained
from tests.conftest import REPOSITORY
from tests.helpers import present

MODELS = [
    run.id
    for run in list_pretrained()
    if run.info.dataset is not None and run.info.dataset.fingerprint == MNIST_FINGERPRINT
]


def test_they_are_twenty_of_each_class_in_turn():
    data = load_dataset("mnist-200")
    assert data.shape == DATASETS["mnist-200"].shape and len(data) == 200
    labels = present(data.labels).reshape(20, 10)
    assert (labels == labels[0]).all() and sorted(labels[0]) == list(range(10))
    sizes = {name: len(rows) for name, rows in data.splits.items()}
    assert sizes == {"all": 200, "train": 160, "validation": 20, "test": 20}


def test_their_file_is_small_and_both_licences_are_named():
    assert FILE.stat().st_size <= 100_000
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "MIT AND CC-BY-SA-3.0"
    notes = [(REPOSITORY / name).read_text(encoding="utf-8") for name in project["license-files"]]
    assert "MIT License" in notes[0]
    assert all(word in notes[1] for word in ("LeCun", "Cortes", "NIST", "CC-BY-SA-3.0"))


@pytest.mark.mnist
def test_they_are_test_images_of_mnist_pixel_for_pixel(mnist_root):
    whole, ids = load_dataset("mnist", data_root=mnist_root), mnist_ids()
    data = load_dataset("mnist-200")
    assert len(set(ids.tolist())) == 200 and set(ids) <= set(whole.splits["test"])
    assert np.array_equal(data.images, whole.images[ids])
    assert np.array_equal(present(data.labels), present(whole.labels)[ids])
    assert (whole.pixel_digest, whole.fingerprint) == (MNIST_PIXELS, MNIST_FINGERPRINT)


def test_mnist_is_known_by_its_pixels_and_in_older_runs_by_its_fingerprint():
    assert is_of_mnist(MNIST_PIXELS, "") and is_of_mnist("", MNIST_FINGERPRINT)
    assert not is_of_mnist("", "") and not is_of_mnist("0" * 64, MNIST_FINGERPRINT)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_mnist_finds_them_as_it_finds_the_test_images(name):
    """Reconstruction and KL within a standard error of the figures over all 10,000 images."""
    run = next(run for run in list_pretrained() if run.id == name)
    found, known = (
        evaluate_elbo(run.model, load_dataset("mnist-200").images),
        run.info.results["test"],
    )
    terms = {"reconstruction": found.reconstruction_per_image, "kl": found.kl_per_image}
    for term, values in terms.items():
        if values is not None:
            error = values.std() / len(values) ** 0.5
            assert values.mean() == pytest.approx(known[term], abs=error + 1e-4)


def test_the_first_is_near_the_mean_of_the_model_that_opens_the_app():
    run = next(run for run in list_pretrained() if run.id == "mnist-2d")
    found = evaluate_elbo(run.model, load_dataset("mnist-200").images[:1])
    assert found.elbo_per_image[0] == pytest.approx(run.info.results["test"]["elbo"], abs=5)
