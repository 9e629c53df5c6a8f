"""A decoder of which only the units that can be on are kept gives what the whole one gives."""

import pytest
import torch
from torch import nn

from explorer.analysis.inference.emission import Emission, Rectified
from explorer.analysis.inference.near import NearEmission, bound_units, cover
from explorer.runs.store import open_run
from tests.helpers import of_kind, present

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
    kept = len(present(near.kept).units)
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


def test_bounds_hold_where_they_are_tight():
    """Few units, so that what one layer may do at most hides no fault of the next."""
    generator = torch.Generator().manual_seed(0)

    def layer(inputs, outputs):
        weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
        return weight, 0.3 * torch.randn(outputs, generator=generator, dtype=torch.float64)

    whole = Rectified([layer(2, 4), layer(4, 6), layer(6, 40)], layer(40, 1))
    centre = 2 * torch.randn(200, 2, generator=generator, dtype=torch.float64)
    half = 0.2 + 0.5 * torch.rand(200, generator=generator, dtype=torch.float64)
    within = 2 * torch.rand(200, 200, 2, generator=generator, dtype=torch.float64) - 1
    hidden = centre[:, None] + half[:, None, None] * within
    found = bound_units(whole, centre, half)
    for (weight, bias), on in zip(whole.hidden, found, strict=True):
        hidden = (hidden @ weight.T + bias).relu()
        seen = (hidden > 0).any(1)
        assert not (seen & ~on).any()
        assert (seen == on).double().mean() > 0.9


def test_images_that_are_covered_together_have_the_scores_of_each_alone(emission):
    x, seen = seen_image(emission)
    places = [((0.7, -1.1), SIDE), ((-2.0, 2.5), 2 * SIDE), ((0.7, -1.1), 4 * SIDE)]
    codes = [codes_about(centre, 0.3) for centre, _ in places]
    near = [NearEmission(emission, seen, side) for _, side in places]
    cover(near, codes)
    for (_, side), one, z in zip(places, near, codes, strict=True):
        alone = NearEmission(emission, seen, side)
        expected = alone.score(z)
        assert torch.equal(present(one.kept).units, present(alone.kept).units)
        assert one.score_covered(z) == pytest.approx(expected, abs=1e-9)
        assert expected == pytest.approx(emission.log_likelihood(z, x)[:, 0], abs=1e-9)
        assert not len(one.uncovered(z))


def test_the_same_units_score_in_another_precision(emission):
    """What rounding did is told by it, and so it must not round as much itself."""
    x, _ = seen_image(emission)
    coarse = Emission(open_run("mnist-2d").model, torch.float32)
    near = NearEmission(coarse, coarse.project(x), SIDE)
    z = codes_about((0.7, -1.1), 0.1)
    exact = emission.log_likelihood(z, x)[:, 0]
    assert near.score(z).double() != pytest.approx(exact, abs=1e-7)
    assert near.through(emission, emission.project(x)).score(z) == pytest.approx(exact, abs=1e-9)


def test_logits_whose_exponential_is_no_number_have_the_whole_decoders_score():
    model = open_run("mnist-2d").model
    with torch.no_grad():
        of_kind(nn.Linear, list(model.decoder.children())[-2]).bias[:5] += 300
    emission = Emission(model, torch.float32)
    x, _ = seen_image(emission)
    z = codes_about((0.7, -1.1), 0.1)
    found = NearEmission(emission, emission.project(x), SIDE).score(z)
    assert found == pytest.approx(Emission(model).log_likelihood(z, x)[:, 0], abs=1e-2)


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
