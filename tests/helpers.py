"""What a test knows to be there, or to be of a kind: claimed aloud, and known to mypy after."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """Return a value that must not be missing here."""
    assert value is not None
    return value


def of_kind(kind: type[T], value: object) -> T:
    """Return a value that must be of this class here, such as a layer of a network."""
    assert isinstance(value, kind), f"{type(value).__name__} is no {kind.__name__}"
    return value
