"""Folders and zip archives of pictures: what is there, and what its paths and tables say of it."""

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from explorer.archives import zips
from explorer.archives.refused import Refused
from explorer.datasets.own import pictures, tables
from explorer.datasets.own.source import Block, Source, Target
from explorer.datasets.own.splits import split_word
from explorer.datasets.report import LeftOuts
from explorer.datasets.rows import Ints
from explorer.errors import ExplorerError
from explorer.files import shown_name

PLAIN_FOLDERS = {"images", "imgs", "img"}
"""Folders that name no class."""
OF_THE_SYSTEM = {"__macosx", "thumbs.db", "desktop.ini"}

Read = Callable[[str], bytes]


@contextmanager
def open_zip(archive: zipfile.ZipFile) -> Iterator[Source]:
    """Yield the pictures of an archive from `zips.open_zip`, which is never unpacked."""
    left_out = LeftOuts()
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if zips.is_folder(member) or _is_of_the_system(zips.member_name(member)):
            continue
        try:
            place = str(zips.member_path(member))
            if _is_wanted(place, left_out):
                zips.check_member(member)
                if place in members:
                    raise Refused("twice")
                members[place] = member
        except Refused as refused:
            left_out.add(zips.member_name(member), refused.reason, refused.detail)
    yield _make_source(
        "zip", members, lambda place: zips.read_member(archive, members[place]), left_out
    )


@contextmanager
def open_folder(path: Path, check: Callable[[], None]) -> Iterator[Source]:
    """Yield the pictures of a folder and of those in it; `check` is called now and then."""
    root = Path(os.path.realpath(path))
    left_out = LeftOuts()
    places = [place for place in _walk(root, left_out, check) if _is_wanted(place, left_out)]
    yield _make_source("folder", places, lambda place: _read_file(root, place), left_out)


def _walk(root: Path, left_out: LeftOuts, check: Callable[[], None]) -> Iterator[str]:
    """Yield the paths of all files, from the root, with "/" between their parts."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        check()
        try:
            with os.scandir(root / folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not folder:
                raise ExplorerError(f"{root} cannot be read: {error.strerror}.") from error
            left_out.add(folder, "closed")
            continue
        for entry in found:
            place = f"{folder}/{entry.name}" if folder else entry.name
            if _is_of_the_system(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(place)
            elif entry.is_symlink() and (
                entry.is_dir() or root not in Path(os.path.realpath(entry.path)).parents
            ):
                left_out.add(place, "link")
            else:
                yield place


def _read_file(root: Path, place: str) -> bytes:
    try:
        status = os.stat(root / place)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("special")  # A pipe would be waited for without end.
        if status.st_size > zips.LARGEST_FILE:
            raise Refused("bytes", f"{status.st_size / 1e6:,.0f}")
        return (root / place).read_bytes()
    except OSError as error:
        raise Refused("closed") from error


def _is_of_the_system(place: str) -> bool:
    """Tell hidden files and what operating systems leave behind; they are passed over silently."""
    parts = [part for part in place.split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part.lower() in OF_THE_SYSTEM for part in parts)


def _is_wanted(place: str, left_out: LeftOuts) -> bool:
    suffix = PurePosixPath(place).suffix.lower()
    if suffix in pictures.SUFFIXES or suffix in tables.SUFFIXES:
        return True
    left_out.add(place, "archive" if suffix in zips.ARCHIVES else "name")
    return False


def _make_source(kind: str, places: Iterable[str], read: Read, left_out: LeftOuts) -> Source:
    paths = sorted(place for place in places if _suffix(place) in pictures.SUFFIXES)
    found = []
    for place in sorted(place for place in places if _suffix(place) in tables.SUFFIXES):
        try:
            found.append(tables.read_table(read(place), place))
        except Refused as refused:
            left_out.add(place, refused.reason, refused.detail)
    columns, notes = tables.join_tables(found, paths, left_out)
    told = tables.read_meaning(columns, left_out)
    labels, splits = sort_paths(paths)
    if told.labels is None and len(set(labels)) > tables.MOST_CLASSES:
        notes.append(f"{len(set(labels)):,} folders are too many to be classes.")
        labels = [None] * len(paths)

    def blocks(rows: Ints, target: Target) -> Iterator[Block]:
        for row in rows.tolist():
            try:
                picture = pictures.decode_picture(read(paths[row]), target())
            except Refused as refused:
                yield Block(row, refused=refused)
            else:
                yield Block(
                    row, picture.pixels[None], picture.size, picture.turned, picture.animated
                )

    by_folder = "folders" if any(labels) else ""
    return Source(
        kind=kind,
        names=[shown_name(path) for path in paths],
        blocks=blocks,
        sequential=False,
        labels=told.labels or (labels if by_folder else None),
        labels_from=f"column {told.labels_from}" if told.labels else by_folder,
        splits=told.splits or splits,
        factors=told.factors,
        left_out=left_out,
        notes=tuple(notes),
    )


def _suffix(place: str) -> str:
    return PurePosixPath(place).suffix.lower()


def sort_paths(paths: Sequence[str]) -> tuple[list[str | None], list[str | None]]:
    """Return the label and the split that the folders of each path stand for, None without one.

    The split is the first level of folders that are all called train, val, test or the like; the
    label is the first of the other folders that differs.

    >>> sort_paths(["a/train/cat/1.png", "a/train/dog/2.png", "a/test/cat/1.png"])
    (['cat', 'dog', 'cat'], ['train', 'train', 'test'])
    """
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    level = _split_level(Counter(folders))
    splits = [
        split_word(parts[level]) if level is not None and len(parts) > level else None
        for parts in folders
    ]
    kept = [
        [part for at, part in enumerate(parts) if at != level and part.lower() not in PLAIN_FOLDERS]
        for parts in folders
    ]
    while all(kept) and len({parts[0] for parts in kept}) == 1:
        kept = [parts[1:] for parts in kept]
    return [shown_name(parts[0]) if parts else None for parts in kept], splits


def _split_level(folders: Counter[tuple[str, ...]]) -> int | None:
    """Return the depth at which every folder is a split, of at least half of all pictures."""
    for level in range(max((len(parts) for parts in folders), default=0)):
        deep = {parts: count for parts, count in folders.items() if len(parts) > level}
        if 2 * sum(deep.values()) >= folders.total() and all(
            split_word(parts[level]) for parts in deep
        ):
            return level
    return None
