"""How often one visitor's pages may begin anew: who reloads without end waits, and nobody else."""

import time
from collections.abc import Callable

BURST = 20
"""So many pages of a visitor open at once without any wait: tabs, and a few reloads."""
PER_SECOND = 2.0
"""From then on."""
LONGEST_SECONDS = 10.0
"""A longer wait is no answer: what comes then is refused."""


class Pace:
    """Turns of one visitor at an even distance, once a first few are used up.

    The generic cell rate algorithm (ITU-T I.371): one number per visitor, which is forgotten as
    soon as it says nothing.
    """

    def __init__(self, tell_time: Callable[[], float] = time.monotonic) -> None:
        self._tell_time = tell_time
        self._due: dict[str, float] = {}
        """By visitor: when all turns that were given would be over at an even distance."""

    def take_turn(self, visitor: str) -> float | None:
        """Return how many seconds a visitor's new page has to wait, None where it is refused."""
        now = self._tell_time()
        self._due = {name: due for name, due in self._due.items() if due > now}
        due = max(now, self._due.get(visitor, now)) + 1 / PER_SECOND
        wait = due - BURST / PER_SECOND - now
        if wait > LONGEST_SECONDS:
            return None
        self._due[visitor] = due
        return max(0.0, wait)

    def is_refused(self, visitor: str) -> bool:
        """Tell whether the next page of a visitor would be refused, without counting it."""
        due = self._due.get(visitor, 0.0) + 1 / PER_SECOND
        return due - BURST / PER_SECOND - self._tell_time() > LONGEST_SECONDS
