"""The constants of MNIST and of the digits."""

import numpy as np
import pytest
import torch
from scipy.special import xlog1py, xlogy
from torch.distributions import Bernoulli

from explorer.analysis.representation import baselines
from explorer.errors import ExplorerError


def test_floor_of_grey_digits(digits):
    assert baselines.grey_floor(digits) == pytest.approx(13.658, abs=1e-3)


def test_entropy_is_torchs(digits):
    means = torch.from_numpy(digits.mean(0)).clamp(1e-12, 1 - 1e-12)
    expected = float(Bernoulli(means).entropy().sum())
    assert baselines.collapsed_nll(digits) == pytest.approx(expected, abs=1e-6)


@pytest.mark.mnist
def test_constants_of_mnist(mnist_root):
    from explorer.datasets import load_dataset

    dataset = load_dataset("mnist", data_root=mnist_root)
    images = np.asarray(dataset.split("all").images)
    train, test = images[:60000], np.asarray(dataset.split("test").images)
    assert baselines.collapsed_nll(train) == pytest.approx(206.03, abs=0.01)
    assert baselines.collapsed_nll(test) == pytest.approx(205.65, abs=0.01)
    assert baselines.collapsed_nll(test, train) == pytest.approx(205.80, abs=0.01)
    assert baselines.grey_floor(train) == pytest.approx(45.757, abs=1e-3)
    assert baselines.grey_floor(test) == pytest.approx(45.534, abs=1e-3)


def test_images_of_another_size_are_one_clear_error():
    with pytest.raises(ExplorerError, match="size"):
        baselines.collapsed_nll(np.zeros((2, 4)), np.zeros((2, 5)))


def test_cross_entropy_is_scipys_at_nothing_and_at_one_too():
    rng = np.random.default_rng(0)
    images = rng.choice([0.0, 0.25, 1.0], (40, 30))
    images[:, :3], images[:, 3:6] = 0.0, 1.0
    means, guess = images.mean(0), images[:30].mean(0)
    assert {0.0, 1.0} <= set(means)
    for reference, other in ((None, means), (images[:30], guess)):
        expected = -(xlogy(means, other) + xlog1py(1 - means, -other)).sum()
        found = baselines.collapsed_nll(images, reference)
        assert found == pytest.approx(expected, rel=1e-14)
    expected = -(xlogy(images, images) + xlog1py(1 - images, -images)).sum() / len(images)
    assert baselines.grey_floor(images) == pytest.approx(expected, rel=1e-14)
