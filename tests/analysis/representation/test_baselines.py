"""The constants of MNIST and of the digits."""

import numpy as np
import pytest
import torch
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
