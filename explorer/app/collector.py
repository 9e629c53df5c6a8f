"""Memory beside visitors: what lasts is looked through once, and what is freed goes back at once.

Streamlit collects all generations after every rerun of every visitor. With PyTorch, pandas and some
sessions in memory that is 70 ms under the interpreter's lock, half of what a page costs.
"""

import ctypes
import gc
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

LONG_SECONDS = 0.01
"""A full collection that took longer has looked through too much that lasts."""
ARENA_MAX, MMAP_THRESHOLD = -8, -3
"""Names of glibc's parameters (malloc.h)."""
MAPPED_BYTES = 1_000_000
"""From this size on an array is a mapping of its own, which goes when it is freed."""
THAW_SECONDS = 300.0
"""So seldom what was put out of sight is looked through again: sessions end, caches let go."""


class Collector:
    """Heeds full collections: after a long one all that has survived is put out of their sight.

    What is out of sight is still freed with its last reference; only circles of dead objects stay,
    until everything is looked through again.
    """

    def __init__(
        self,
        long_seconds: float = LONG_SECONDS,
        thaw_seconds: float = THAW_SECONDS,
        tell_time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.long_seconds = long_seconds
        self.thaw_seconds = thaw_seconds
        self._tell_time = tell_time
        self._thawed = tell_time()
        self._began = 0.0

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        """Take note of a collection, as an entry of `gc.callbacks`; Streamlit asks for each."""
        if info["generation"] < 2:
            return
        now = self._tell_time()
        if phase == "start":
            if now - self._thawed >= self.thaw_seconds:
                self._thawed = now
                gc.unfreeze()  # This collection sees all, is long, and settles it.
            self._began = time.thread_time()
            return
        if time.thread_time() - self._began >= self.long_seconds:
            gc.freeze()
        return_freed_memory()  # Half a millisecond; by now a page's script has let go of its own.


@cache
def _find(name: str) -> Callable[..., object] | None:
    """Return a function of glibc's allocator, None with another C library."""
    try:
        return cast("Callable[..., object]", getattr(ctypes.CDLL(None), name))
    except (AttributeError, OSError, TypeError):  # The last on Windows.
        return None


def return_freed_memory() -> None:
    """Give the system back what was freed; glibc keeps 150 MB of that after a tour of all pages."""
    trim = _find("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def keep_heaps_small() -> None:
    """Have large arrays mapped one by one, and the threads share one heap, from the first call on.

    Each visitor's page runs in a thread of its own, and glibc has a heap for every thread; arrays
    that were freed among what lasts stay in them. Together that was 110 MB after a tour of ELBO.
    """
    adjust = _find("mallopt")
    if adjust is not None:
        adjust(ARENA_MAX, 1)
        adjust(MMAP_THRESHOLD, MAPPED_BYTES)


@cache
def shorten_collections() -> None:
    """Have full collections of this process heeded, from the first call on."""
    gc.callbacks.append(Collector())
