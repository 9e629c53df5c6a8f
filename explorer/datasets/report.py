"""What came in, what was left out and why, and by which rules: the report of a reading."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.archives import refused as archives
from explorer.errors import ExplorerError
from explorer.files import shown_name

LISTED = 1000
"""So many of those left out are kept by name; all are counted."""

REASONS: dict[str, str] = {
    **archives.REASONS,
    "name": "its name is not that of a picture or a table",
    "format": "it is no PNG, JPEG, WebP, GIF, BMP or TIFF picture",
    "empty": "it is empty",
    "broken": "it is broken, ends too early or is of a rare kind",
    "pixels": "it has {detail} million pixels, more than 50",
    "closed": "it cannot be opened",
    "twice": "another file has the same name",
    "archive": "it is an archive within the archive",
    "values": "its values lie in {detail}, which is no scale of pictures",
    "nan": "it holds NaN or infinite values",
    "colours": "its colours ({detail}) are of a kind that is not read",
    "objects": "it holds Python objects, which are never opened",
    "unused": "it is not an array that is used",
    "words": "it has {detail} different words, too many to colour by",
    "nested": "it holds lists or records",
    "elsewhere": "its picture lies in another file",
    "table": "it is no table with a column of file names",
}
"""Why something is left out, by a key that other languages can translate."""


class ReadingStopped(ExplorerError):
    """The reading was stopped because somebody asked for it; nothing is kept."""


@dataclass(frozen=True)
class LeftOut:
    """One file, array or column that did not come in: its name, a key of REASONS, a figure."""

    name: str
    reason: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The reason in words."""
        return REASONS[self.reason].format(detail=self.detail)


@dataclass
class LeftOuts:
    """Those left out so far: all of them counted, the first of them by name."""

    listed: list[LeftOut] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """Note that `name` is left out, for a key of REASONS."""
        self.counts[reason] += 1
        if len(self.listed) < LISTED:
            self.listed.append(LeftOut(shown_name(name), reason, detail))

    def plus(self, other: "LeftOuts") -> "LeftOuts":
        """Return both together."""
        return LeftOuts([*self.listed, *other.listed][:LISTED], self.counts + other.counts)


@dataclass(frozen=True)
class Report:
    """How a folder, an archive, a table or arrays became images.

    Sizes are (height, width) in pixels.
    """

    source: str
    """Name of the file or folder."""
    kind: str
    """folder, zip, npz, npy or parquet."""
    images: int
    size: tuple[int, int]
    smallest: tuple[int, int]
    """Of the pictures as they came: the one with the fewest pixels."""
    largest: tuple[int, int]
    fit: str
    """crop, pad or resize: how pictures of another shape were made to fit."""
    size_rule: str
    """told, own (all had this size) or mixed (they differ, or are large)."""
    resized: int
    channels: int
    channel_rule: str
    """told, grey (no picture has colour) or colour (some have)."""
    scale: str
    """The range of values that was stretched over 0 to 255; kinds of pictures by commas."""
    turned: int
    """Pictures that were turned as their EXIF data say."""
    flattened: int
    """Pictures with transparency, laid over the background."""
    first_frames: int
    """Animations and documents of several pages, of which the first picture was taken."""
    layout: str
    """Of arrays: NHW, NHWC, NCHW or flat; empty for files."""
    labels: str
    """Where the labels come from; empty where there are none."""
    unlabelled: int
    splits: str
    """given, completed (those that were missing drawn from the training images) or drawn."""
    repeated: int
    """Images equal to an earlier one, pixel by pixel."""
    leaks: int
    """Images that occur in two splits or more."""
    leak_names: tuple[tuple[str, str], ...]
    """The first of them: what they are called in one split and in another."""
    left_out: tuple[LeftOut, ...] = ()
    """The first thousand; `reasons` counts all."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What else the user should know, in sentences."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return dataclasses.asdict(dataclasses.replace(self, reasons=dict(self.reasons)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Report":
        """Return the report that `to_dict` described."""
        pairs = {name: tuple(values[name]) for name in ("size", "smallest", "largest")}
        lists: dict[str, Any] = {
            "leak_names": tuple((first, second) for first, second in values["leak_names"]),
            "left_out": tuple(LeftOut(**entry) for entry in values["left_out"]),
            "notes": tuple(values["notes"]),
        }
        return cls(**{**values, **pairs, **lists})

    def sentences(self) -> Iterator[str]:
        """Yield what happened in plain sentences, the most important first."""
        height, width = self.size
        colour = "in colour" if self.channels == 3 else "in grey"
        yield f"{self.images:,} images of {height} × {width} pixels {colour}."
        if self.channel_rule == "grey":
            yield "No picture has colour, so one channel is kept."
        if self.scale not in ("", "0…255"):
            yield f"Values in {self.scale} are stretched over 0…255."
        for what, count in (
            (f"Of another size, {FITS[self.fit]}", self.resized),
            ("Turned as the camera noted", self.turned),
            ("With transparency, laid over the background", self.flattened),
            ("Of several frames or pages, the first is kept", self.first_frames),
            ("Without a label, in a class of their own", self.unlabelled),
            ("Repeating an earlier image, pixel by pixel", self.repeated),
        ):
            if count:
                yield f"{what}: {count:,}."
        if self.leaks:
            pairs = ", ".join(f"{first} is {second}" for first, second in self.leak_names[:3])
            yield f"The same in two splits, pixel by pixel: {self.leaks:,} ({pairs})."
        yield from self.notes
        for reason, count in self.reasons.items():
            some = [entry for entry in self.left_out if entry.reason == reason][:3]
            if some:
                names = ", ".join(entry.name for entry in some)
                more = f" and {count - len(some):,} more" if count > len(some) else ""
                yield f"Left out: {names}{more}: {some[0].text}."


FITS = {
    "crop": "shrunk or enlarged to fill the frame, what stands over cut off on both sides",
    "pad": "shrunk or enlarged whole, with margins of the background",
    "resize": "stretched to this one, whatever their shape",
}
"""What is done to pictures of another size."""
