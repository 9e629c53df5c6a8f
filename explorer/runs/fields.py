"""Values from a JSON file that anybody may have written, looked up and checked one by one."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

LARGEST_WHOLE = 2**53
"""Beyond it whole numbers are no longer told apart in a browser."""
LONGEST_TEXT = 2000


class WrongField(Exception):
    """A value is missing, or not of the kind or size that it must be; its name tells which."""


def is_number(value: object) -> TypeGuard[float]:
    """Tell a finite number that arithmetic takes from truth values, NaN and endless digits."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= LARGEST_WHOLE
    return isinstance(value, float) and math.isfinite(value)


def is_text(value: object, longest: int = LONGEST_TEXT) -> TypeGuard[str]:
    """Tell text that can be shown: not too long, and without half of a character."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


class Fields:
    """One table of a file; each look-up returns a checked value or raises WrongField."""

    def __init__(self, values: Any, name: str = "") -> None:
        if not isinstance(values, Mapping):
            raise WrongField(name or "everything")
        self._values = values
        self._name = name

    def __iter__(self) -> Iterator[str]:
        for name in self._values:
            if not is_text(name, 200):
                raise WrongField(self.path(str(name)[:40]))
            yield name

    def path(self, name: str) -> str:
        """Return a value's full name, such as "status.step"."""
        return f"{self._name}.{name}" if self._name else name

    def any(self, name: str) -> Any:
        """Return a value of any kind that is there."""
        if name not in self._values:
            raise WrongField(self.path(name))
        return self._values[name]

    def is_none(self, name: str) -> bool:
        """Tell whether null stands there."""
        return self.any(name) is None

    def part(self, name: str) -> "Fields":
        """Return a table within this one."""
        return Fields(self.any(name), self.path(name))

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """Return text."""
        value = self.any(name)
        if not is_text(value, longest):
            raise WrongField(self.path(name))
        return value

    def texts(self, name: str, longest: int = 200) -> tuple[str, ...]:
        """Return a list of text."""
        values = self.any(name)
        if not isinstance(values, list) or not all(is_text(value, longest) for value in values):
            raise WrongField(self.path(name))
        return tuple(values)

    def whole(self, name: str, low: int = 0, high: int = LARGEST_WHOLE) -> int:
        """Return a whole number."""
        value = self.any(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise WrongField(self.path(name))
        return value

    def wholes(self, name: str, low: int, high: int) -> tuple[int, ...]:
        """Return a list of whole numbers."""
        values = self.any(name)
        if not isinstance(values, list):
            raise WrongField(self.path(name))
        table = Fields({str(index): value for index, value in enumerate(values)}, self.path(name))
        return tuple(table.whole(str(index), low, high) for index in range(len(values)))

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number."""
        value = self.any(name)
        if not is_number(value) or not low <= value <= high:
            raise WrongField(self.path(name))
        return value

    def numbers(self, name: str, count: int) -> list[float]:
        """Return a list of `count` finite numbers."""
        values = self.any(name)
        if not isinstance(values, list) or len(values) != count or not all(map(is_number, values)):
            raise WrongField(self.path(name))
        return values
