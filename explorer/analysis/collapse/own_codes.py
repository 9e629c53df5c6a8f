"""Anyone's codes from an .npz file: of one moment, or over the steps of a training."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.analysis.checks import Floats, check_codes
from explorer.archives import LARGEST_ARRAYS, load_arrays
from explorer.codes import kl_of_codes
from explorer.errors import ExplorerError

LARGEST_COUNT = 100
"""Labels with more different values are no classes."""
LONGEST_NAME = 80
"""Characters of a class name that are kept."""
LARGEST_MOMENT = 16_000_000
"""Values of mean at one step: judging them takes about a hundred bytes each."""
LAST_STEP = 10**15
JUDGED_VALUES, FEWEST_JUDGED = 1_000_000, 2000
"""Of larger files so many values of mean are judged, of at least so many images: some seconds."""
SCORED_CODES = 5000
"""Codes among which neighbours are looked for, evenly spread over the file."""


@dataclass(frozen=True)
class OwnCodes:
    """The last moment's mean and logvar (N, K), and KL (T, K) in nats at steps (T,).

    Without an array `steps` in the file T is 0: there is no timeline. `labels` (N,) are numbers
    into `class_names`, None where the file has none.
    """

    mean: Floats
    logvar: Floats
    steps: np.ndarray
    kl_per_dim: Floats
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()

    def points(self) -> list[dict[str, Any]]:
        """Return the timeline as log points, as a run's metrics have them."""
        return [
            {"step": int(step), "kl_per_dim": kl.tolist()}
            for step, kl in zip(self.steps, self.kl_per_dim, strict=True)
        ]


@dataclass(frozen=True)
class LabelScore:
    """How well a code's nearest neighbours tell its label: a share with its standard error."""

    accuracy: float
    standard_error: float
    images: int
    neighbours: int
    largest_class: float
    """Share of the most frequent label: what always guessing it would give."""


