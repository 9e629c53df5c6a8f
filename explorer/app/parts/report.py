"""What came of somebody's files, in the visitor's language: the rules, and what was left out."""

from collections.abc import Iterator

from explorer.app.text import plain, text
from explorer.datasets import ImageDataset
from explorer.datasets.report import LeftOut, Report

NAMED = 8
"""So many files are named for each reason why some were left out."""
COUNTS = ("turned", "flattened", "first_frames", "unlabelled", "repeated")


def describe_reading(report: Report) -> Iterator[str]:
    """Yield what happened to the pictures, the most important first."""
    height, width = report.size
    yield text(
        "own.report.images",
        images=report.images,
        height=height,
        width=width,
        colour=text("own.report.colour" if report.channels == 3 else "own.report.grey"),
    )
    if report.channel_rule == "grey":
        yield text("own.report.no_colour")
    if report.scale not in ("", "0…255"):
        yield text("own.report.scale", scale=plain(report.scale))
    if report.resized:
        yield text(
            "own.report.resized",
            count=report.resized,
            how=text(f"own.report.fit.{report.fit}"),
            smallest=_name_size(report.smallest),
            largest=_name_size(report.largest),
        )
    for name in COUNTS:
        if count := getattr(report, name):
            yield text(f"own.report.{name}", count=count)
    yield text(f"own.report.splits.{report.splits}")
    if report.leaks:
        pairs = "; ".join(f"{plain(one)} = {plain(other)}" for one, other in report.leak_names[:3])
        yield text("own.report.leaks", count=report.leaks, pairs=pairs)
    yield from map(plain, report.notes)


def describe_set(dataset: ImageDataset) -> str:
    """Return the classes and the known factors of a data set in one line."""
    classes = [plain(name) for name in dataset.class_names[:NAMED]]
    if len(dataset.class_names) > NAMED:
        classes.append("…")
    factors = [plain(name) for name in dataset.factors]
    parts = [
        text("own.classes", count=len(dataset.class_names), names=", ".join(classes))
        if classes
        else text("own.no_classes")
    ]
    if factors:
        parts.append(text("own.factors", names=", ".join(factors)))
    return " ".join(parts)


def explain_left_out(report: Report) -> Iterator[str]:
    """Yield for each reason the names of what was left out for it."""
    for reason, count in report.reasons.items():
        entries = [entry for entry in report.left_out if entry.reason == reason][:NAMED]
        if entries:
            names = ", ".join(plain(entry.name) for entry in entries)
            more = count - len(entries)
            key = "own.left_out.more" if more else "own.left_out.all"
            yield text(key, names=names, more=more, why=_explain(entries[0]))


def _explain(entry: LeftOut) -> str:
    return text(f"own.reason.{entry.reason}", detail=plain(entry.detail))


def _name_size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
