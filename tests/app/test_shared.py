"""What a link says of one image on ELBO: which pixels are uncovered, in few letters."""

import numpy as np
import pytest

from explorer.app.views.elbo.shared import find_way, parse_mask, print_mask

SHAPE, SEED = (1, 4, 6), 3


def with_pixels(*places):
    mask = np.zeros(24, bool)
    mask[list(places)] = True
    return mask.reshape(4, 6)


def test_rows_are_told_by_their_number_of_pixels():
    assert print_mask(with_pixels(*range(12)), SEED) == "rows.12"
    assert print_mask(with_pixels(), SEED) == "rows.0"


def test_pixels_at_random_are_told_by_their_number_too_and_are_those_of_the_image():
    first = np.random.default_rng(SEED).permutation(24)[:5]
    mask = with_pixels(*first)
    assert print_mask(mask, SEED) == "random.5"
    assert (parse_mask("random.5", SHAPE, SEED) == mask).all()
    assert find_way(mask, SEED + 1) == "brush", "another image's order is another"


@pytest.mark.parametrize("places", [(3,), (0, 7, 23), tuple(range(1, 24))])
def test_a_drawn_mask_is_told_bit_by_bit(places):
    written = print_mask(with_pixels(*places), SEED)
    assert written.startswith("brush.")
    assert (parse_mask(written, SHAPE, SEED) == with_pixels(*places)).all()


def test_bits_are_read_from_the_left_of_the_first_row():
    # 0x10 is the fourth pixel; in Base64 the bytes 10 00 00 are EAAA.
    assert (parse_mask("brush.EAAA", SHAPE, SEED) == with_pixels(3)).all()


@pytest.mark.parametrize(
    "written", ["", "rows", "rows.25", "rows.-1", "columns.3", "brush.EA", "brush.EA*A", "brush.Ä"]
)
def test_what_is_no_mask_of_the_picture_is_not_read(written):
    assert parse_mask(written, SHAPE, SEED) is None
