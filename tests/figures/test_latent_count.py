"""ELBO over K: the members, the theory and the floor, each where its numbers are."""

from explorer.figures.latent_count import elbo_over_latents
from explorer.figures.palette import LIGHT


def test_members_theory_and_floor_stand_at_their_numbers_with_their_names():
    figure = elbo_over_latents(
        [1, 4], [-90.0, -70.0], LIGHT, enough=4, floor=-120.0,
        theory=([0, 1, 2], [-120.0, -95.0, -80.0]),
    )  # fmt: skip
    theory, members = figure.data
    assert (list(members.x), list(members.y)) == ([1, 4], [-90.0, -70.0])
    assert (list(theory.x), list(theory.y)) == ([0, 1, 2], [-120.0, -95.0, -80.0])
    floor, enough = figure.layout.shapes
    assert floor.y0 == floor.y1 == -120.0 and enough.x0 == enough.x1 == 4
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["linear theory", "trained", "without latents", "enough: 4"]


def test_what_is_not_known_is_not_drawn():
    figure = elbo_over_latents([1, 4], [-90.0, -70.0], LIGHT)
    assert len(figure.data) == 1 and not figure.layout.shapes
