"""Two estimators of one gradient in pictures: shares that add up, lines that fall as 1/L."""

import numpy as np
import pytest

from explorer.figures.gradients import gradient_histograms, variance_over_draws
from explorer.figures.palette import LIGHT

NAMES = ("pathwise", "score")
WORDS = dict.fromkeys((*NAMES, "estimate", "share", "draws", "variance"), "word")


def test_every_estimate_is_in_a_bar_even_far_out():
    rng = np.random.default_rng(0)
    estimates = {"pathwise": rng.normal(4, 1, 500), "score": rng.normal(4, 100, 500)}
    words = {**WORDS, "gradient": "exact {value}"}
    figure = gradient_histograms(estimates, -4.0, 3.0, LIGHT, words)
    assert [np.sum(bars.y) for bars in figure.data] == pytest.approx([1, 1])
    exact, *names = figure.layout.annotations
    assert exact.text == "exact −4.00" and figure.layout.showlegend is False
    assert [name.font.color for name in names] == [LIGHT.gap, LIGHT.latent]
    low, high = figure.layout.xaxis.range
    assert (low + high) / 2 == pytest.approx(-4)


def test_exact_variances_fall_as_one_over_the_draws():
    measured = dict.fromkeys(NAMES, (np.array([2.0, 0.5]), np.array([0.1, 0.02])))
    exact = {"pathwise": 2.0, "score": 30.0}
    figure = variance_over_draws([1, 4], exact, measured, LIGHT, WORDS, chosen=4)
    lines = [list(trace.y) for trace in figure.data if trace.mode == "lines"]
    assert sorted(lines) == [[2.0, 0.5], [30.0, 7.5]]
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(point.error_y.array) for point in points] == [[0.2, 0.04]] * 2
    assert [name.font.color for name in figure.layout.annotations] == [LIGHT.gap, LIGHT.latent]
