"""What one visitor may have, and all of them together; from a TOML file and from options."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, shorten
from explorer.files import read_limited

LARGEST_FILE = 100_000
LARGEST = 1e12


@dataclass(frozen=True)
class Limits:
    """The limits of a server; each is a number above 0."""

    runs: float = 20
    """Runs that a visitor keeps."""
    megabytes: float = 300
    """Disk that a visitor's runs and images take."""
    waiting: float = 2
    """Jobs of a visitor that wait or train."""
    seconds: float = 120
    """The longest training."""
    parameters: float = 2_000_000
    """Of the largest network."""
    upload_megabytes: float = 50
    """Of the largest file that is handed over."""
    days: float = 1
    """Without a visit, after which what a visitor has is removed."""
    visitors: float = 100
    """In all."""
    all_megabytes: float = 20_000
    """Disk that all visitors take together."""
    all_waiting: float = 60
    """Jobs of all visitors that wait."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ExplorerError(f"The limit {field.name} must be a number.")
            if not (math.isfinite(value) and 0 < value <= LARGEST):
                raise ExplorerError(f"The limit {field.name} must be above 0; it is {value:g}.")


NAMES = tuple(field.name for field in fields(Limits))


def read_limits(path: Path | None = None, options: Sequence[str] = ()) -> Limits:
    """Return the limits of a TOML file, its table [limits], and of options "NAME=VALUE" over it.

    Raises ExplorerError for a file that cannot be read, and for what is no limit.

    >>> read_limits(options=["seconds=60"]).seconds
    60.0
    """
    values = {} if path is None else _read_table(path)
    for option in options:
        name, _, value = option.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            raise ExplorerError(
                f"A limit is written NAME=NUMBER, not {shorten(option, 60)!r}."
            ) from None
    for name in values:
        if name not in NAMES:
            raise ExplorerError(
                f"There is no limit {shorten(name, 40)!r}; there are: {', '.join(NAMES)}."
            )
    return Limits(**values)


def _read_table(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(read_limited(path, LARGEST_FILE).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExplorerError(f"The limits in {path} cannot be read: {error}.") from error
    table = document.get("limits")
    if not isinstance(table, Mapping) or set(document) != {"limits"}:
        raise ExplorerError(f"{path} must have one table, [limits].")
    return dict(table)
