"""Dimensions and columns: what is planted is found, noise is not."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.analysis.representation import columns
from explorer.analysis.representation.columns import match_columns
from explorer.errors import ExplorerError


def codes(count=2000, latents=6, seed=0):
    return np.random.default_rng(seed).normal(size=(count, latents))


def test_a_monotone_relation_is_found_whatever_its_shape_and_sign():
    z = codes()
    (found,) = match_columns(z, {"depth": -np.exp(3 * z[:, 4])})
    best = found.best[0]
    assert (found.measure, best.index, best.p) == ("rho", 4, 1 / 500)
    assert best.value == pytest.approx(-1)


def test_the_value_is_spearmans_with_ties():
    z = codes()
    noisy = np.round(z[:, 2] + np.random.default_rng(1).normal(size=2000))
    (found,) = match_columns(z, {"n_genes": noisy.astype(int)})
    assert found.best[0].index == 2
    assert found.best[0].value == pytest.approx(spearmanr(z[:, 2], noisy).statistic)


def test_classes_are_found_by_the_share_of_variance_between_them():
    z = codes(4000)
    batch = np.arange(4000) % 2
    z[:, 3] += 2 * batch  # Between the classes 1, within them 1.
    (found,) = match_columns(z, {"batch": np.array(["a", "b"])[batch]})
    assert (found.measure, [match.index for match in found.passing]) == ("eta2", [3])
    assert found.best[0].value == pytest.approx(0.5, abs=0.03)


def test_eta_squared_of_classes_without_spread_within_is_1():
    which = np.arange(300) % 3
    z = np.stack([np.array([0.0, 5.0, 7.0])[which], codes(300)[:, 0]], 1)
    (found,) = match_columns(z, {"kind": np.array(["x", "y", "z"])[which]})
    assert found.best[0].index == 0 and found.best[0].value == pytest.approx(1)


def test_noise_passes_as_seldom_as_the_p_value_says():
    rng = np.random.default_rng(5)
    noise = {f"n{i}": rng.normal(size=300) for i in range(100)}
    words = {f"w{i}": rng.integers(0, 4, 300).astype(str) for i in range(100)}
    found = match_columns(codes(300), {**noise, **words})
    p = np.array([match.best[0].p for match in found])
    # p is uniform: 200 columns, 10% of them 20, with a standard deviation of 4.2.
    assert 7 <= (p <= 0.1).sum() <= 34
    assert sum(bool(match.passing) for match in found) <= 8


def test_names_of_items_tell_nothing():
    (found,) = match_columns(codes(400), {"barcode": np.arange(400).astype(str)})
    assert found.best[0].p == 1 and not found.passing


@pytest.mark.parametrize("column", [np.full(50, 3.0), np.full(50, "a"), np.full(50, np.nan)])
def test_a_constant_or_empty_column_has_no_dimension(column):
    (found,) = match_columns(codes(50), {"same": column})
    assert found.best == ()


def test_nan_and_empty_words_are_left_out_of_their_column_alone():
    z = codes()
    age, kind = z[:, 0].copy(), np.where(z[:, 1] > 0, "high", "low")
    age[::4], kind[:100] = np.nan, ""
    first, second, third = match_columns(z, {"age": age, "kind": kind, "whole": z[:, 2]})
    assert (first.items, first.best[0].index) == (1500, 0)
    assert first.best[0].value == pytest.approx(1)
    assert (second.items, second.best[0].index) == (1900, 1)
    # Of a normal variable, its sign explains 2/π.
    assert second.best[0].value == pytest.approx(2 / np.pi, abs=0.03)
    assert (third.items, third.best[0].index) == (2000, 2)


def test_a_constant_dimension_matches_nothing():
    z = codes()
    z[:, 1] = 0.1
    (found,) = match_columns(z, {"depth": z[:, 0]})
    assert 1 not in [match.index for match in found.passing]


def test_positions_of_one_item_are_not_taken_for_items():
    # 20 items of 100 equal positions: taken for 2,000 items, chance would look like a finding.
    rng = np.random.default_rng(2)
    item = np.repeat(np.arange(20), 100)
    z = rng.normal(size=(20, 4))[item]
    column = rng.normal(size=20)[item]
    (naive,) = match_columns(z, {"noise": column})
    (found,) = match_columns(z, {"noise": column}, items=item)
    assert naive.passing and not found.passing
    assert found.items == 20


def test_of_many_items_some_are_permuted_and_all_are_measured(monkeypatch):
    monkeypatch.setattr(columns, "PERMUTED_ITEMS", 100)
    z = codes()
    noisy = z[:, 0] + np.random.default_rng(1).normal(size=2000)
    (found,) = match_columns(z, {"depth": noisy})
    assert (found.items, found.permuted) == (2000, 100)
    assert found.best[0].value == pytest.approx(spearmanr(z[:, 0], noisy).statistic)
    assert found.passing


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ExplorerError, match="not one value for each of 50"):
        match_columns(codes(50), {"short": np.zeros(49)})
