"""Files that are made while somebody waits: each has one made at a time, and the server a few."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2
"""Files that a server makes at a time, whoever asks."""


class Singly:
    """Lets in one caller at a time of each owner, and so many in all; the others wait."""

    def __init__(self, limit: int = AT_ONCE) -> None:
        self._places = threading.BoundedSemaphore(limit)
        # An owner's lock lasts as long as somebody holds it or waits for it.
        self._locks: weakref.WeakValueDictionary[str, threading.Lock] = (
            weakref.WeakValueDictionary()
        )
        self._finding = threading.Lock()

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        """Wait for the owner's turn, and hold it meanwhile."""
        with self._finding:
            lock = self._locks.get(owner) or threading.Lock()
            self._locks[owner] = lock
        # First the owner's own: who waits for themselves takes nobody's place.
        with lock, self._places:
            yield


DOWNLOADS = Singly()
"""Of this process: archives, exported pages, reports."""
