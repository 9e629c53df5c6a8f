"""The one shape that every data set has: images, labels, known factors and fixed splits."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from explorer.datasets.mapped import let_go
from explorer.datasets.report import Report
from explorer.datasets.rows import Bytes, Ints, Rows
from explorer.errors import ExplorerError

Array = npt.NDArray[np.generic]
T = TypeVar("T", bound=np.generic)

DIGEST_BYTES = 16 << 20
PROBE_IMAGES = 1000

SPLITS = ("train", "validation", "test", "all")


@dataclass(frozen=True, eq=False)
class Split:
    """Some rows of a data set; `ids` are their row numbers in the whole of it."""

    name: str
    rows: Rows
    """The images where they lie, n of them."""
    labels: Ints | None
    """int64 of shape (n,)."""
    ids: Ints
    """int64 of shape (n,)."""
    factors: Mapping[str, Array]
    """Each of shape (n,)."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def images(self) -> Bytes:
        """uint8 of shape (n, C, H, W); gathered, where they do not adjoin, when first asked for."""
        return _read_only(self.rows[:])


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images in bytes with what is known about them; every array is handed out read-only.

    Raises ExplorerError when the parts do not fit together.
    """

    name: str
    images: Bytes
    """uint8 of shape (N, C, H, W); a model sees images / 255."""
    labels: Ints | None = None
    """int64 of shape (N,), indices into class_names; None where nothing is labelled."""
    class_names: tuple[str, ...] = ()
    factors: Mapping[str, Array] = field(default_factory=dict)
    """Known generative factors by name, each of shape (N,)."""
    splits: Mapping[str, Ints] = field(default_factory=dict)
    """Row numbers of 'train', 'validation' and 'test'; 'all' is always added."""
    names: tuple[str, ...] | None = field(default=None, repr=False)
    """What each image was called where it came from, such as its file's path; N of them."""
    report: Report | None = field(default=None, repr=False)
    """Of images that were read from somebody's files: what came in, by which rules."""
    known_digest: str | None = field(default=None, repr=False)
    """The digest of the pixels, where whoever stored them has computed it already."""

    def __post_init__(self) -> None:
        images = np.asarray(self.images)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise ExplorerError(
                f"The images of '{self.name}' must be uint8 of shape (N, C, H, W), "
                f"not {images.dtype} of shape {images.shape}."
            )
        if not images.size:
            raise ExplorerError(f"The data set '{self.name}' holds no pixels: {images.shape}.")
        count = len(images)
        labels = self.labels
        if labels is not None:
            labels = _rows(labels, count, f"labels of '{self.name}'").astype(np.int64, copy=False)
            if labels.min() < 0 or (self.class_names and labels.max() >= len(self.class_names)):
                raise ExplorerError(
                    f"The labels of '{self.name}' lie in {labels.min()}..{labels.max()}, "
                    f"outside its {len(self.class_names)} class names."
                )
        if self.names is not None and len(self.names) != count:
            raise ExplorerError(
                f"The names of '{self.name}' must be one per image: {len(self.names)} for {count}."
            )
        factors = {
            key: _read_only(_rows(value, count, f"factor '{key}' of '{self.name}'"))
            for key, value in self.factors.items()
        }
        splits = {"all": np.arange(count, dtype=np.int64)}
        for key, value in self.splits.items():
            rows = np.asarray(value, dtype=np.int64)
            if key not in SPLITS:
                raise ExplorerError(f"A split is one of {', '.join(SPLITS)}, not '{key}'.")
            if rows.ndim != 1 or (rows.size and (rows.min() < 0 or rows.max() >= count)):
                raise ExplorerError(
                    f"The split '{key}' of '{self.name}' points outside its {count} images."
                )
            splits[key] = rows
        put = object.__setattr__
        put(self, "images", _read_only(images))
        put(self, "labels", None if labels is None else _read_only(labels))
        put(self, "factors", MappingProxyType(factors))
        put(self, "splits", MappingProxyType({k: _read_only(v) for k, v in splits.items()}))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of one image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @property
    def ids(self) -> Ints:
        """The row numbers 0..N−1, by which splits, codes and pages know the images."""
        return self.splits["all"]

    @cached_property
    def pixel_digest(self) -> str:
        """The digest of the pixels alone, in order (see `digest_pixels`)."""
        if self.known_digest:
            return self.known_digest
        found = digest_pixels(self.images)
        let_go(self.images)
        return found

    @cached_property
    def fingerprint(self) -> str:
        """A stable hexadecimal name (32 digits) of the pixels, labels and splits."""
        digest = hashlib.sha256()
        parts: dict[str, Array] = {"images": self.images}
        if self.labels is not None:
            parts["labels"] = self.labels
        parts |= {f"split {name}": self.splits[name] for name in sorted(self.splits)}
        for key, array in parts.items():
            digest.update(f"{key} {array.shape}".encode())
            # Little-endian on every machine, so that a fingerprint travels with a run.
            digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
        let_go(self.images)
        return digest.hexdigest()[:32]

    def split(self, name: str) -> Split:
        """Return the rows of one split ('train', 'validation', 'test' or 'all').

        Raises ExplorerError for a split that this data set does not have.
        """
        if name not in self.splits:
            raise ExplorerError(
                f"'{self.name}' has no split '{name}': choose {', '.join(sorted(self.splits))}."
            )
        ids = self.splits[name]
        rows: slice | Ints = ids
        placed = Rows(self.images, ids)
        if ids.size and np.array_equal(ids, np.arange(ids[0], ids[0] + ids.size)):
            # A slice is a view: MNIST's training images are not copied for every caller.
            rows = slice(int(ids[0]), int(ids[0]) + ids.size)
            placed = Rows(self.images[rows])
        return Split(
            name=name,
            rows=placed,
            labels=None if self.labels is None else _read_only(self.labels[rows]),
            ids=ids,
            factors=MappingProxyType(
                {key: _read_only(value[rows]) for key, value in self.factors.items()}
            ),
        )

    def held_out(self) -> Split:
        """Return the images to report on: test, else validation, else all of them."""
        names = [name for name in ("test", "validation") if len(self.splits.get(name, ()))]
        return self.split(names[0] if names else "all")

    @classmethod
    def from_arrays(
        cls,
        images: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        name: str = "own",
        seed: int = 0,
    ) -> "ImageDataset":
        """Make a data set of one's own arrays, split 80/10/10 by the seed and stratified by label.

        Images: uint8, or floats in [0, 1], of shape (N, H, W) or (N, C, H, W) with N at least 3.
        Labels: integers or strings of shape (N,); their sorted distinct values name the classes.
        Raises ExplorerError in one sentence for anything else.
        """
        pixels = _as_bytes(np.asarray(images), name)
        if len(pixels) < 3:
            raise ExplorerError(
                f"'{name}' needs at least three images, one for each split, not {len(pixels)}."
            )
        if labels is None:
            return cls(name, pixels, splits=split_rows(np.zeros(len(pixels), np.int64), seed))
        values = _rows(labels, len(pixels), f"labels of '{name}'")
        if values.dtype.kind not in "biuUS":
            raise ExplorerError(f"The labels of '{name}' must be integers or strings.")
        classes, indices = np.unique(values, return_inverse=True)
        return cls(
            name,
            pixels,
            indices.astype(np.int64),
            tuple(str(value) for value in classes.tolist()),
            splits=split_rows(indices.astype(np.int64), seed),
        )


