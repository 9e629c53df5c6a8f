"""The linear β-VAE's closed form, against this project's reference table and scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer.analysis.collapse import linear
from explorer.errors import ExplorerError

TABLE = [  # β, active, rate, distortion: digits / 16, K = 16, σ² = 0.05
    (0.5, 16, 16.00668, -25.98341),
    (1, 16, 10.46150, -21.98341),
    (2, 12, 5.47939, -14.94567),
    (4, 7, 2.28593, -6.02850),
    (8, 3, 0.67579, 2.96564),
    (15, 0, 0.0, 9.88140),
]


@pytest.fixture(scope="module")
def eigenvalues(digits):
    return linear.covariance_eigenvalues(digits)


def test_eigenvalues_of_the_digits(eigenvalues):
    expected = [0.698857, 0.639167, 0.553553, 0.394704, 0.271385]
    expected += [0.230764, 0.202561, 0.171838, 0.157377, 0.144497]
    assert eigenvalues[:10] == pytest.approx(expected, abs=1e-6)
    assert eigenvalues.sum() == pytest.approx(4.693276, abs=1e-6)


@pytest.mark.parametrize(("beta", "active", "rate", "distortion"), TABLE)
def test_rate_and_distortion_over_beta(eigenvalues, beta, active, rate, distortion):
    optimum = linear.linear_optimum(eigenvalues, 16, beta=beta, sigma2=0.05)
    assert optimum.active == active
    assert optimum.rate == pytest.approx(rate, abs=1e-5)
    assert optimum.distortion == pytest.approx(distortion, abs=1e-5)
    assert optimum.mean_variance + optimum.posterior_variance == pytest.approx(np.ones(16))


def test_slope_of_the_curve_is_minus_beta(eigenvalues):
    for beta in (0.7, 1.3, 3.0):
        rates, distortions = linear.rate_distortion_curve(
            eigenvalues, 16, [beta * 0.999, beta * 1.001], 0.05
        )
        assert np.diff(distortions) / np.diff(rates) == pytest.approx(-beta, rel=1e-3)


@pytest.mark.parametrize(("latents", "sigma2"), [(2, 0.054117), (8, 0.027329), (16, 0.014725)])
def test_learned_variance(eigenvalues, latents, sigma2):
    assert linear.learned_sigma2(eigenvalues, latents) == pytest.approx(sigma2, abs=1e-6)


def test_learned_variance_is_ppca_of_scikit_learn_but_for_n(digits, eigenvalues):
    pca = PCA(8).fit(digits.reshape(-1, 64))
    ratio = (len(digits) - 1) / len(digits)
    assert linear.learned_sigma2(eigenvalues, 8) == pytest.approx(pca.noise_variance_ * ratio)


def test_learned_variance_is_stationary_for_other_betas(eigenvalues):
    for beta in (0.5, 2.0):
        sigma2 = linear.learned_sigma2(eigenvalues, 8, beta=beta)
        costs = [
            (o := linear.linear_optimum(eigenvalues, 8, beta=beta, sigma2=s)).distortion
            + beta * o.rate
            for s in (sigma2 * 0.99, sigma2, sigma2 * 1.01)
        ]
        assert costs[1] == min(costs)


def test_log_likelihood_is_ppca_of_scikit_learn(digits, eigenvalues):
    x = digits.reshape(-1, 64)
    pca = PCA(8).fit(x)
    sigma2 = linear.learned_sigma2(eigenvalues, 8)
    optimum = linear.linear_optimum(eigenvalues, 8, sigma2=sigma2)
    # scikit-learn's covariance divides by N − 1: 0.02 nats at most.
    assert optimum.elbo == pytest.approx(pca.score(x), abs=0.02)


def test_cures_of_the_negative_control(eigenvalues):
    """Digits, K = 16, σ² = 0.75 > λ₁: what capacity, a total of free bits and a learned σ² give."""
    assert linear.linear_optimum(eigenvalues, 16, sigma2=0.75).squared_error == pytest.approx(
        4.6933, abs=1e-4
    )
    assert linear.water_fill(eigenvalues, 16, 1.6).squared_error == pytest.approx(3.4109, abs=1e-4)
    capacity = linear.water_fill(eigenvalues, 16, 5.0)
    assert capacity.rate == pytest.approx(5.0)
    assert capacity.squared_error == pytest.approx(2.310, abs=1e-3)
    learned = linear.linear_optimum(eigenvalues, 16, sigma2=linear.learned_sigma2(eigenvalues, 16))
    assert learned.squared_error == pytest.approx(0.9424, abs=1e-4)
    assert learned.rate == pytest.approx(20.241, abs=1e-3)


@pytest.mark.mnist
def test_active_units_of_mnist_over_effective_variance(mnist_root):
    from explorer.datasets import load_dataset

    images = load_dataset("mnist", data_root=mnist_root).split("all").images
    eigenvalues = linear.covariance_eigenvalues(np.asarray(images[:60000]))
    counts = [linear.active_dimensions(eigenvalues, s) for s in (5, 2, 1, 0.5, 0.2, 0.1, 0.05)]
    assert counts == pytest.approx([1, 6, 12, 23, 45, 69, 102], abs=1)


def test_no_active_unit_on_digits_at_unit_variance(eigenvalues):
    assert linear.active_dimensions(eigenvalues, 1.0) == 0


@pytest.mark.parametrize("s", [0.01, 0.05, 0.2])
def test_reconstructions_at_the_mean_err_as_the_closed_form_says(digits, eigenvalues, s):
    """At q's mean a live dimension errs by s²/λ; the noise of q adds the rest of s."""
    shown = linear.reconstruct_images(digits, digits, 16, s)
    error = ((digits - shown) ** 2).reshape(len(digits), -1).sum(1).mean()
    leading, rest = eigenvalues[:16], eigenvalues[16:].sum()
    expected = np.where(leading > s, s * s / leading, leading).sum() + rest
    assert error == pytest.approx(expected)


def test_a_collapsed_linear_model_shows_the_mean_image(digits):
    shown = linear.reconstruct_images(digits, digits[:3], 16, 0.75)
    assert shown == pytest.approx(np.broadcast_to(digits.mean(0), shown.shape))


@pytest.mark.parametrize("bad", [[], [np.nan], [[1.0]], [-1.0]])
def test_bad_eigenvalues_are_one_clear_error(bad):
    with pytest.raises(ExplorerError):
        linear.linear_optimum(bad, 1)


def test_more_latents_than_eigenvalues_is_one_clear_error():
    with pytest.raises(ExplorerError, match="number of latents"):
        linear.linear_optimum([1.0, 2.0], 3)
