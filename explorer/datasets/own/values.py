"""From the values that people store to bytes: by the range of the whole set, never of one picture.

A dark picture among bright ones stays dark; twelve bits in sixteen show in that no picture of the
set reaches higher.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.archives.refused import Refused
from explorer.datasets.rows import Bytes

TOPS = (1, 16, 255, 1023, 4095, 16383, 65535)
"""The largest values that whole sets of pictures are scaled to; 16 is that of scikit-learn's
digits, the others are those of 1, 8, 10, 12, 14 and 16 bits."""
SLACK = 0.05
"""Floats may pass their range by so much: enlarging overshoots. They are clipped."""


def check_range(pixels: npt.NDArray[Any]) -> None:
    """Raise Refused for numbers that are NaN, infinite or on no known scale."""
    low, top = pixels.min(), pixels.max()
    if not (np.isfinite(low) and np.isfinite(top)):
        raise Refused("nan")
    floats = pixels.dtype.kind == "f"
    negative = low < (-SLACK if floats else 0)
    signed = floats and low >= -1 - SLACK and top <= 1 + SLACK
    if top > TOPS[-1] or (negative and not signed):
        raise Refused("values", f"[{float(low):.4g}, {float(top):.4g}]")


@dataclass
class Extremes:
    """The smallest and largest values met so far, for each kind of number."""

    top_byte: int = -1
    top_whole: int = -1
    low_float: float = np.inf
    top_float: float = -np.inf

    def add(self, pixels: npt.NDArray[Any]) -> None:
        """Take in pixels of uint8, uint16 or floats that `check_range` has passed."""
        if pixels.dtype == np.uint8:
            if self.top_byte <= TOPS[1]:  # Above that nothing more is to be learnt.
                self.top_byte = max(self.top_byte, int(pixels.max()))
        elif pixels.dtype == np.uint16:
            self.top_whole = max(self.top_whole, int(pixels.max()))
        else:
            self.low_float = min(self.low_float, float(pixels.min()))
            self.top_float = max(self.top_float, float(pixels.max()))

    def scales(self) -> "Scales":
        """Return the scales that these values speak for."""
        floats = (0, next((top for top in TOPS if self.top_float <= top * (1 + SLACK)), TOPS[-1]))
        signed = self.low_float < -SLACK
        return Scales(
            next((top for top in TOPS if self.top_byte <= top), TOPS[-1]),
            next((top for top in TOPS if self.top_whole <= top), TOPS[-1]),
            (-1, 1) if signed else floats,
        )

    def describe(self) -> str:
        """Return the ranges in use, such as "0…255" or "−1…1"; commas between kinds of numbers."""
        scales = self.scales()
        words = []
        if self.top_byte >= 0:
            words.append(f"0…{scales.byte}")
        if self.top_whole >= 0:
            bits = f" ({scales.whole.bit_length()} bits)" if scales.whole > 255 else ""
            words.append(f"0…{scales.whole}{bits}")
        if np.isfinite(self.top_float):
            words.append("−1…1" if scales.floats == (-1, 1) else f"0…{scales.floats[1]}")
        return ", ".join(dict.fromkeys(words))


@dataclass(frozen=True)
class Scales:
    """What becomes 255: the largest byte and whole number, and both ends for floats."""

    byte: int
    whole: int
    floats: tuple[int, int]

    def to_bytes(self, pixels: npt.NDArray[Any]) -> Bytes:
        """Return pixels of any shape in 0..255, rounded to the nearest."""
        if pixels.dtype == np.uint8:
            return pixels if self.byte == 255 else _table(self.byte, 256)[pixels]
        if pixels.dtype == np.uint16:
            return _table(self.whole, 65536)[pixels]
        low, top = self.floats
        part = (pixels.astype(np.float32) - low) * np.float32(1 / (top - low))
        return np.rint(np.clip(part, 0, 1) * 255).astype(np.uint8)


@cache
def _table(top: int, count: int) -> Bytes:
    return np.rint(np.minimum(np.arange(count) / top, 1) * 255).astype(np.uint8)
