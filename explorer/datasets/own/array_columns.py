"""Labels, class names and known factors beside the pictures of a .npz file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer.datasets.own.npy import Arrays, Entry
from explorer.datasets.own.source import Array
from explorer.datasets.own.tables import MOST_CLASSES, MOST_WORDS
from explorer.datasets.report import LeftOuts
from explorer.errors import ExplorerError
from explorer.files import shown_name

LABELS = ("labels", "label", "y", "targets", "target", "classes", "class")
CLASS_NAMES = ("class_names", "label_names", "classnames", "names")
FACTOR_NAMES = "_names"
MOST_COLUMNS = 16
"""Columns of one array that can be factors; wider ones are of something else."""

Lengths = Mapping[str | None, int]


@dataclass(frozen=True)
class ArrayColumns:
    """What the other arrays of a file say of each picture."""

    labels: Sequence[str | None] | None = None
    labels_from: str = ""
    class_names: tuple[str, ...] = ()
    factors: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_columns(
    arrays: Arrays, entries: list[Entry], lengths: Lengths, left_out: LeftOuts
) -> ArrayColumns:
    """Return labels, class names and factors; `lengths` are the numbers of pictures by split.

    An array belongs to the pictures whose split its name has, and has one row for each of them.
    Raises ExplorerError for labels of another number. What is not used is left out by name.
    """
    words = {
        entry.stem: [shown_name(str(word)) for word in arrays.read(entry.key).tolist()]
        for entry in entries
        if len(entry.shape) == 1 and entry.dtype.kind == "U" and entry.stem.endswith("names")
    }
    columns: dict[str, Array] = {}
    for stem in dict.fromkeys(entry.stem for entry in entries if entry.stem not in words):
        group = {entry.split: entry for entry in entries if entry.stem == stem}
        if stem in LABELS:
            _check_lengths(arrays, group, lengths)
        if not _fits(group, lengths):
            for entry in group.values():
                left_out.add(entry.key, "unused")
            continue
        values = np.concatenate([arrays.read(group[split].key) for split in lengths])
        columns |= _split_columns(stem, values, words)
    return _sort_out(columns, words, left_out)


def _check_lengths(arrays: Arrays, group: Mapping[str | None, Entry], lengths: Lengths) -> None:
    for split, entry in group.items():
        if split in lengths and entry.shape[:1] != (lengths[split],):
            raise ExplorerError(
                f"{arrays.describe(entry.key)} has the shape {entry.shape} for "
                f"{lengths[split]} images: give one label for each."
            )


def _fits(group: Mapping[str | None, Entry], lengths: Lengths) -> bool:
    """Tell whether arrays have one row, of few columns, for each picture."""
    return set(lengths) <= set(group) and all(
        entry.shape[:1] == (lengths[split],)
        and len(entry.shape) <= 2
        and entry.shape[1:] <= (MOST_COLUMNS,)
        and (entry.is_number or entry.dtype.kind in "US")
        for split, entry in group.items()
        if split in lengths
    )


def _split_columns(stem: str, values: Array, words: Mapping[str, list[str]]) -> dict[str, Array]:
    """Return (N,) and (N, 1) as one column, (N, K) as K, by the names that the file may give."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.ndim == 1:
        return {stem: values}
    width = values.shape[1]
    if width == 1:
        return {stem: values[:, 0]}
    named = words.get(stem + FACTOR_NAMES) or words.get(stem.removesuffix("s") + FACTOR_NAMES) or []
    if len(named) != width:
        named = [f"{stem} {at + 1}" for at in range(width)]
    return {name: values[:, at] for at, name in enumerate(named)}


def _sort_out(
    columns: dict[str, Array], words: Mapping[str, list[str]], left_out: LeftOuts
) -> ArrayColumns:
    labels, origin = None, ""
    for stem in LABELS:
        if stem in columns and _has_classes(columns[stem]):
            labels, origin = columns.pop(stem), stem
            break
    class_names: tuple[str, ...] = ()
    names: list[str | None] | None = None
    if labels is not None:
        told = next((words[stem] for stem in CLASS_NAMES if stem in words), [])
        names = [_name(value) for value in labels.tolist()]
        # As many names as images are the images' own.
        usable = labels.dtype.kind in "iu" and len(set(told)) == len(told) < len(labels)
        if usable and 0 <= labels.min() <= labels.max() < len(told):
            class_names = tuple(told)
            names = [class_names[value] for value in labels.tolist()]
    factors = {}
    for name, values in columns.items():
        if values.dtype.kind == "U" and len(np.unique(values)) > MOST_WORDS:
            left_out.add(name, "words", f"{len(np.unique(values)):,}")
        else:
            factors[shown_name(name)] = values.astype(_plain_type(values))
    return ArrayColumns(names, origin and f"array {origin}", class_names, factors)


def _has_classes(values: Array) -> bool:
    """Tell whether values are words or whole numbers, and not too many different ones."""
    if values.dtype.kind == "f":
        known = values[np.isfinite(values)]
        if not len(known) or (known != np.round(known)).any():
            return False
    return len(np.unique(values)) <= MOST_CLASSES


def _name(value: Any) -> str | None:
    """Return the name of a class from its value; None for NaN and the empty word."""
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) else None
    return shown_name(str(int(value) if isinstance(value, bool) else value)) or None


def _plain_type(values: Array) -> Any:
    return {"f": np.float64, "U": values.dtype}.get(values.dtype.kind, np.int64)
