"""Strokes: drawn digits that look like MNIST's and obey their factors."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from explorer.datasets import DATASETS, load_dataset
from explorer.datasets.strokes import FACTORS, MIDDLE, draw_strokes, load_strokes, sample_factors
from tests.helpers import present


@pytest.fixture(scope="module")
def drawings():
    """Two thousand digits with their labels and factors, pixels in [0, 1]."""
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % 10
    factors = sample_factors(2000, rng)
    return draw_strokes(labels, factors, rng)[:, 0] / 255, labels, factors


def draw_alike(digit, count=200, **chosen):
    """Draw a digit by the same hands every time, all factors at their likeliest but the chosen."""
    factors = {name: np.full(count, bounds[1]) for name, bounds in FACTORS.items()}
    factors |= {name: np.full(count, value) for name, value in chosen.items()}
    labels = np.full(count, digit)
    return draw_strokes(labels, factors, np.random.default_rng(5))[:, 0] / 255


def find_centres(x):
    along = np.arange(28)
    total = x.sum(axis=(1, 2))
    return (x.sum(axis=1) @ along) / total, (x.sum(axis=2) @ along) / total


def measure_lean(x):
    """Degrees by which the longest axis of the ink leans to the right of upright."""
    centre_x, centre_y = find_centres(x)
    dx = np.arange(28) - centre_x[:, None, None]
    dy = np.arange(28)[:, None] - centre_y[:, None, None]
    xx, yy, xy = ((x * moment).sum(axis=(1, 2)) for moment in (dx * dx, dy * dy, dx * dy))
    return np.degrees(-0.5 * np.arctan2(2 * xy, yy - xx))


def test_the_same_generator_draws_the_same_pixels():
    labels = np.arange(50) % 10

    def draw(seed):
        rng = np.random.default_rng(seed)
        return draw_strokes(labels, sample_factors(50, rng), rng)

    assert np.array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


def test_intensities_are_those_of_mnist(drawings):
    # MNIST's training images: mean .1307, 81 % of the pixels black, 7.2 % above 250.
    x, _, _ = drawings
    assert x.mean() == pytest.approx(0.1307, abs=0.01)
    assert (x == 0).mean() == pytest.approx(0.81, abs=0.02)
    assert (x > 250 / 255).mean() == pytest.approx(0.072, abs=0.01)


def test_every_digit_is_centred_by_its_mass_unless_that_would_cut_it(drawings):
    x, _, _ = drawings
    for centre in find_centres(x):
        assert centre.mean() == pytest.approx(MIDDLE, abs=0.1)
        assert np.mean(abs(centre - MIDDLE) < 0.1) > 0.9


def test_factors_stay_in_their_ranges_and_are_independent(drawings):
    _, _, factors = drawings
    for name, (low, likeliest, high) in FACTORS.items():
        assert low <= factors[name].min() and factors[name].max() <= high
        assert factors[name].mean() == pytest.approx((low + likeliest + high) / 3, rel=0.1, abs=0.5)
    correlations = np.corrcoef(list(factors.values())) - np.eye(len(FACTORS))
    assert abs(correlations).max() < 0.08


def test_size_is_the_longest_side_of_the_ink_in_pixels(drawings):
    x, _, factors = drawings
    sides = [(x.max(axis=axis) > 0.3).sum(axis=1) for axis in (1, 2)]
    assert np.mean(abs(np.maximum(*sides) - factors["size"])) < 0.75


def test_thickness_is_the_width_of_the_line_in_pixels():
    # A one is a line as long as its size: its ink divided by its length is its width.
    for width in (1.5, 2.5, 4.5):
        ink = draw_alike(1, thickness=width, slant=0.0).sum(axis=(1, 2))
        assert np.median(ink) / FACTORS["size"][1] == pytest.approx(width, rel=0.08)


def test_slant_leans_a_one_to_the_right_and_rotation_turns_it_to_the_left():
    upright = np.median(measure_lean(draw_alike(1, slant=0.0)))
    assert upright == pytest.approx(0, abs=4)
    slanted = measure_lean(draw_alike(1, slant=30.0))
    turned = measure_lean(draw_alike(1, slant=0.0, rotation=10.0))
    assert np.median(slanted) - upright == pytest.approx(30, abs=2)
    assert np.median(turned) - upright == pytest.approx(-10, abs=1)


def test_curvature_bulges_the_middle_of_a_one_by_that_part_of_its_height():
    def find_bulge(x):
        """How far the middle of the line lies to the right of its ends, by a parabola."""
        rows = np.arange(28)
        bulges = []
        for picture in x:
            inked = picture.sum(axis=1) > 1
            across = picture[inked] @ np.arange(28) / picture[inked].sum(axis=1)
            bend = np.polyfit(rows[inked], across, 2)[0]
            bulges.append(-bend * (FACTORS["size"][1] / 2) ** 2)
        return np.median(bulges) / FACTORS["size"][1]

    straight = find_bulge(draw_alike(1, slant=0.0, thickness=2.0))
    for curvature in (-0.1, 0.1):
        bent = find_bulge(draw_alike(1, slant=0.0, thickness=2.0, curvature=curvature))
        assert bent - straight == pytest.approx(curvature, abs=0.02)


def test_a_reader_tells_the_digits_apart(drawings):
    x, labels, _ = drawings
    flat = x.reshape(len(x), -1)
    reader = KNeighborsClassifier(3).fit(flat[:1500], labels[:1500])
    assert reader.score(flat[1500:], labels[1500:]) > 0.95


@pytest.mark.mnist
def test_a_reader_who_only_knows_mnist_reads_strokes(mnist_root, drawings):
    # The same reader scores .91 on MNIST's own test images.
    x, labels, _ = drawings
    train = load_dataset("mnist", data_root=mnist_root).split("train")
    reader = KNeighborsClassifier(1).fit(
        train.images[:8000].reshape(8000, -1) / 255, present(train.labels)[:8000]
    )
    assert reader.score(x[:1000].reshape(1000, -1), labels[:1000]) > 0.88


# The data set and its file


def test_the_data_set_carries_its_factors_and_balanced_splits(tmp_path):
    data = load_strokes(tmp_path, count=400)
    assert data.shape == DATASETS["strokes"].shape
    assert set(data.factors) == {"class", *FACTORS}
    assert np.bincount(present(data.labels)).tolist() == [40] * 10
    assert {name: len(rows) for name, rows in data.splits.items()} == {
        "all": 400,
        "train": 320,
        "validation": 40,
        "test": 40,
    }


def test_drawings_are_kept_by_count_and_seed_and_drawn_again_when_torn(tmp_path):
    first = load_strokes(tmp_path, count=30).fingerprint
    assert load_strokes(tmp_path, count=30, seed=1).fingerprint != first
    (kept,) = tmp_path.glob("*-30-0.npz")
    whole = kept.read_bytes()
    assert load_strokes(tmp_path, count=30).fingerprint == first
    for torn in (b"", b"torn", whole[:2000], whole[:-100]):
        kept.write_bytes(torn)
        assert load_strokes(tmp_path, count=30).fingerprint == first
        assert len(kept.read_bytes()) == len(whole)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cache_that_cannot_be_written_only_costs_the_time(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert len(load_strokes(tmp_path / "file" / "cache", count=30)) == 30
