"""From decoded pictures and what is known of them to a data set with its report."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.fit import fit_pictures, flatten
from explorer.datasets.own.pixels import PixelFile
from explorer.datasets.own.rules import Rules, Seen, Wish
from explorer.datasets.own.source import Block, Source
from explorer.datasets.own.splits import PARTS, complete_splits
from explorer.datasets.report import LeftOuts, Report
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError

NO_LABEL = "no label"
LISTED_LEAKS = 20


@dataclass
class Reading:
    """One way through a source: what was written, from which rows, and what was met."""

    rules: Rules | None = None
    """Those of all pictures written; None before the first."""
    pixels: PixelFile | None = None
    rows: list[int] = field(default_factory=list)
    """For each image written its row in the source."""
    left_out: LeftOuts = field(default_factory=LeftOuts)
    turned: int = 0
    flattened: int = 0
    first_frames: int = 0
    resized: int = 0
    smallest: tuple[int, int] = (0, 0)
    largest: tuple[int, int] = (0, 0)

    def append(self, block: Block, wish: Wish) -> None:
        """Make pictures to what the rules say, write them, and count what was done to them."""
        assert self.rules is not None and self.pixels is not None and block.pixels is not None
        pixels = self.rules.scales.to_bytes(block.pixels)
        count = len(pixels)
        if pixels.shape[-1] == 4:
            self.flattened += int((pixels[..., 3].reshape(count, -1).min(1) < 255).sum())
            pixels = flatten(pixels, wish.background)
        self.turned += count * block.turned
        self.first_frames += count * block.animated
        self.resized += count * (block.size != self.rules.size)
        if not self.rows or math.prod(block.size) < math.prod(self.smallest):
            self.smallest = block.size
        if not self.rows or math.prod(block.size) > math.prod(self.largest):
            self.largest = block.size
        size, channels = self.rules.size, self.rules.channels
        self.pixels.append(fit_pictures(pixels, size, channels, wish.fit, wish.background))
        self.rows.extend(range(block.first, block.first + count))


def make_dataset(
    name: str, path_name: str, source: Source, reading: Reading, seen: Seen, splits: Ints | None
) -> ImageDataset:
    """Return the images that were written as a data set, with a report of how they came about.

    `splits`, as numbers into PARTS for each row of the source, are those that the order follows.
    """
    rows = np.array(reading.rows, np.int64)
    left_out = source.left_out.plus(reading.left_out)
    left_out.listed.sort(key=lambda entry: entry.name)
    if reading.rules is None or reading.pixels is None:
        raise explain_nothing(path_name, left_out)
    given = None if source.splits is None else [source.splits[row] for row in reading.rows]
    numbers, how = complete_splits(given, source.strata()[rows])
    if splits is not None and len(np.unique(splits[rows])) == len(PARTS):
        numbers = splits[rows]
    names = tuple(source.names[row] for row in reading.rows)
    labels, class_names, unlabelled = number_labels(source, reading.rows)
    repeats = reading.pixels.repeats()
    leaks = np.flatnonzero(numbers != numbers[repeats])
    images = reading.pixels.finish()
    report = Report(
        source=path_name,
        kind=source.kind,
        images=len(rows),
        size=reading.rules.size,
        smallest=reading.smallest,
        largest=reading.largest,
        fit=seen.wish.fit,
        size_rule=reading.rules.size_rule,
        resized=reading.resized,
        channels=reading.rules.channels,
        channel_rule=reading.rules.channel_rule,
        scale=seen.extremes.describe(),
        turned=reading.turned,
        flattened=reading.flattened,
        first_frames=reading.first_frames,
        layout=source.layout,
        labels="" if labels is None else source.labels_from,
        unlabelled=unlabelled,
        splits=how,
        repeated=int((repeats != np.arange(len(rows))).sum()),
        leaks=len(leaks),
        leak_names=tuple((names[repeats[at]], names[at]) for at in leaks[:LISTED_LEAKS]),
        left_out=tuple(left_out.listed),
        reasons=dict(left_out.counts),
        notes=source.notes,
    )
    return ImageDataset(
        name=name,
        images=images,
        labels=labels,
        class_names=class_names,
        factors={key: values[rows] for key, values in source.factors.items()},
        splits={part: np.flatnonzero(numbers == at) for at, part in enumerate(PARTS)},
        names=names,
        report=report,
        known_digest=reading.pixels.digest(),
    )


def explain_nothing(path_name: str, left_out: LeftOuts) -> ExplorerError:
    """Return the error for a path without a single picture, with the first reason there is."""
    if not left_out.listed:
        return ExplorerError(f"{path_name} holds no pictures (PNG, JPEG, WebP, GIF, BMP or TIFF).")
    first, count = left_out.listed[0], left_out.counts.total()
    files = "one file was" if count == 1 else f"{count:,} files were"
    return ExplorerError(
        f"{path_name} holds no picture that can be read: {files} left out, {first.name} because "
        f"{first.text}."
    )


def number_labels(source: Source, rows: Sequence[int]) -> tuple[Ints | None, tuple[str, ...], int]:
    """Return the labels (n,) of some rows as numbers, the classes, and how many have no label.

    Those get a class of their own, the last. Without any label all is empty.
    """
    if source.labels is None:
        return None, (), 0
    labels = [source.labels[row] for row in rows]
    classes = list(source.class_names) or sort_classes({label for label in labels if label})
    unlabelled = sum(not label for label in labels)
    if unlabelled == len(labels):
        return None, (), 0
    if unlabelled:
        classes.append(NO_LABEL)
    numbers = {label: at for at, label in enumerate(classes)}
    values = np.array([numbers[label or NO_LABEL] for label in labels], np.int64)
    return values, tuple(classes), unlabelled


def sort_classes(names: set[str]) -> list[str]:
    """Return names in the order of the alphabet, and numbers in them by their value.

    >>> sort_classes({"1", "-1"}), sort_classes({"class 10", "class 9"})
    (['-1', '1'], ['class 9', 'class 10'])
    """
    if all(re.fullmatch(r"-?\d+", name) for name in names):
        return sorted(names, key=int)

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", name)
        return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts] + [
            (2, 0, name)
        ]

    return sorted(names, key=key)
