"""KL, entropy and cross-entropy of normals: torch.distributions and quadrature know them too."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from explorer.analysis.teaching import gaussians
from explorer.analysis.teaching.gaussians import Gaussian
from explorer.errors import ExplorerError

means = st.floats(-3, 3)
sds = st.floats(0.2, 3)


@given(means, sds, means, sds)
def test_kl_of_two_normals_is_that_of_torch(m, s, n, t):
    ours = gaussians.kl_divergence(Gaussian(m, s**2), Gaussian(n, t**2))
    p, q = (Normal(torch.tensor(a, dtype=torch.float64), b) for a, b in ((m, s), (n, t)))
    assert ours == pytest.approx(float(kl_divergence(p, q)), abs=1e-9)


@given(means, sds, means, sds)
def test_cross_entropy_is_entropy_plus_kl(m, s, n, t):
    p, q = Gaussian(m, s**2), Gaussian(n, t**2)
    kl = gaussians.kl_divergence(p, q)
    assert gaussians.cross_entropy(p, q) == pytest.approx(gaussians.entropy(p) + kl, abs=1e-9)
    assert kl >= -1e-12


def test_cross_entropy_is_the_integral_it_says():
    p, q = Gaussian(0.7, 0.5**2), Gaussian(-0.4, 1.3**2)
    area, _ = quad(lambda x: -p.density([x])[0] * math.log(q.density([x])[0]), -6, 7)
    assert gaussians.cross_entropy(p, q) == pytest.approx(area, abs=1e-8)


def test_the_curve_under_kl_has_the_area_kl():
    p, q = Gaussian(1.1, 0.4**2), Gaussian(0.0, 1.0)
    area, _ = quad(lambda x: gaussians.kl_integrand(p, q, [x])[0], -4, 6)
    assert area == pytest.approx(gaussians.kl_divergence(p, q), abs=1e-8)


def test_many_dimensions_agree_with_torch():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 4))
    p = Gaussian(rng.normal(size=4), a @ a.T + np.eye(4))
    q = Gaussian(rng.normal(size=4), b @ b.T + np.eye(4))
    theirs = [MultivariateNormal(torch.tensor(g.mean), torch.tensor(g.covariance)) for g in (p, q)]
    assert gaussians.kl_divergence(p, q) == pytest.approx(float(kl_divergence(*theirs)), abs=1e-9)
    assert gaussians.entropy(p) == pytest.approx(float(theirs[0].entropy()), abs=1e-9)
    x = rng.normal(size=(5, 4))
    density = theirs[0].log_prob(torch.tensor(x)).exp().numpy()
    assert p.density(x) == pytest.approx(density, rel=1e-9)


def test_the_terms_add_up_to_kl_with_the_prior():
    terms = gaussians.kl_terms(1.5, 0.3, -0.2, 0.8)
    expected = gaussians.kl_divergence(Gaussian(1.5, 0.3**2), Gaussian(-0.2, 0.8**2))
    assert terms.total == pytest.approx(expected, abs=1e-12)
    assert min(terms.place, terms.spread) > 0
    assert gaussians.kl_terms(0.0, 1.0).total == pytest.approx(0.0, abs=1e-15)


def test_kl_is_not_symmetric():
    narrow, wide = Gaussian(0.0, 0.1**2), Gaussian(0.0, 1.0)
    assert gaussians.kl_divergence(wide, narrow) > 20 * gaussians.kl_divergence(narrow, wide)


@pytest.mark.parametrize(
    "mean, covariance, message",
    [
        (0.0, -1.0, "above 0"),
        ([0.0, 0.0], 1.0, "2 × 2"),
        (math.nan, 1.0, "finite"),
        ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], "symmetric"),
    ],
)
def test_what_is_no_normal_is_refused(mean, covariance, message):
    with pytest.raises(ExplorerError, match=message):
        Gaussian(mean, covariance)


def test_different_variables_do_not_compare():
    with pytest.raises(ExplorerError, match="one and the same variable"):
        gaussians.cross_entropy(Gaussian(0.0, 1.0), Gaussian([0.0, 0.0], np.eye(2)))
