"""Anyone's codes from any file: the door."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from explorer.analysis.codes_in.apart import read_h5ad_apart, read_parquet_apart
from explorer.analysis.codes_in.archive import read_npy, read_npz
from explorer.analysis.codes_in.arrays import (
    Progress,
    StoredArray,
)
from explorer.analysis.codes_in.axes import (
    parse_axes,
)
from explorer.analysis.codes_in.choosing import choose_arrays
from explorer.analysis.codes_in.layouts import Layouts
from explorer.analysis.codes_in.numbers import say_shape
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.codes_in.tables import read_csv
from explorer.archives.zips import Place
from explorer.errors import ExplorerError


def read_any_codes(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    name: str | None = None,
    *,
    axes: str | None = None,
    per: str = "channel",
    spread: str | None = None,
    names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> CodesIn:
    """Read codes from .npz, .npy, .parquet, .csv or .h5ad, known by their content.

    `axes` says which axis is which (NCHW, NKT, NTK; SNK for steps, items, latents), `per` whether
    grids are judged per channel or per position, `spread` what the second array is (one of
    `naming.SPREADS`), `names` which array is which ({"mean": "h", "logvar": "s"}). `name` is what
    errors call the file. `axes.AxesNeeded` where the axes must be said first; ExplorerError for
    whatever is no file of codes. Memory is bounded: of large files some items are kept.
    """
    place, name = _place(source, name)
    kind, arrays = open_arrays(place, name)
    chosen = choose_arrays(arrays, name, kind, names)
    reader = Layouts(name, arrays, chosen, spread, progress)
    shape = chosen.first.shape
    steps = chosen.steps if len(shape) == 3 else None
    if axes is None and steps is not None and steps.shape == shape[:1]:
        axes = "SNK"
    if len(shape) == 2 and axes in (None, "NK"):
        return reader.plain()
    if len(shape) < 2:
        raise ExplorerError(
            f"{chosen.first.name} in {name} is {say_shape(shape)}; codes are (items, dimensions)."
        )
    if axes is None:
        raise reader.ask()
    said = parse_axes(axes, len(shape), per)
    return reader.timeline() if said.is_timeline else reader.grid(said)


def open_arrays(place: Place, name: str) -> tuple[str, dict[str, StoredArray]]:
    """Return the kind of a file (npz, npy, parquet, csv, h5ad) and its arrays, not read yet."""
    try:
        head = place[:8] if isinstance(place, bytes) else _head(place)
    except OSError as error:
        raise ExplorerError(f"{name} cannot be opened: {error.strerror or error}.") from error
    if not head:
        raise ExplorerError(f"{name} is empty.")
    for magic, kind, read in (
        (b"PK", "npz", read_npz),
        (b"\x93NUMPY", "npy", read_npy),
        (b"PAR1", "parquet", read_parquet_apart),
        (b"\x89HDF", "h5ad", read_h5ad_apart),
    ):
        if head.startswith(magic):
            return kind, read(place, name)
    refused = {
        b"\x80": "is a pickle, which can run code when it is opened",
        b"\x1f\x8b": "is packed with gzip; unpack it first",
        b"BZh": "is packed with bzip2; unpack it first",
        b"\xfd7zXZ": "is packed with xz; unpack it first",
        b"%PDF": "is a PDF",
    }
    for magic, why in refused.items():
        if head.startswith(magic):
            raise ExplorerError(f"{name} {why}: save codes as .npz, with np.savez.")
    return "csv", read_csv(place, name)


def _place(
    source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None
) -> tuple[Place, str]:
    if isinstance(source, bytes):
        return source, name or "This file"
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.is_dir():
            raise ExplorerError(f"{name or path} is a folder; name a file in it.")
        return path, name or path.name
    content = source.getvalue() if isinstance(source, io.BytesIO) else source.read()
    return content, name or Path(str(getattr(source, "name", "This file"))).name


def _head(place: Path) -> bytes:
    with open(place, "rb") as stream:
        return stream.read(8)
