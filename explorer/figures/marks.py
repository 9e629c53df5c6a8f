"""Names beside points that lie on one another: one name for all of them."""

from collections.abc import Sequence

NEAR = 0.035
"""Points nearer than this share of a figure's width and height have names that would overlap."""
NAMED = 3


def merge_marks(
    x: Sequence[float], y: Sequence[float], marks: Sequence[str], spans: tuple[float, float]
) -> list[str]:
    """Return the marks with those of a crowd joined at its first point, "" at its others.

    `spans` are the extents of the two axes. Of more than three names the first two stand, with the
    number of the others: "z₄, z₇ +6".

    >>> merge_marks([0, 0, 5], [1, 1, 1], ["a", "b", "c"], (10, 10))
    ['a, b', '', 'c']
    """
    crowds: dict[int, list[str]] = {}
    for index, mark in enumerate(marks):
        home = next(
            (
                first
                for first in crowds
                if abs(x[first] - x[index]) < NEAR * spans[0]
                and abs(y[first] - y[index]) < NEAR * spans[1]
            ),
            index,
        )
        crowds.setdefault(home, []).append(mark)
    return [_join(crowds[index]) if index in crowds else "" for index in range(len(marks))]


def _join(names: list[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: NAMED - 1])} +{len(names) - NAMED + 1}"
