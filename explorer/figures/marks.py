"""Names beside points, none upon another.

Points of one kind that lie in one heap share a name. A name that has no room beside its point
stands off, at the end of a line, or is left out. Places are pixels from the left and the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

NAMED = 3
HEAP = 12.0
"""Points no further from each other than this are one heap."""
LINE, LETTER = 15.0, 6.6
"""Height of a name, and about the width of one of its letters."""
OFF = 8.0
LINES = (-0.7, 0.7, 0.0, -1.7, 1.7, -2.7, 2.7, -3.7, 3.7)
"""Lines above and below the point at which a name is tried, the nearest first."""


@dataclass(frozen=True)
class Box:
    """A place that is taken, or the frame within which names must lie."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Tell whether two boxes overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        """Tell whether another one lies within."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True)
class Placed:
    """A heap's name: its first point is `index`, and the middle of the name's end lies at (x, y).

    The end is the one towards the point: at its `left`, else its right. `leads` says that a line
    goes from there to the point.
    """

    index: int
    text: str
    x: float
    y: float
    left: bool
    leads: bool

    @property
    def box(self) -> Box:
        """What the name covers."""
        wide = LETTER * len(self.text)
        start = self.x if self.left else self.x - wide
        return Box(start, self.y - LINE / 2 + 1, start + wide, self.y + LINE / 2 - 1)


def place_names(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    kinds: Sequence[str],
    frame: Box,
    taken: Sequence[Box] = (),
) -> list[Placed]:
    """Return where the names of points stand within a frame that has other things in it.

    >>> heap = place_names([(50, 50), (52, 50)], ["a", "b"], ["x", "x"], Box(0, 0, 200, 100))
    >>> [(name.text, name.leads) for name in heap]
    [('a, b', False)]
    """
    heaps: dict[int, list[str]] = {}
    for index, (point, name, kind) in enumerate(zip(points, names, kinds, strict=True)):
        home = next(
            (i for i in heaps if kinds[i] == kind and _distance(points[i], point) <= HEAP), index
        )
        heaps.setdefault(home, []).append(name)
    covered = [*taken, *(Box(x - 5, y - 5, x + 5, y + 5) for x, y in points)]
    placed: list[Placed] = []
    for index, heap in heaps.items():
        found = _find_room(index, points[index], join_names(heap), frame, covered)
        if found is not None:
            covered.append(found.box)
            placed.append(found)
    return placed


def join_names(names: Sequence[str]) -> str:
    """Return names as one; of more than three the first two with the number of the others.

    >>> join_names(["z₄", "z₇", "z₈", "z₉"])
    'z₄, z₇ +2'
    """
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: NAMED - 1])} +{len(names) - NAMED + 1}"


def _find_room(
    index: int, point: tuple[float, float], text: str, frame: Box, covered: Sequence[Box]
) -> Placed | None:
    for lines, left in product(LINES, (True, False)):
        x = point[0] + (OFF if left else -OFF)
        name = Placed(index, text, x, point[1] + lines * LINE, left, abs(lines) > 1)
        if frame.holds(name.box) and not any(name.box.meets(other) for other in covered):
            return name
    return None


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)
