"""Which images are for training, validation and test: given by folders and columns, or drawn."""

import re
from collections.abc import Sequence

import numpy as np

from explorer.datasets.images import split_rows
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError

PARTS = ("train", "validation", "test")
WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def split_word(word: str) -> str | None:
    """Return the split that a folder, an array or a cell of a table names, None if it is none.

    >>> [split_word(word) for word in ("Train", "test_set", "images-val", "trained")]
    ['train', 'test', 'validation', None]
    """
    lower = word.strip().lower()
    return WORDS.get(
        re.sub(r"^(images?|imgs?|data)[ _-]|[ _-]?(images?|imgs?|data|set)$", "", lower)
    )


def complete_splits(given: Sequence[str | None] | None, strata: Ints) -> tuple[Ints, str]:
    """Return the split of each image (N,), as a number in PARTS, and how it came about.

    "given" splits are kept; what is missing of the three is drawn, a tenth each, from the images
    that are for training or for nothing yet ("completed"). All three are drawn ("drawn") where
    nothing was given, or too little for training. Draws are stratified by `strata` (N,) and always
    the same. Raises ExplorerError for fewer than three images.
    """
    count = len(strata)
    if count < 3:
        raise ExplorerError(
            f"At least three images are needed, one each for training, validation and test, not "
            f"{count}."
        )
    known = [None] * count if given is None else given
    splits = np.array([PARTS.index(name) if name else 0 for name in known], np.int64)
    missing = [at for at in (1, 2) if not (splits == at).any()]
    pool = np.flatnonzero(splits == 0)
    if not any(known) or len(pool) <= len(missing):
        splits, missing, pool, known = np.zeros(count, np.int64), [1, 2], np.arange(count), []
    if missing:
        drawn = split_rows(strata[pool], 0, *(None if at in missing else 0 for at in (1, 2)))
        for at in missing:
            splits[pool[drawn[PARTS[at]]]] = at
    if not any(known):
        return splits, "drawn"
    return splits, "completed" if missing or not all(known) else "given"
