"""Which two dimensions of codes are shown, and what each dimension costs."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from explorer.codes import kl_of_codes, main_dimensions

RNG = np.random.default_rng(0)
# Two dimensions in use, and two that no image moves: one at the prior, one far from it.
MEAN = np.stack(
    [RNG.normal(0, 0.9, 500), RNG.normal(0, 1.2, 500), np.zeros(500), np.full(500, 4.0)], 1
)
LOGVAR = np.log([0.1, 0.3, 1.0, 1.0]) + np.zeros((500, 4))


def test_kl_is_that_of_torch():
    q = Normal(torch.from_numpy(MEAN), torch.from_numpy(np.exp(LOGVAR / 2)))
    theirs = kl_divergence(q, Normal(0.0, 1.0)).numpy()
    assert kl_of_codes(MEAN, LOGVAR) == pytest.approx(theirs, abs=1e-12)


def test_the_most_kl_comes_first_and_the_widest_means_where_there_is_none():
    assert main_dimensions(MEAN[:, :3], LOGVAR[:, :3]) == (0, 1)
    assert main_dimensions(MEAN, LOGVAR) == (3, 0), "a distance from N(0, I) is KL"
    assert main_dimensions(MEAN, None) == (1, 0)
    assert main_dimensions(MEAN, LOGVAR, has_shares=False) == (1, 0)


@pytest.mark.parametrize("latents", [0, 1, 2])
def test_few_dimensions_stand_in_their_order(latents):
    assert main_dimensions(MEAN[:, 3 - latents : 3][:, ::-1], None) == (0, 1)
