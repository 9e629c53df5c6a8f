"""200 of MNIST's test images, twenty a class: real digits that are always there.

`pretrained/choose_digits.py` chose them; LICENSE.txt beside them is theirs.
"""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.datasets.images import ImageDataset, split_rows
from explorer.datasets.rows import Ints

FILE = Path(__file__).parent / "images.npz"
MNIST_PIXELS = "a029e93b98011882727d587c6b56ab001102f7cfe9957060fdeeff504ee3b243"
MNIST_FINGERPRINT = "d244ce9976163b5ebd35e436b3ec1188"
"""MNIST as `load_collection` reads it: the digest of its pixels, and what older runs hold."""


def load_mnist200() -> ImageDataset:
    """Return the excerpt, split 160 / 20 / 20, stratified by a fixed seed.

    The classes follow each other again and again; the first image is the most typical one.
    Source: Y. LeCun and C. Cortes, The MNIST database of handwritten digits, CC BY-SA 3.0.
    """
    images, labels, _ = _read()
    return ImageDataset(
        name="mnist-200",
        images=images,
        labels=labels,
        class_names=tuple("0123456789"),
        splits=split_rows(labels, seed=0, validation=20, test=20),
    )


def mnist_ids() -> Ints:
    """Return the row of each image of the excerpt in the whole of MNIST, int64 (200,)."""
    return _read()[2]


def is_of_mnist(pixels: str, fingerprint: str) -> bool:
    """Tell whether images of this digest, or of this fingerprint where there is none, are MNIST."""
    return pixels == MNIST_PIXELS if pixels else fingerprint == MNIST_FINGERPRINT


@cache
def _read() -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    with np.load(FILE, allow_pickle=False) as archive:
        return (
            archive["images"],
            archive["labels"].astype(np.int64),
            archive["ids"].astype(np.int64),
        )
