"""A mean over pixels beside a summed KL is told, with the factor; what may be a sum is not."""

import warnings

import pytest

from explorer.errors import ExplorerError
from explorer.runs.info import LikelihoodInfo, ModelInfo
from explorer.runs.plausible import doubt_reconstruction
from explorer.runs.run import Run
from explorer.runs.store import list_pretrained
from explorer.runs.writer import RunWriter

MNIST = (1, 28, 28)


def doubt(cost, shape=MNIST, likelihood=None, sigma2=None, kl=20.0):
    stated = None if likelihood is None else LikelihoodInfo(likelihood, sigma2)
    model = ModelInfo("none", "gaussian", 10, shape, likelihood=stated)
    return doubt_reconstruction(model, {"reconstruction": cost, "kl": kl})


@pytest.mark.parametrize(
    ("cost", "options"),
    [
        (80 / 784, {"likelihood": "bernoulli"}),  # A good model of MNIST costs 80 nats.
        # A squared error of .01 per pixel with σ² = .01, and with σ² = 1 on larger images.
        (0.005 / 0.01, {"likelihood": "gaussian", "sigma2": 0.01, "shape": (3, 64, 64)}),
        (0.005, {"likelihood": "gaussian", "sigma2": 1.0}),
        (0.005, {}),
    ],
)
def test_a_mean_over_pixels_is_told_with_the_factor(cost, options):
    told = doubt(cost, **options)
    pixels = "12,288" if "shape" in options else "784"
    assert told is not None and f"multiply it by {pixels} for" in told


@pytest.mark.parametrize(
    ("cost", "options"),
    [
        (80.0, {"likelihood": "bernoulli"}),
        (7.0, {"likelihood": "bernoulli", "shape": (1, 64, 64)}),  # Sparse shapes of one object.
        (0.3, {"likelihood": "bernoulli", "shape": (1, 8, 8)}),  # Too few pixels to tell.
        (0.01 * 784 / 2, {"likelihood": "gaussian", "sigma2": 1.0}),
        (-0.3, {"likelihood": "gaussian", "sigma2": 0.05}),  # With its constants, or a density.
        (0.1, {"shape": None}),
        (0.005, {"kl": 0.0}),
    ],
)
def test_what_may_be_a_sum_is_not_doubted(cost, options):
    assert doubt(cost, **options) is None


def test_no_log_of_a_shipped_run_is_doubted():
    for run in list_pretrained():
        points = run.metrics()
        assert [p for p in points if doubt_reconstruction(run.info.model, p)] == [], run.id


def test_the_writer_warns_at_the_call_and_once(tmp_path):
    with RunWriter(tmp_path / "run", latent_dim=2, shape=MNIST, likelihood="bernoulli") as run:
        with pytest.warns(UserWarning, match="looks like a mean over pixels") as caught:
            run.log(1, reconstruction=0.1, kl_per_dim=[10.0, 10.0])
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run.log(2, reconstruction=0.1, kl_per_dim=[10.0, 10.0])
    info = Run(tmp_path / "run").info
    assert info.model.shape == MNIST and info.model.likelihood == LikelihoodInfo("bernoulli")
    assert [point["reconstruction"] for point in Run(tmp_path / "run").metrics()] == [0.1, 0.1]


def test_a_likelihood_that_is_none_is_refused(tmp_path):
    with pytest.raises(ExplorerError, match="A likelihood is one of bernoulli, "):
        RunWriter(tmp_path / "run", latent_dim=2, likelihood="normal")
