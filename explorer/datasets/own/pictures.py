"""One picture file, from its bytes to an array: turned, first frame, as deep as it is."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

# Two plugins by name: Image.open would load every one there is to find them.
from PIL import (
    ExifTags,
    Image,
    ImageFile,
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from explorer.archives.refused import Refused
from explorer.datasets.own.source import Array
from explorer.datasets.own.values import check_range

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""No others are tried: PostScript, for one, would be handed to another program."""
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif",
    ".tiff",
}  # fmt: skip
BEGINNINGS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
MOST_PIXELS = 50_000_000
FINER = 3
"""Large JPEGs are decoded at a size that is still so many times the one they are shrunk to."""

DEEP = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""How Pillow unpacks 16-bit colours of a PNG, and how it would the other byte of each."""

Turn = Image.Transpose
TURNS = {
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
"""What undoes each orientation of EXIF."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: pixels (H, W, C), C of 1, 3 or 4; uint8, uint16 or float32."""

    pixels: Array
    size: tuple[int, int]
    """(height, width) of the file's picture; `pixels` may be smaller."""
    turned: bool
    animated: bool


def decode_picture(data: bytes, target: tuple[int, int] | None = None) -> Picture:
    """Return the picture that a file's bytes hold; Refused where they hold none that is read.

    `target`, (height, width), is the size it will be shrunk to: large JPEGs are then decoded at an
    eighth, a quarter or half of their own, as far as that is much larger still.
    """
    if not data:
        raise Refused("empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _read(image, data, target)
    except (Refused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        (count,) = re.findall(r"\((\d+) pixels\)", str(error)) or ["0"]
        raise Refused("pixels", f"{int(count) / 1e6:,.0f}") from error
    except UnidentifiedImageError as error:
        raise Refused("broken" if data.startswith(BEGINNINGS) else "format") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them to.
        raise Refused("broken") from error


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Let no decoder warn of odd files, but for pictures of too many pixels, which are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _read(image: ImageFile.ImageFile, data: bytes, target: tuple[int, int] | None) -> Picture:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise Refused("pixels", f"{width * height / 1e6:,.0f}")
    if target is not None and image.format in ("JPEG", "MPO"):
        side = FINER * max(target)
        image.draft(None, (side, side))
    drafted = image.size != (width, height)
    low = _low_bytes(image, data)
    image.load()
    turn = TURNS.get(_orientation(image))
    pixels = _as_array(image, low, turn)
    size = pixels.shape[:2]
    if drafted:
        size = (width, height) if turn is not None and _swaps(turn) else (height, width)
    return Picture(pixels, (int(size[0]), int(size[1])), turn is not None, _is_animated(image))


def _is_animated(image: ImageFile.ImageFile) -> bool:
    """Tell whether more pictures follow the first; a photograph may carry its small copies."""
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except Exception:  # What follows may be broken; the first is not.
        return False


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Broken metadata are no reason to leave the picture out.
        return None


def _swaps(turn: Turn) -> bool:
    """Tell whether a turn exchanges height and width."""
    return turn not in (TURNS[2], TURNS[3], TURNS[4])


def _low_bytes(image: ImageFile.ImageFile, data: bytes) -> Image.Image | None:
    """Return the lower bytes of a PNG of 16-bit colours, of which Pillow reads the upper ones."""
    if image.format != "PNG" or not image.tile or image.tile[0].args not in DEEP:
        return None
    low = Image.open(io.BytesIO(data), formats=("PNG",))
    # The same numbers read as if the lower byte came last are the lower bytes.
    low.tile = [low.tile[0]._replace(args=DEEP[image.tile[0].args])]
    return low


def _as_array(image: Image.Image, low: Image.Image | None, turn: Turn | None) -> Array:
    """Return pixels (H, W, C); grey stays grey, and what can be transparent has C = 4."""
    if low is not None:
        return _take(image, turn).astype(np.uint16) << 8 | _take(low, turn)
    if image.mode == "F":
        floats = _take(image, turn)
        check_range(floats)
        return floats
    if image.mode == "I" or image.mode.startswith("I;16"):
        whole = _take(image, turn)
        check_range(whole)
        return whole.astype(np.uint16)
    if image.has_transparency_data:
        return _take(image, turn, "RGBA")
    if image.mode in ("1", "L"):
        return _take(image, turn, "L")
    if image.mode in ("RGB", "RGBX", "P", "CMYK", "YCbCr", "HSV"):
        return _take(image, turn, "RGB")
    raise Refused("colours", image.mode)


def _take(image: Image.Image, turn: Turn | None, mode: str | None = None) -> Array:
    """Return the pixels (H, W, C) of an image, turned, and converted to a mode."""
    if mode is not None and image.mode != mode:
        image = image.convert(mode)
    array = np.asarray(image if turn is None else image.transpose(turn))
    return array[:, :, None] if array.ndim == 2 else array
