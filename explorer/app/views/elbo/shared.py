"""What a link says of one image on the ELBO page: the visitor's q, and which pixels are uncovered.

Both are of the image; another one starts without them.
"""

import base64
import binascii
import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.analysis.inference.reveal import order_pixels, uncover
from explorer.app.parts.address import leave_behind, refuse, write_address

Mask = NDArray[np.bool_]
NORMAL, UNCOVERED = "q", "seen"
NORMAL_VALUES = 5
"""Mean, two standard deviations, and the turn in degrees (browser/lens/address.js)."""
ORDERS = ("rows", "random")
BRUSH = "brush"


def leave_image(run_id: str, index: int) -> None:
    """Take out of the address what it says of another image than this one."""
    asked = (st.query_params.get("run", run_id), st.query_params.get("image", str(index)))
    if asked != (run_id, str(index)):
        leave_behind((NORMAL, UNCOVERED))


def check_normal() -> None:
    """Leave the address's q out and say so where it is none: the lens reads the rest itself."""
    asked = st.query_params.get(NORMAL)
    if asked is not None and not _is_normal(asked):
        refuse(NORMAL)
        leave_behind((NORMAL,))


def read_uncovered(shape: tuple[int, ...], seed: int, start: Mask) -> Mask:
    """Return the pixels (H, W) that the address has as uncovered, `start` where it has none."""
    asked = st.query_params.get(UNCOVERED)
    if asked is None:
        return start
    mask = parse_mask(asked, shape, seed)
    if mask is None:
        refuse(UNCOVERED)
        leave_behind((UNCOVERED,))
        return start
    return mask


def write_uncovered(mask: Mask, seed: int, start: Mask) -> None:
    """Keep in the address which pixels are uncovered, while it is not as the section opens."""
    write_address(UNCOVERED, print_mask(mask, seed), print_mask(start, seed))


def find_way(mask: Mask, seed: int) -> str:
    """Return how the mask came about, as far as it shows: by rows, at random, or by brush."""
    for way in ORDERS:
        order = order_pixels(mask.shape, way, seed)
        if (uncover(mask.shape, order, int(mask.sum())) == mask).all():
            return way
    return BRUSH


def print_mask(mask: Mask, seed: int) -> str:
    """Return a mask as a link has it: how many pixels by which order, or one bit for each."""
    way = find_way(mask, seed)
    if way != BRUSH:
        return f"{way}.{int(mask.sum())}"
    bits = base64.urlsafe_b64encode(np.packbits(mask).tobytes()).decode().rstrip("=")
    return f"{BRUSH}.{bits}"


def parse_mask(written: str, shape: tuple[int, ...], seed: int) -> Mask | None:
    """Return the mask (H, W) of `print_mask`; None where it is none of a picture of this shape."""
    height, width = shape[-2:]
    way, _, rest = written.partition(".")
    if way in ORDERS and rest.isdecimal() and len(rest) < 8 and int(rest) <= height * width:
        return uncover(shape, order_pixels(shape, way, seed), int(rest))
    if way != BRUSH:
        return None
    try:
        bits = base64.b64decode(rest + "=" * (-len(rest) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(bits) != math.ceil(height * width / 8):
        return None
    packed = np.frombuffer(bits, np.uint8)
    return np.unpackbits(packed, count=height * width).astype(bool).reshape(height, width)


def _is_normal(written: str) -> bool:
    try:
        values = [float(value) for value in written.split(",")]
    except ValueError:
        return False
    return len(values) == NORMAL_VALUES and all(map(math.isfinite, values)) and min(values[2:4]) > 0
