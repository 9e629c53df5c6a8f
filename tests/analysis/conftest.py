"""Models and images that several studies share."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.analysis import oracles


@pytest.fixture(scope="session")
def linear():
    """The two-latent pPCA optimum and 40 digits."""
    return oracles.linear_vae(), torch.from_numpy(oracles.digit_pixels()[:40])


@pytest.fixture(scope="session")
def digits():
    """The digits as float64 images (1797, 1, 8, 8)."""
    return oracles.digit_pixels()


@pytest.fixture(scope="session")
def mnist_2d(mnist_root):
    """The shipped two-latent MNIST model and the binarised test set, (10000, 1, 28, 28)."""
    return _shipped("mnist-2d", mnist_root)


@pytest.fixture(scope="session")
def mnist_20d(mnist_root):
    """The shipped twenty-latent MNIST model and the binarised test set."""
    return _shipped("mnist-20d", mnist_root)


@pytest.fixture
def record():
    """Keep a slow study's figures in tests/results/analysis.json, one entry per study."""
    path = Path(__file__).resolve().parents[1] / "results" / "analysis.json"

    def keep(name, figures):
        path.parent.mkdir(exist_ok=True)
        values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        values[name] = {key: round(float(value), 5) for key, value in figures.items()}
        path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    return keep


def _shipped(name, root):
    from explorer.datasets import load_dataset
    from explorer.elbo.encoding import draw_targets
    from explorer.errors import ExplorerError
    from explorer.runs.store import open_run

    try:
        run = open_run(name)
    except ExplorerError:
        pytest.skip(f"The pretrained model {name} is not there yet.")
    images = load_dataset("mnist", data_root=root).split("test").images
    return run.model, draw_targets(run.model, np.asarray(images), seed=0)
