"""What is known of each image beside its class, in the order of the codes that are shown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAX_FACTORS = 8
MAX_WORDS = 100
MAX_CODED = 5
"""Different values of a number that is taken for a class: 0, 1, 2 say which, seldom how much."""


def describe_factors(
    factors: Mapping[str, Array], ids: Array, labels: Array | None = None
) -> list[dict[str, Any]]:
    """Return up to eight factors of the images `ids`, (N,): numbers with range, words by index.

    Whole numbers from 0 or 1 on without a gap, five at most, are the names of classes: words.
    `factors` has a value per image of the whole data set. Left out are a factor that does not
    vary, one of more than 100 words, and one that repeats `labels`; all of them where an id is
    none of the data set's.
    """
    told = (_describe(name, np.asarray(all_), ids, labels) for name, all_ in factors.items())
    return [factor for factor in told if factor is not None][:MAX_FACTORS]


def _describe(name: str, every: Array, ids: Array, labels: Array | None) -> dict[str, Any] | None:
    if not len(ids) or ids.min() < 0 or ids.max() >= len(every) or every.ndim != 1:
        return None
    values = every[ids]
    if values.dtype.kind not in "iuf":
        words, places = np.unique(values.astype(str), return_inverse=True)
        if not 1 < len(words) <= MAX_WORDS:
            return None
        return {"name": name, "words": words.tolist(), "values": places.astype(np.uint8)}
    if labels is not None and np.array_equal(values, labels):
        return None
    if _is_coded(every):
        words, places = np.unique(values.astype(np.int64), return_inverse=True)
        if len(words) < 2:
            return None
        names = [str(word) for word in words]
        return {"name": name, "words": names, "values": places.astype(np.uint8)}
    numbers = values.astype(np.float32)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite) or finite.min() == finite.max():
        return None
    low, high = float(finite.min()), float(finite.max())
    return {"name": name, "words": None, "values": numbers, "low": low, "high": high}


def _is_coded(numbers: Array) -> bool:
    """Tell whether the numbers of a whole data set are names of classes."""
    found = np.unique(numbers)
    return len(found) <= MAX_CODED and (
        np.array_equal(found, np.arange(len(found)))
        or np.array_equal(found, np.arange(1, len(found) + 1))
    )
