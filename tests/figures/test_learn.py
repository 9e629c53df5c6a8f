"""The pictures of Learn: curves are named where they are, and there is no legend."""

import numpy as np

from explorer.analysis.teaching.gaussians import Gaussian
from explorer.figures.learn import kl_areas
from explorer.figures.palette import LIGHT

Z = np.linspace(-5, 5, 1001)


def name_areas(mean, sd):
    """Return by name what a picture of q = N(mean, sd²) and the prior writes beside its curves."""
    q, p = Gaussian(mean, sd**2).density(Z), Gaussian(0, 1).density(Z)
    figure = kl_areas(Z, q, p, (q - p, p - q), ("one", "other"), (mean, sd), LIGHT)
    assert figure.layout.showlegend is False
    return {label.text: label for label in figure.layout.annotations}


def test_densities_are_named_at_their_peaks_and_marks_where_they_stand():
    names = name_areas(2.0, 0.5)
    places = {name: (round(names[name].x, 2), round(names[name].y, 2)) for name in ("p(z)", "μ")}
    assert places == {"p(z)": (0.0, 0.4), "μ": (2.0, 0.0)}
    assert round(names["q(z|x)"].y, 2) == 0.8 and names["σ"].x == 2.5
    colours = {name: label.font.color for name, label in names.items()}
    assert [colours[name] for name in ("q(z|x)", "p(z)", "μ", "σ")] == [
        LIGHT.q,
        LIGHT.prior,
        LIGHT.mean,
        LIGHT.sigma,
    ]


def test_names_of_two_densities_turn_away_from_each_other():
    right = name_areas(0.1, 1.0)
    assert (right["p(z)"].xanchor, right["q(z|x)"].xanchor) == ("right", "left")
    left = name_areas(-0.1, 1.0)
    assert (left["p(z)"].xanchor, left["q(z|x)"].xanchor) == ("left", "right")
