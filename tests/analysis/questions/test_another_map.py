"""Maps that are copies of each other up to a known change, and maps that are not."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from explorer.analysis.questions.another_map import match_maps, match_runs
from explorer.analysis.representation.quality import align_codes
from explorer.errors import ExplorerError
from explorer.training.fit import fit_config
from explorer.training.loop import train
from tests.small_run import change, make_config

COUNT = 3000


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(0).normal(size=(COUNT, 5)) * [1.0, 0.9, 0.95, 0.8, 0.01]


def states(found):
    return [dimension.state for dimension in found.dimensions]


def test_order_and_sign_are_no_difference_and_the_partner_is_named(codes):
    found = match_maps(codes[:, :4], -codes[:, [2, 0, 3, 1]])
    assert found.verdict == "same" and states(found) == ["same"] * 4
    assert [dimension.partner for dimension in found.dimensions] == [1, 3, 0, 2]
    assert [dimension.correlation for dimension in found.dimensions] == pytest.approx([-1] * 4)
    assert found.explained == pytest.approx(1)


def test_a_rotated_copy_is_all_there(codes):
    turn = ortho_group.rvs(4, random_state=3)
    found = match_maps(codes[:, :4], codes[:, :4] @ turn)
    assert found.verdict == "rotated" and "lost" not in states(found)
    assert found.rotation == pytest.approx(1)
    assert found.explained == pytest.approx(1)


def test_the_rotations_share_is_that_of_procrustes(codes):
    noisy = codes[:, :4] + np.random.default_rng(1).normal(size=(COUNT, 4))
    centred = codes[:, :4] - codes[:, :4].mean(0), noisy - noisy.mean(0)
    expected = align_codes(*centred, kind="rotation").explained
    assert match_maps(codes[:, :4], noisy).rotation == pytest.approx(expected)


def test_what_is_stable_is_told_for_each_dimension(codes):
    rng = np.random.default_rng(2)
    turned = codes[:, 1:3] @ [[0.6, 0.8], [-0.8, 0.6]]
    other = np.column_stack([codes[:, 0], turned, rng.normal(size=COUNT)])
    found = match_maps(codes, other)
    assert states(found) == ["same", "rotated", "rotated", "lost", "asleep"]
    assert found.verdict == "partly" and found.rotation is None
    assert found.count("rotated") == 2
    # R² of the lost one on four independent columns is chance: 4/N on average.
    assert found.dimensions[3].explained < 0.01


def test_independent_maps_are_different(codes):
    other = np.random.default_rng(5).normal(size=(COUNT, 4))
    assert match_maps(codes[:, :4], other).verdict == "different"
    assert match_maps(0.01 * codes, other).verdict == "asleep"


def test_a_correlation_has_the_error_of_one(codes):
    r, rng = 0.8, np.random.default_rng(4)
    z = rng.normal(size=(400, 200, 2))
    pairs = [(a[:, :1], r * a[:, :1] + (1 - r**2) ** 0.5 * a[:, 1:]) for a in z.swapaxes(0, 1)]
    found = [match_maps(a, b).dimensions[0] for a, b in pairs]
    spread = np.std([dimension.correlation for dimension in found])
    assert found[0].error == pytest.approx(spread, rel=0.2)


def test_runs_are_matched_on_the_images_that_both_have(tmp_path):
    first, second = (
        train(change(fit_config("digits", "ppca"), seed=seed), tmp_path / str(seed))
        for seed in (0, 1)
    )
    found = match_runs(first, second)
    assert found.verdict == "same"  # Principal axes are what they are, whatever the seed.
    codes = first.codes()
    assert codes is not None and found.images == len(codes.mean)
    shapes = train(change(make_config(5), dataset="shapes"), tmp_path / "shapes")
    with pytest.raises(ExplorerError, match="the same images"):
        match_runs(first, shapes)


def test_too_few_images_and_unequal_ones_are_refused(codes):
    with pytest.raises(ExplorerError, match="too few"):
        match_maps(codes[:40], codes[:40])
    with pytest.raises(ExplorerError, match="the same images"):
        match_maps(codes, codes[1:])
