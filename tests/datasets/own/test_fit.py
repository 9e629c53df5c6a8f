"""Pictures of any shape to one shape: what is cut, what is added, and what becomes grey."""

import numpy as np
import pytest
from PIL import Image

from explorer.datasets.own.fit import fit_pictures, flatten, has_colour


def fit(picture, size, how="crop", channels=None, background=0):
    channels = channels or picture.shape[-1]
    return fit_pictures(picture[None], size, channels, how, background)[0]


def halves(height, width, axis):
    """Black where the first half along an axis is, white where the second is; (H, W, 1)."""
    picture = np.zeros((height, width, 1), np.uint8)
    picture[
        (slice(height // 2, None),) if axis == 0 else (slice(None), slice(width // 2, None))
    ] = 255
    return picture


def test_a_picture_of_the_right_size_is_not_touched():
    picture = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    for how in ("crop", "pad", "resize"):
        assert np.array_equal(fit(picture, (6, 5), how), picture.transpose(2, 0, 1))


@pytest.mark.parametrize(("height", "width"), [(8, 20), (20, 8)])
def test_crop_keeps_the_middle(height, width):
    picture = np.zeros((height, width, 1), np.uint8)
    top, left = (height - 8) // 2, (width - 8) // 2
    picture[top : top + 8, left : left + 8] = 200
    assert (fit(picture, (8, 8)) == 200).all()
    # Shrunk, the filter sees a little of what lies beside the cut.
    assert np.abs(fit(picture, (4, 4)).astype(int) - 200).max() < 20


def test_crop_to_an_oblong_keeps_as_much_as_it_can():
    picture = halves(40, 40, axis=1)
    assert fit(picture, (10, 20)).shape == (1, 10, 20)
    assert np.array_equal(fit(picture, (20, 40))[0], np.repeat([[0] * 20 + [255] * 20], 20, 0))


def test_pad_keeps_all_and_shows_the_background_beside():
    wide = np.full((10, 30, 3), 200, np.uint8)
    found = fit(wide, (30, 30), "pad", background=7)[0]
    assert (found[10:20] == 200).all() and (found[:10] == 7).all() and (found[20:] == 7).all()
    thin = np.full((1000, 1, 1), 200, np.uint8)
    assert (fit(thin, (8, 8), "pad")[0] == 200).sum() == 8, "never thinner than a pixel"


def test_resize_takes_both_sides_for_themselves():
    found = fit(halves(40, 10, axis=0), (20, 20), "resize")[0]
    assert (found[:8] == 0).all() and (found[12:] == 255).all()


def test_shrinking_averages_over_what_is_there():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(fit(stripes, (8, 8))[0].astype(int) - 128).max() <= 2


@pytest.mark.parametrize("how", ["crop", "pad", "resize"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (97, 31), (3000, 17)])
def test_any_shape_fits_any_size(how, shape):
    for size in ((1, 1), (7, 13), (64, 64)):
        assert fit(np.full((*shape, 3), 9, np.uint8), size, how, background=9).shape == (3, *size)


def test_grey_is_the_luma_of_bt601_and_grey_stays_what_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(picture).convert("L")).astype(int)
    assert np.abs(fit(picture, (9, 8), channels=1)[0] - theirs).max() <= 1
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(fit(np.repeat(every, 3, 2), (16, 16), channels=1)[0], every[..., 0])


def test_grey_in_colour_is_three_times_the_same():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
    assert np.array_equal(
        fit(picture, (3, 4), channels=3), np.repeat(picture.transpose(2, 0, 1), 3, 0)
    )


def test_colour_is_any_pixel_that_is_not_grey():
    grey = np.repeat(np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1), 3, 3)
    assert not has_colour(grey) and not has_colour(grey[..., :1])
    for channel in range(3):
        tinted = grey.copy()
        tinted[0, 3, 3, channel] += 1
        assert has_colour(tinted)


def test_transparency_mixes_with_the_background_whatever_the_size(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 4), dtype=np.uint8)
    alpha = pixels[..., 3:] / 255
    mixed = np.rint(pixels[..., :3] * alpha + 90 * (1 - alpha))
    assert np.abs(flatten(pixels, 90) - mixed).max() == 0
    monkeypatch.setattr("explorer.datasets.own.fit.STRIP_PIXELS", 3)
    assert np.abs(flatten(pixels, 90) - mixed).max() == 0
