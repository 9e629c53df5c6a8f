"""Pictures of any shape to one shape: transparency, crop or margins, grey or colour."""

import numpy as np
from PIL import Image

from explorer.datasets.rows import Bytes

FITS = ("crop", "pad", "resize")
STRIP_PIXELS = 1 << 20


def flatten(pixels: Bytes, background: int) -> Bytes:
    """Return pixels (…, 3) of pixels (…, 4) over a grey background, rounded to the nearest."""
    rows = pixels.reshape(-1, 4)
    flat = np.empty((len(rows), 3), np.uint8)
    # Strip by strip: the products need several times the memory of what they are made from.
    for start in range(0, len(rows), STRIP_PIXELS):
        strip = rows[start : start + STRIP_PIXELS].astype(np.uint32)
        alpha = strip[:, 3:]
        mixed = strip[:, :3] * alpha + background * (255 - alpha)
        flat[start : start + STRIP_PIXELS] = (mixed + 127) // 255
    return flat.reshape(*pixels.shape[:-1], 3)


def has_colour(pixels: Bytes) -> bool:
    """Tell whether any pixel of (…, C) is not grey."""
    if pixels.shape[-1] == 1:
        return False
    red = pixels[..., 0]
    return bool((red != pixels[..., 1]).any() or (red != pixels[..., 2]).any())


def fit_pictures(
    pixels: Bytes, size: tuple[int, int], channels: int, fit: str, background: int
) -> Bytes:
    """Return pictures (n, H, W, C) as (n, channels, *size), uint8.

    `fit`: crop cuts the longer side about its middle, pad adds margins of the background, resize
    takes height and width for themselves. Between sizes pixels are interpolated by Pillow's
    bicubic filter, which averages over the area where it shrinks. Grey is 0.299 R + 0.587 G +
    0.114 B (ITU-R BT.601).
    """
    if pixels.shape[1:3] != size:
        pixels = np.stack([_resize(picture, size, fit, background) for picture in pixels])
    planes = pixels.transpose(0, 3, 1, 2)
    if planes.shape[1] == channels:
        return planes
    if channels == 3:
        return np.repeat(planes, 3, axis=1)
    weighted = (
        planes.astype(np.float32) * np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]
    )
    return np.rint(weighted.sum(1, keepdims=True)).astype(np.uint8)


def _resize(picture: Bytes, size: tuple[int, int], fit: str, background: int) -> Bytes:
    """Return one picture (H, W, C) at a size (h, w)."""
    channels = picture.shape[2]
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    height, width = size
    across, down = image.width / width, image.height / height
    box, inner = (0.0, 0.0, float(image.width), float(image.height)), (width, height)
    if fit == "crop":
        scale = min(across, down)
        left = max(0.0, (image.width - scale * width) / 2)
        top = max(0.0, (image.height - scale * height) / 2)
        box = (left, top, image.width - left, image.height - top)
    elif fit == "pad":
        scale = max(across, down)
        inner = (max(1, round(image.width / scale)), max(1, round(image.height / scale)))
    small = image.resize(inner, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    array = np.asarray(small).reshape(inner[1], inner[0], channels)
    if inner == (width, height):
        return array
    canvas = np.full((height, width, channels), background, np.uint8)
    above, before = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[above : above + inner[1], before : before + inner[0]] = array
    return canvas
