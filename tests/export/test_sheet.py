"""Pictures as one file: each stands where the sheet says, exact where that is small."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer.export.sheet import DEARER, pack_sheet


def open_sheet(sheet, shape):
    """Return the pictures (M, C, H, W) by what the sheet says of where they lie."""
    picture = np.asarray(Image.open(io.BytesIO(sheet["file"].tobytes())))
    picture = picture if picture.ndim == 3 else picture[..., None]
    channels, height, width = shape
    found = []
    for i in range(sheet["count"]):
        top, left = i // sheet["across"] * sheet["tile"][0], i % sheet["across"] * sheet["tile"][1]
        found.append(picture[top : top + height, left : left + width, :channels].transpose(2, 0, 1))
    return np.stack(found)


@pytest.mark.parametrize("count", [1, 2, 7, 30])
@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 9, 14), (1, 8, 8)])
def test_drawings_are_kept_as_they_are(count, shape):
    images = np.zeros((count, *shape), np.uint8)
    for i in range(count):
        images[i, :, 2:6, 1 : 3 + i % 5] = np.arange(100, 100 + shape[0]).reshape(-1, 1, 1) + i
    sheet = pack_sheet(images)
    assert sheet["type"] == "image/webp" and np.array_equal(open_sheet(sheet, shape), images)


def photographs(count, side=64):
    """Soft shades and grain, as cameras give."""
    rng = np.random.default_rng(0)
    rows = np.linspace(0, 3, side)
    soft = [
        127 + 60 * np.sin(rng.uniform(0, 6) + np.add.outer(a * rows, b * rows))
        for a, b in rng.normal(size=(3 * count, 2))
    ]
    grain = rng.normal(0, 4, (count, 3, side, side))
    return (np.reshape(soft, (count, 3, side, side)) + grain).clip(0, 255).astype(np.uint8)


def test_photographs_become_jpeg_close_to_what_they_were():
    images = photographs(20)
    sheet = pack_sheet(images)
    assert sheet["type"] == "image/jpeg" and sheet["file"].nbytes < images.nbytes / 5
    found = open_sheet(sheet, images.shape[1:]).astype(float)
    assert np.abs(found - images).mean() < 4 and DEARER > 1


def test_no_picture_runs_into_its_neighbour():
    """White beside black, of sides that are no multiple of JPEG's blocks."""
    grain = photographs(8, 20) // 16
    images = np.where((np.arange(8) % 2 == 0).reshape(-1, 1, 1, 1), grain + 235, grain)
    found = open_sheet(pack_sheet(images.astype(np.uint8)), (3, 20, 20)).astype(int)
    assert found[::2].min() > 210 and found[1::2].max() < 45
