"""Progress and stop for long computations, as two plain callables.

`progress(fraction)` is told how far the work is, from 0 to 1. `stop()` is asked between chunks;
when it answers True the work ends with `Stopped`, or, where the docstring says so, with what is
finished by then.
"""

from collections.abc import Callable

from explorer.errors import ExplorerError

Progress = Callable[[float], None]
Stop = Callable[[], bool]


class Stopped(ExplorerError):
    """The caller asked a long computation to stop."""


class Watch:
    """One computation's progress and stop, either of which may be None."""

    def __init__(self, progress: Progress | None = None, stop: Stop | None = None) -> None:
        self._progress = progress
        self._stop = stop

    def report(self, fraction: float) -> None:
        """Tell how far the work is, 0 to 1."""
        if self._progress is not None:
            self._progress(min(1.0, max(0.0, fraction)))

    def stopped(self) -> bool:
        """Return whether the caller asked to stop."""
        return self._stop is not None and self._stop()

    def check(self, fraction: float) -> None:
        """Report `fraction` and raise Stopped if the caller asked for it."""
        self.report(fraction)
        if self.stopped():
            raise Stopped("The computation was stopped before it was finished.")

    def part(self, start: float, end: float) -> "Watch":
        """Return a watch for a stage that runs from `start` to `end` of this one."""
        return Watch(lambda fraction: self.report(start + (end - start) * fraction), self._stop)