def digest_pixels(images: Bytes) -> str:
    """Return the SHA-256 of images (N, C, H, W), 64 hexadecimal digits: of shape, then bytes.

    It is the same for equal pixels in the same order, whatever their labels, splits and file; a
    map of a file is read through once, without a copy.
    """
    step = max(1, DIGEST_BYTES // max(1, images[:1].size))
    starts = range(0, len(images), step)
    parts = (np.ascontiguousarray(images[start : start + step]).data for start in starts)
    return digest_parts(images.shape, parts)


def digest_parts(shape: tuple[int, ...], parts: Iterable[bytes | memoryview]) -> str:
    """Return what `digest_pixels` does for images whose bytes come in parts, one after another."""
    digest = hashlib.sha256(str(tuple(int(length) for length in shape)).encode())
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def split_rows(
    strata: Ints, seed: int, validation: int | None = None, test: int | None = None
) -> dict[str, Ints]:
    """Split the rows 0..N−1 at random into 'train', 'validation' and 'test', stratified.

    `strata` has shape (N,); every stratum is shared out in proportion, to about one row. The two
    sizes default to a tenth of N each, at least one.
    """
    count = len(strata)
    validation = max(1, count // 10) if validation is None else validation
    test = max(1, count // 10) if test is None else test
    rng = np.random.default_rng(seed)
    # Spreading each stratum evenly over [0, 1) makes every stretch of the order a fair sample.
    place = np.empty(count)
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    order = np.argsort(place, kind="stable").astype(np.int64)
    return {
        "train": np.sort(order[test + validation :]),
        "validation": np.sort(order[test : test + validation]),
        "test": np.sort(order[:test]),
    }


def choose_examples(labels: Ints | None, count: int, most: int) -> Ints:
    """Return at most `most` of the rows 0..count−1, one of each class before a second of any.

    `labels` (count,) are in any order, such as class after class; without them, and of more classes
    than there is room for, the rows or classes are evenly spread.
    """
    if labels is None:
        return np.linspace(0, count - 1, min(most, count)).astype(np.int64)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if len(classes) > most:
        classes = [classes[at] for at in np.linspace(0, len(classes) - 1, most).astype(np.int64)]
    turns = [rows[turn] for turn in range(most) for rows in classes if turn < len(rows)]
    return np.array(turns[:most], np.int64)


def choose_probe(split: Split, most: int = PROBE_IMAGES) -> Ints:
    """Return the rows of a held-out split whose codes a film shows: fixed ones, evenly spread."""
    return np.linspace(0, len(split) - 1, min(most, len(split))).astype(np.int64)


def _as_bytes(images: Array, name: str) -> Bytes:
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or not images.size:
        raise ExplorerError(
            f"The images of '{name}' must have the shape (N, H, W) or (N, C, H, W) and some "
            f"pixels, not {images.shape}."
        )
    if images.dtype == np.uint8:
        return images.astype(np.uint8)
    if images.dtype.kind != "f":
        raise ExplorerError(
            f"The images of '{name}' must be uint8 or floats in [0, 1], not {images.dtype}."
        )
    floats = images.astype(np.float64)
    if not np.isfinite(floats).all():
        raise ExplorerError(f"The images of '{name}' hold NaN or infinite pixels.")
    if floats.min() < 0 or floats.max() > 1:
        raise ExplorerError(
            f"The float images of '{name}' must lie in [0, 1], "
            f"not in [{floats.min():g}, {floats.max():g}]."
        )
    return np.rint(floats * 255).astype(np.uint8)


def _rows(values: npt.ArrayLike, count: int, what: str) -> Array:
    array = np.asarray(values)
    if array.shape != (count,):
        raise ExplorerError(
            f"The {what} must have the shape ({count},), one per image, not {array.shape}."
        )
    return array


def _read_only(array: npt.NDArray[T]) -> npt.NDArray[T]:
    # A view, so that the flag of the caller's own array stays as it was.
    view = array.view()
    view.flags.writeable = False
    return view
