"""Some rows of images, which stay where they lie until they are asked for."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from explorer.codes import Array
from explorer.datasets.mapped import let_go

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
PIECE = 4096
"""Images that are read at once where all are looked through."""


class Rows:
    """The images of a split without a copy of them: a training draws from them batch by batch.

    `images` is uint8 (N, C, H, W), in memory or mapped; `ids` (n,) are the rows that are meant,
    None for all of them.
    """

    def __init__(self, images: Bytes, ids: Ints | None = None) -> None:
        self.images = images
        self.ids = ids
        self.shape = (len(images) if ids is None else len(ids), *images.shape[1:])
        self.dtype, self.ndim = images.dtype, images.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, chosen: slice | Ints) -> Bytes:
        """Return the images at these places among the rows; a copy where they do not adjoin."""
        found: Bytes = self.images[chosen if self.ids is None else self.ids[chosen]]
        return found

    def mean(self) -> npt.NDArray[np.float64]:
        """Return the mean image, float64 (C, H, W) in 0..255; sums of bytes are exact."""
        total = np.zeros(self.shape[1:])
        for part in self.pieces(PIECE):
            total += part.sum(0, dtype=np.float64)
        return total / len(self)

    def pieces(self, size: int) -> Iterator[Bytes]:
        """Yield all images in order, `size` at a time; of a mapped file no more is held than that.

        What is read in one piece stays, since it is looked at again and again.
        """
        for start in range(0, len(self), size):
            self._let_go(size)
            yield self[start : start + size]
        self._let_go(size)

    def _let_go(self, size: int) -> None:
        """Hold nothing of the file where there are more images than so many."""
        if len(self) > size:
            let_go(self.images)


def as_rows(images: Array | Rows) -> Rows:
    """Return images (N, C, H, W) as rows, all of them where nobody has chosen."""
    return images if isinstance(images, Rows) else Rows(images)
