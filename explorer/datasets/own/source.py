"""What a path holds before a pixel is decoded: names, labels, splits, factors, a way to more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.archives.refused import Refused
from explorer.datasets.report import LeftOuts
from explorer.datasets.rows import Ints

Array = npt.NDArray[Any]
Target = Callable[[], tuple[int, int] | None]
"""Returns the (height, width) that pictures will be shrunk to, None while that is not known."""


@dataclass(frozen=True)
class Block:
    """Pictures that follow each other in a source and have one shape, or one that is left out."""

    first: int
    """The row of the first of them in the source."""
    pixels: Array | None = None
    """(n, H, W, C), C of 1, 3 or 4; uint8, uint16 or float32."""
    size: tuple[int, int] = (0, 0)
    """(height, width) as they came."""
    turned: bool = False
    animated: bool = False
    refused: Refused | None = None


@dataclass(frozen=True)
class Source:
    """Pictures that can be decoded one after the other, more than once, and what is known of them.

    All sequences have one entry for each picture, None where nothing is known.
    """

    kind: str
    names: Sequence[str]
    blocks: Callable[[Ints, Target], Iterator[Block]]
    """Called with the rows wanted, in order, and a function that tells the size that they will
    get. A source that is sequential gives all rows in its own order."""
    sequential: bool
    labels: Sequence[str | None] | None = None
    class_names: tuple[str, ...] = ()
    """In the order of the classes; found in `labels` and sorted where empty."""
    labels_from: str = ""
    splits: Sequence[str | None] | None = None
    factors: Mapping[str, Array] = field(default_factory=dict)
    left_out: LeftOuts = field(default_factory=LeftOuts)
    layout: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def strata(self) -> Ints:
        """Return a number for the label of each picture, all 0 where there are no labels."""
        if self.labels is None:
            return np.zeros(len(self), np.int64)
        numbers = {label: at for at, label in enumerate(dict.fromkeys(self.labels))}
        return np.array([numbers[label] for label in self.labels], np.int64)
