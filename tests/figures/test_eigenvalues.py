"""Eigenvalues against the price: the two parts of a bar, and KL over β with its floor."""

import numpy as np
import pytest

from explorer.analysis.collapse.linear import linear_optimum
from explorer.figures.eigenvalues import FLOOR_NATS, eigenvalue_bars, kl_over_beta
from explorer.figures.palette import LIGHT

VALUES = np.array([0.7, 0.4, 0.1, 0.02])
WORDS = dict.fromkeys(("dimension", "eigenvalue", "kept", "lost", "kl", "asleep"), "word")
BARS = {**WORDS, "price": "at {value}"}


@pytest.mark.parametrize("price", [0.01, 0.1, 1.0])
def test_a_bar_ends_at_its_eigenvalue_and_tells_its_kl(price):
    lost, kept = eigenvalue_bars(VALUES, price, LIGHT, BARS).data
    assert lost.base + np.asarray(lost.y) == pytest.approx(np.minimum(VALUES, price))
    assert np.asarray(kept.base) + np.asarray(kept.y) == pytest.approx(VALUES)
    optimum = linear_optimum(VALUES, 4, sigma2=price)
    assert np.asarray(kept.customdata)[:, 1] == pytest.approx(optimum.kl_per_dim)


def test_both_parts_and_the_price_are_named_in_their_colours_and_there_is_no_legend():
    words = {**BARS, "kept": "told", "lost": "left"}
    figure = eigenvalue_bars(VALUES, 0.05, LIGHT, words)
    named = {note.text: note.font.color for note in figure.layout.annotations}
    expected = {"told": LIGHT.kl, "at 0.05": LIGHT.text, "left": LIGHT.reconstruction}
    assert named == expected and figure.layout.showlegend is False


def test_kl_is_sorted_per_model_and_what_is_dead_lies_at_the_floor():
    kl = np.array([[1.0, 3.0], [0.5, 0.0]])
    words = {**WORDS, "dimension": "dimension {index}"}
    figure = kl_over_beta([1.0, 30.0], kl, [32.4, 23.1], LIGHT, words, beta=1.0)
    drawn = {trace.name: list(trace.y) for trace in figure.data if trace.name}
    assert drawn == {"dimension 1": [3.0, 0.5], "dimension 2": [1.0, FLOOR_NATS]}
    lines = [trace.x[0] for trace in figure.data if trace.line.color == LIGHT.sigma]
    assert lines == [32.4, 23.1]
