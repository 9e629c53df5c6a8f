"""Many small pictures as one: WebP without loss where that is small, else JPEG."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUALITY = 88
DEARER = 2
"""So many times the bytes of JPEG are spent on pictures without loss."""
MULTIPLE = 8
"""JPEG's blocks: tiles of a multiple of them do not run into each other."""


def pack_sheet(images: NDArray[np.uint8]) -> dict[str, Any]:
    """Return pictures (M, C, H, W), C = 1 or 3, as a sheet: its file, and where each one lies.

    The i-th stands in row i // across and column i % across of tiles of `tile` (height, width).
    """
    from PIL import Image

    count, channels, height, width = images.shape
    tile = [-(-side // MULTIPLE) * MULTIPLE for side in (height, width)]
    across = max(1, math.isqrt(count))
    down = -(-count // across)
    # What lies between a picture and the next repeats its edge, so that no edge is made by JPEG.
    margins = ((0, 0), (0, 0), (0, tile[0] - height), (0, tile[1] - width))
    padded = np.zeros((across * down, channels, *tile), np.uint8)
    padded[:count] = np.pad(images, margins, mode="edge")
    rows = padded.reshape(down, across, channels, *tile).transpose(0, 3, 1, 4, 2)
    pixels = rows.reshape(down * tile[0], across * tile[1], channels)
    picture = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    # Colour as fine as brightness: pictures are small, and looked at enlarged.
    lossy = _save(picture, "JPEG", quality=QUALITY, subsampling=0)
    exact = _save(picture, "WEBP", lossless=True, quality=40, method=0)
    kind, stored = (
        ("image/jpeg", lossy) if len(exact) > DEARER * len(lossy) else ("image/webp", exact)
    )
    file = np.frombuffer(stored, np.uint8)
    return {"file": file, "type": kind, "count": count, "across": across, "tile": tile}


def _save(picture: Any, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()
