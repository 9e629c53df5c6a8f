"""Codes as a representation, against scikit-learn and known maps."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, ortho_group
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from explorer.analysis.representation import quality
from explorer.errors import ExplorerError


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    centres = np.array([[0, 0], [4, 0], [0, 4]])
    return centres[labels] + rng.normal(size=(600, 2)), labels


def test_neighbours_are_scikit_learns(clusters):
    codes, labels = clusters
    found = quality.neighbour_accuracy(codes[:400], labels[:400], codes[400:], labels[400:])
    expected = KNeighborsClassifier(15).fit(codes[:400], labels[:400])
    assert found.accuracy == expected.score(codes[400:], labels[400:])


def test_leave_one_out_does_not_see_itself():
    """Random labels: a code that counted itself as a neighbour would beat chance with k = 1."""
    rng = np.random.default_rng(1)
    codes, labels = rng.normal(size=(1000, 2)), rng.integers(0, 2, 1000)
    found = quality.neighbour_accuracy(codes, labels, neighbours=1)
    assert abs(found.accuracy - 0.5) < 5 * found.standard_error


@pytest.mark.parametrize("few", [600, 599], ids=["measured", "searched"])
def test_leave_one_out_has_scikit_learns_neighbours(clusters, monkeypatch, few):
    monkeypatch.setattr(quality, "FEW", few)
    codes, labels = clusters
    nearest = NearestNeighbors(n_neighbors=15).fit(codes).kneighbors(return_distance=False)
    votes = [np.bincount(labels[places], minlength=3).argmax() for places in nearest]
    assert quality.neighbour_accuracy(codes, labels).accuracy == np.mean(votes == labels)


def test_probe_separates_clusters(clusters):
    assert quality.probe_accuracy(*clusters).accuracy > 0.9


def test_density_of_a_normal():
    rng = np.random.default_rng(0)
    covariance = np.array([[0.5, 0.2], [0.2, 0.3]])
    codes = rng.multivariate_normal([1, -1], covariance, 4000)
    density = quality.fit_density(codes, components=1)
    exact = multivariate_normal([1, -1], covariance)
    assert density.means[0] == pytest.approx([1, -1], abs=0.05)
    assert density.log_density == pytest.approx(-exact.entropy(), abs=0.1)
    assert density.log_density > density.prior_log_density + 5 * density.gain_error
    samples = density.sample(4000, seed=1)
    assert np.cov(samples.T) == pytest.approx(covariance, abs=0.05)
    assert density.score(codes[:5]) == pytest.approx(exact.logpdf(codes[:5]), abs=0.1)
    assert (density.sample(3, seed=2) == density.sample(3, seed=2)).all()


def test_signed_permutation_is_found():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 4)) * [2, 1, 0.5, 1]
    b = (a * [1, -1, 1, -1])[:, [2, 0, 3, 1]] + 0.05 * rng.normal(size=(500, 4))
    alignment = quality.align_codes(a, b)
    assert set(np.unique(alignment.matrix)) == {-1.0, 0.0, 1.0}
    assert alignment.explained > 0.95
    assert (alignment.correlation > 0.9).all()


def test_rotation_is_found():
    a = np.random.default_rng(0).normal(size=(400, 3))
    turn = ortho_group.rvs(3, random_state=1)
    alignment = quality.align_codes(a, a @ turn, kind="rotation")
    assert alignment.matrix == pytest.approx(turn.T)
    assert alignment.apply(a @ turn) == pytest.approx(a)


def test_collapsed_dimension_aligns_without_warning():
    a = np.random.default_rng(0).normal(size=(50, 2)) * [1, 0]
    assert quality.align_codes(a, a).correlation == pytest.approx([1, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: quality.neighbour_accuracy(np.zeros((5, 2)), np.zeros(5)),
        lambda: quality.neighbour_accuracy(np.zeros((5, 2)), np.zeros(4)),
        lambda: quality.fit_density(np.zeros((5, 2))),
        lambda: quality.align_codes(np.zeros((5, 2)), np.zeros((5, 3))),
        lambda: quality.align_codes(np.zeros((5, 2)), np.zeros((5, 2)), kind="shear"),
    ],
)
def test_bad_input_is_one_clear_error(call):
    with pytest.raises(ExplorerError):
        call()