def thin_codes(codes: OwnCodes) -> tuple[Floats, Floats]:
    """Return mean and logvar (M, K) to be judged: all codes, or images evenly spread over them."""
    count, size = codes.mean.shape
    most = max(FEWEST_JUDGED, JUDGED_VALUES // size)
    if count <= most:
        return codes.mean, codes.logvar
    chosen = np.linspace(0, count - 1, most).astype(int)
    return codes.mean[chosen], codes.logvar[chosen]


def score_labels(codes: OwnCodes) -> LabelScore | None:
    """Return how well each code's nearest neighbours among the others tell its label.

    The means of at most `SCORED_CODES` images are used. None where there are no labels, or only
    one, or too few codes.
    """
    from explorer.analysis.representation.quality import NEIGHBOURS, neighbour_accuracy

    if codes.labels is None or len(codes.class_names) < 2:
        return None
    count = len(codes.mean)
    chosen = np.linspace(0, count - 1, min(count, SCORED_CODES)).astype(int)
    neighbours = min(NEIGHBOURS, len(chosen) - 1)
    mean, labels = codes.mean[chosen], codes.labels[chosen]
    found = neighbour_accuracy(mean, labels, neighbours=neighbours)
    largest = float(np.bincount(labels).max() / len(labels))
    return LabelScore(found.accuracy, found.standard_error, found.images, neighbours, largest)


def read_codes(
    path: str | os.PathLike[str], name: str | None = None, limit_bytes: int = LARGEST_ARRAYS
) -> OwnCodes:
    """Read mean and logvar, both (N, K), or both (T, N, K) with steps (T,), from an .npz file.

    Labels (N,), whole numbers or words, may go with them. `name` is what errors call the file.
    ExplorerError for a file that is none or holds more than `limit_bytes` of arrays, for wrong
    shapes, for steps that do not rise and for values that are no codes or no labels.
    """
    name = name or str(path)
    arrays = load_arrays(path, limit_bytes, name)
    if missing := sorted({"mean", "logvar"} - set(arrays)):
        raise ExplorerError(f"{name} has no array {missing[0]!r}; it needs mean and logvar (N, K).")
    mean, logvar, steps = arrays["mean"], arrays["logvar"], arrays.get("steps")
    labels, names = _read_labels(name, arrays)
    if any(array.dtype.kind not in "fiu" for array in (mean, logvar)):
        raise ExplorerError(f"{name} holds codes that are no real numbers.")
    values = mean.size // len(mean) if mean.ndim == 3 and len(mean) else mean.size
    if values > LARGEST_MOMENT:
        raise ExplorerError(
            f"{name} holds {values:,} values of mean at one step; at most {LARGEST_MOMENT:,} are "
            "judged: a part of the images is enough."
        )
    if steps is None:
        if mean.ndim == 3:
            raise ExplorerError(
                f"{name} holds codes (T, N, K) without their steps; add an array steps (T,)."
            )
        mu, lv = check_codes(mean, logvar)
        codes = OwnCodes(mu, lv, np.zeros(0, np.int64), np.zeros((0, mu.shape[1])))
    else:
        codes = _read_timeline(name, mean, logvar, steps)
    if labels is not None and labels.shape != codes.mean.shape[:1]:
        raise ExplorerError(
            f"Labels are one per image, ({len(codes.mean)},); in {name} they are {labels.shape}."
        )
    return dataclasses.replace(codes, labels=labels, class_names=names)


def _read_labels(
    name: str, arrays: Mapping[str, np.ndarray]
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return the labels as numbers into their names; shapes are left to the caller."""
    if "labels" not in arrays:
        return None, ()
    given = arrays["labels"]
    if given.dtype.kind == "f" and np.isfinite(given).all() and (given == given.round()).all():
        given = given.astype(np.int64)
    if given.dtype.kind not in "iubUS":
        raise ExplorerError(f"The labels in {name} must be whole numbers or words.")
    if given.dtype.kind == "S":
        given = np.char.decode(given, "utf-8", "replace")
    values, numbers = np.unique(given, return_inverse=True)
    if len(values) > LARGEST_COUNT:
        raise ExplorerError(
            f"The labels in {name} have {len(values):,} different values; classes are at most "
            f"{LARGEST_COUNT}."
        )
    try:
        names = tuple(_name_class(value) for value in values)
    except (ValueError, SystemError) as error:  # Numbers that are no characters.
        raise ExplorerError(f"The labels in {name} are words that cannot be read.") from error
    return numbers.reshape(given.shape), names


def _name_class(value: Any) -> str:
    """Return a class's name in full characters: half of a pair cannot be sent to a browser."""
    return str(value)[:LONGEST_NAME].encode("utf-8", "replace").decode()


def _read_timeline(name: str, mean: np.ndarray, logvar: np.ndarray, steps: np.ndarray) -> OwnCodes:
    if mean.ndim != 3 or mean.shape != logvar.shape or steps.shape != mean.shape[:1]:
        raise ExplorerError(
            f"With steps (T,), mean and logvar are (T, N, K); in {name} steps is {steps.shape}, "
            f"mean {mean.shape}, logvar {logvar.shape}."
        )
    if not mean.size:
        raise ExplorerError(f"{name} holds no codes: its arrays are empty.")
    rising = steps.dtype.kind in "iuf" and bool((np.abs(steps) <= LAST_STEP).all())
    # As floats: a difference of unsigned numbers is never below 0.
    numbers = steps.astype(np.float64) if rising else np.zeros(0)
    rising = rising and bool((numbers == numbers.round()).all() and (np.diff(numbers) > 0).all())
    if not rising or numbers[0] < 0:
        raise ExplorerError(f"The steps in {name} must be whole numbers from 0 that rise.")
    kl = np.zeros((len(steps), mean.shape[2]))
    for index in range(len(steps)):
        mu, lv = check_codes(mean[index], logvar[index])
        kl[index] = kl_of_codes(mu, lv).mean(0)
    return OwnCodes(mu, lv, steps.astype(np.int64), kl)
