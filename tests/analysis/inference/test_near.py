"""A decoder of which only the units that can be on are kept gives what the whole one gives."""

import pytest
import torch
from torch import nn

from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.near import NearEmission
from explorer.runs.store import open_run
from tests.helpers import present

SIDE = 0.05


@pytest.fixture(scope="module")
def emission():
    return Emission(open_run("mnist-2d").model)


def codes_about(centre, width, count=400):
    generator = torch.Generator().manual_seed(0)
    offsets = torch.rand(count, 2, generator=generator, dtype=torch.float64) - 0.5
    return torch.tensor(centre, dtype=torch.float64) + width * offsets


def seen_image(emission):
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(1, 1, 28, 28, generator=generator) < 0.2).double()
    return x, emission.project(x)


@pytest.mark.parametrize("width", [0.02, 0.5, 6.0])
def test_scores_are_those_of_the_whole_decoder(emission, width):
    x, seen = seen_image(emission)
    z = codes_about((0.7, -1.1), width)
    found = NearEmission(emission, seen, SIDE).score(z)
    assert found == pytest.approx(emission.log_likelihood(z, x)[:, 0], abs=1e-9)


def test_codes_that_come_later_and_lie_elsewhere_are_covered_too(emission):
    x, seen = seen_image(emission)
    near = NearEmission(emission, seen, SIDE)
    near.score(codes_about((0.7, -1.1), 0.1))
    z = codes_about((-2.0, 2.5), 0.1)
    assert near.score(z) == pytest.approx(emission.log_likelihood(z, x)[:, 0], abs=1e-9)


def test_few_units_are_kept_where_a_posterior_lies(emission):
    _, seen = seen_image(emission)
    near = NearEmission(emission, seen, SIDE)
    near.score(codes_about((0.7, -1.1), 0.1))
    kept = present(near.kept).last[0].shape[1]
    assert 0 < kept < present(emission.rectified()).last[0].shape[1] / 3


def test_no_unit_that_is_left_out_is_on_anywhere_in_its_square(emission):
    """Codes that were never scored, in the same squares, still have the whole decoder's score."""
    x, seen = seen_image(emission)
    near = NearEmission(emission, seen, 1.0)
    near.score(torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    kept = near.kept
    z = codes_about((0.5, 0.5), 1.0, 2000)
    assert near.score(z) == pytest.approx(emission.log_likelihood(z, x)[:, 0], abs=1e-9)
    assert near.kept is kept


@pytest.mark.parametrize("layer", [nn.Tanh, nn.ELU])
def test_other_activations_are_used_whole(layer):
    model = open_run("mnist-2d").model
    first, _, *others = model.decoder.children()
    model.decoder = nn.Sequential(first, layer(), *others)
    emission = Emission(model)
    assert emission.rectified() is None
    x, seen = seen_image(emission)
    z = codes_about((0.0, 0.0), 0.3)
    found = NearEmission(emission, seen, SIDE).score(z)
    assert found == pytest.approx(emission.log_likelihood(z, x)[:, 0], abs=1e-9)
