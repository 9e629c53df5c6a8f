"""Pictures in .npz and .npy files: which array is what, in which layout and on which scale."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.archives.refused import Refused
from explorer.datasets.own.array_columns import read_columns
from explorer.datasets.own.npy import Arrays, Entry
from explorer.datasets.own.pictures import MOST_PIXELS
from explorer.datasets.own.source import Array, Block, Source, Target
from explorer.datasets.own.splits import PARTS
from explorer.datasets.own.values import check_range
from explorer.datasets.report import LeftOut, LeftOuts
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError

IMAGES = ("images", "image", "imgs", "img", "x", "pictures", "data", "arr_0")
CHANNELS = (1, 3, 4)
LARGEST_ROW = 256 << 20


@dataclass(frozen=True)
class Layout:
    """How one array holds pictures: its name, and the height, width and channels of each."""

    name: str
    shape: tuple[int, int, int]


@contextmanager
def open_arrays(path: Path, archive: zipfile.ZipFile | None) -> Iterator[Source]:
    """Yield the pictures of a .npz archive of several arrays, or of a .npy file of one."""
    yield _make_source(Arrays(path, archive))


def _make_source(arrays: Arrays) -> Source:
    left_out = LeftOuts()
    entries = arrays.list_entries(IMAGES, left_out)
    parts = _choose_images(arrays, entries)
    layouts = [choose_layout(arrays.describe(part.key), part.shape) for part in parts]
    lengths = {part.split: part.shape[0] for part in parts}
    others = [entry for entry in entries if entry not in parts]
    columns = read_columns(arrays, others, lengths, left_out)

    def blocks(rows: Ints, target: Target) -> Iterator[Block]:
        start = 0
        for part, layout in zip(parts, layouts, strict=True):
            for row, some in arrays.read_rows(part.key):
                pixels = as_pictures(arrays.describe(part.key), some, layout)
                yield Block(start + row, pixels, layout.shape[:2])
            start += part.shape[0]

    return Source(
        kind=arrays.kind,
        names=[f"{part.key}[{row}]" for part in parts for row in range(part.shape[0])],
        blocks=blocks,
        sequential=True,
        labels=columns.labels,
        class_names=columns.class_names,
        labels_from=columns.labels_from,
        splits=[part.split for part in parts for _ in range(part.shape[0])],
        factors=columns.factors,
        left_out=left_out,
        layout=layouts[0].name,
        notes=columns.notes,
    )


def _choose_images(arrays: Arrays, entries: list[Entry]) -> list[Entry]:
    """Return the arrays of pictures, one for each split: by their names, or the only one there is.

    Raises ExplorerError where none or several could be meant, or what is meant cannot be read.
    """
    for stem in IMAGES:
        found = [entry for entry in entries if entry.stem == stem and len(entry.shape) >= 2]
        found = [entry for entry in found if entry.split] or found
        first = {entry.split: entry for entry in reversed(found)}
        if first:
            chosen = [first[split] for split in (None, *PARTS) if split in first]
            break
    else:
        chosen = [entry for entry in entries if entry.is_number and len(entry.shape) in (3, 4)]
        if len(chosen) != 1:
            there = ", ".join(f"{entry.key} {entry.shape}" for entry in entries[:8]) or "none"
            raise ExplorerError(
                f"{arrays.path.name} has no array called images (nor imgs, or x_train and "
                f"x_test); its arrays: {there}."
            )
    for entry in chosen:
        if not entry.is_number:
            raise ExplorerError(
                f"{arrays.describe(entry.key)} holds {entry.dtype}, which is no kind of pixels: "
                "store bytes or floats."
            )
        if not math.prod(entry.shape):
            raise ExplorerError(f"{arrays.describe(entry.key)} is empty: {entry.shape}.")
        if math.prod(entry.shape[1:]) * entry.dtype.itemsize > LARGEST_ROW:
            raise ExplorerError(f"{arrays.describe(entry.key)} holds pictures that are too large.")
    return chosen


def choose_layout(name: str, shape: tuple[int, ...]) -> Layout:
    """Return how an array of a shape holds pictures; ExplorerError where it cannot.

    (N, H, W) is grey, (N, D) a square of grey pixels in a row. Of four axes the last or the second
    is that of 1, 3 or 4 channels; where both could be, the pictures are taken for the squarer ones.

    >>> choose_layout("x", (60, 32, 48, 3)), choose_layout("x", (60, 3, 32, 48)).name
    (Layout(name='NHWC', shape=(32, 48, 3)), 'NCHW')
    """
    layouts = []
    if len(shape) == 2:
        side = math.isqrt(shape[1])
        layouts = [Layout("flat", (side, side, 1))] if side * side == shape[1] else []
    elif len(shape) == 3 and (shape[2] not in (3, 4) or shape[1] in (3, 4)):
        layouts = [Layout("NHW", (shape[1], shape[2], 1))]
    elif len(shape) == 4:
        first, second, third = shape[1:]
        if third in CHANNELS:
            layouts.append(Layout("NHWC", (first, second, third)))
        if first in CHANNELS:
            layouts.append(Layout("NCHW", (second, third, first)))
    layouts = [one for one in layouts if one.shape[0] * one.shape[1] <= MOST_PIXELS]
    if not layouts:
        raise ExplorerError(
            f"{name} has the shape {shape}: give pictures as (N, H, W), (N, H, W, 3) or "
            "(N, 3, H, W)."
        )
    return min(layouts, key=lambda one: max(one.shape[:2]) / min(one.shape[:2]))


def as_pictures(name: str, rows: Array, layout: Layout) -> Array:
    """Return some rows of an array as (n, H, W, C): uint8, uint16 or float32, on a known scale."""
    try:
        if rows.dtype.kind != "b" and rows.dtype != np.uint8:
            check_range(rows)
    except Refused as refused:
        why = LeftOut(name, refused.reason, refused.detail).text
        raise ExplorerError(f"{name}: {why}; give bytes, [0, 1] or [−1, 1].") from refused
    if rows.dtype.kind == "f":
        rows = rows.astype(np.float32)
    else:
        rows = rows.astype(np.uint8 if rows.dtype.itemsize == 1 else np.uint16)
    if layout.name == "NCHW":
        return rows.transpose(0, 2, 3, 1)
    return rows.reshape(len(rows), *layout.shape)
