"""NaN and infinite values: where they are, and which codes are left to judge."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import Record
from explorer.analysis.codes_in.numbers import list_words
from explorer.codes import latent_name
from explorer.errors import ExplorerError

Floats = NDArray[np.floating]
NAMED = 5


@dataclass(frozen=True)
class Gaps(Record):
    """Where values are NaN or infinite in the whole file.

    `dimensions` are left out since they are so throughout or nearly; `rows` counts the further
    rows that are left out, `first_rows` the first of them; both as indices from 0.
    """

    dimensions: tuple[int, ...]
    rows: int
    first_rows: tuple[int, ...]
    values: int

    def say(self, size: int) -> str:
        """Return where, as a clause: counts, names of dimensions (z₈ is index 7), row numbers."""
        parts = []
        if self.dimensions:
            named = [latent_name(index) for index in self.dimensions[:NAMED]]
            more = f" and {len(self.dimensions) - NAMED:,} more" * (len(self.dimensions) > NAMED)
            parts.append(
                f"{len(self.dimensions):,} of {size:,} dimensions ({', '.join(named)}{more})"
            )
        if self.rows:
            named = [f"{row:,}" for row in self.first_rows[:NAMED]]
            more = f" and {self.rows - NAMED:,} more" * (self.rows > NAMED)
            further = "further " if parts else ""
            what = "row" if self.rows == 1 else "rows"
            parts.append(f"{self.rows:,} {further}{what} ({what} {', '.join(named)}{more})")
        hold = "holds" if len(parts) == 1 and (len(self.dimensions) or self.rows) == 1 else "hold"
        return f"{list_words(parts)} {hold} NaN or infinite values"


def find_gaps(bad: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows and which dimensions of bad (N, K) to keep: the largest full block.

    Dimensions go first where they are bad for most rows; of the rest, rows that are bad anywhere.
    The number of values kept is the largest that leaving out the worst dimensions can give.

    >>> rows, dimensions = find_gaps(np.array([[0, 1], [0, 1], [0, 1]], bool))
    >>> rows.tolist(), dimensions.tolist()
    ([True, True, True], [True, False])
    """
    count, size = bad.shape
    order = np.argsort(bad.sum(0), kind="stable")
    good = np.ones(count, bool)
    best, chosen = -1, 0
    for kept, dimension in enumerate(order, start=1):
        good &= ~bad[:, dimension]
        if kept * int(good.sum()) >= best:
            best, chosen = kept * int(good.sum()), kept
        if not good.any():
            break
    dimensions: NDArray[np.bool_] = np.zeros(size, bool)
    dimensions[order[:chosen]] = True
    rows = np.logical_not(np.any(bad[:, dimensions], axis=1))
    if best <= 0:
        raise ExplorerError("There is nothing to judge: every item holds NaN or infinite values.")
    return rows, dimensions
