"""Labels of any kind: classes where they can be, left out with a reason where they cannot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.codes_in.arrays import StoredArray, take_plain
from explorer.analysis.codes_in.numbers import Array, real_numbers, say_shape
from explorer.analysis.codes_in.told import Told
from explorer.errors import ExplorerError

LARGEST_COUNT = 100
"""Labels with more different values are no classes."""
NOT_GIVEN = "–"


@dataclass(frozen=True)
class Labels:
    """Labels (N,) as numbers into their names; None where they are left out, as `told` says."""

    numbers: NDArray[np.int64] | None
    names: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()


def take_labels(array: StoredArray, items: NDArray[np.int64], count: int) -> Labels:
    """Return the labels of these items out of `count`: one number or word, or one-hot, each.

    Never fails: labels that cannot be classes are left out, with the reason.
    """
    name = array.name

    def leave(why: str) -> Labels:
        return Labels(None, (), (Told("labels_left_out", {"name": name, "why": why}),))

    if array.objects:
        return Labels(None, (), (Told("pickled", {"name": name}),))
    if not array.shape or array.shape[0] != count:
        return leave(f"they are {say_shape(array.shape)}, not one for each of {count:,} items")
    try:
        given = take_plain(array, items)
    except ExplorerError as error:
        return leave(str(error).rstrip("."))
    return read_labels(given, name)


def read_labels(given: Array, name: str = "labels") -> Labels:
    """Return labels as classes, or none with the reason.

    >>> read_labels(np.array([[1, 0], [0, 1], [0, 1]])).numbers.tolist()
    [0, 1, 1]
    """

    def leave(why: str) -> Labels:
        return Labels(None, (), (Told("labels_left_out", {"name": name, "why": why}),))

    told: tuple[Told, ...] = ()
    if given.ndim > 1 and int(np.prod(given.shape[1:])) == 1:
        given = given.reshape(len(given))
    if given.ndim == 2 and given.dtype.kind in "fiub":
        if not _is_one_hot(given):
            return leave(f"they are {say_shape(given.shape)} and not one-hot")
        told = (Told("labels_one_hot", {"name": name}),)
        given = given.argmax(1)
    if given.ndim != 1:
        return leave(f"they are {say_shape(given.shape)}")
    if given.dtype.kind == "O":
        return Labels(None, (), (Told("pickled", {"name": name}),))
    words = _as_words(given)
    if words is None:
        return leave("they are neither whole numbers nor words")
    values, numbers = np.unique(words, return_inverse=True)
    if len(values) > LARGEST_COUNT:
        return leave(f"{len(values):,} different values are no classes ({LARGEST_COUNT} at most)")
    names = tuple(str(value) if str(value) else NOT_GIVEN for value in values)
    return Labels(numbers.reshape(-1).astype(np.int64), names, told)


def _as_words(given: Array) -> Array | None:
    """Return whole numbers as numbers and words as words; None for anything else."""
    kind = given.dtype.kind
    if kind in "iubU":
        return given
    if kind == "S":
        return np.char.decode(given, "utf-8", "replace")
    if kind == "M":
        return given.astype(str)
    if kind not in "fV":
        return None
    try:
        numbers = real_numbers(given).astype(np.float64)
    except ExplorerError:
        return None
    known = np.isfinite(numbers)
    if not known.any() or (numbers[known] != np.round(numbers[known])).any():
        return None
    if known.all():
        return numbers.astype(np.int64)
    return np.where(known, np.round(np.where(known, numbers, 0)).astype(np.int64).astype(str), "")


def _is_one_hot(given: Array) -> bool:
    numbers = given.astype(np.float64)
    return bool(((numbers == 0) | (numbers == 1)).all() and (numbers.sum(1) == 1).all())
