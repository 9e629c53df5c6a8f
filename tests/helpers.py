"""What a test knows to be there, or to be of a kind: claimed aloud, and known to mypy after."""

import json
from typing import TypeVar

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
