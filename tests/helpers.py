"""What a test knows to be there, or to be of a kind: claimed aloud, and known to mypy after."""

import errno
import json
import os
from typing import Any, TypeVar
from xml.etree import ElementTree

from explorer.runs.writer import RunWriter

T = TypeVar("T")


def present(value: T | None) -> T:
    """Return a value that must not be missing here."""
    assert value is not None
    return value


def of_kind(kind: type[T], value: object) -> T:
    """Return a value that must be of this class here, such as a layer of a network."""
    assert isinstance(value, kind), f"{type(value).__name__} is no {kind.__name__}"
    return value


def begin_run(path, latent_dim=2, **settings):
    """Return the writer of a run of somebody's own loop that has its folder and is queued."""
    writer = RunWriter(path, latent_dim=latent_dim, **settings)
    writer.set_state("queued")
    return writer


def read_json(capsys):
    """Return the JSON object with which a command's output ends."""
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def list_tables(app: Any) -> list[list[dict[str, str]]]:
    """Return the tables that `show_rows` has put on a page, each as rows of words by column."""
    bodies = [element.proto.body for element in app.get("html")]
    marked = [body for body in bodies if body.startswith('<div class="explorer-rows">')]
    return [read_table(body) for body in marked]


def read_table(body: str) -> list[dict[str, str]]:
    """Return the rows of a table of `write_table`, as words by column."""
    head, *rows = ElementTree.fromstring(body).iter("tr")
    names = ["".join(cell.itertext()) for cell in head]
    return [
        dict(zip(names, ("".join(cell.itertext()) for cell in row), strict=True)) for row in rows
    ]


def full_disk(*arguments, **options):
    """Stand in for what writes, on a disk that is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
