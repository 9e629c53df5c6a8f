"""What the server keeps of what it has computed: bounded by bytes, be it few large or many small.

A value is computed once, however many visitors ask for it at a time, and the values that were asked
for longest ago go first. It is no cache of Streamlit's, which any visitor's message may clear.
"""

import inspect
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from functools import wraps
from threading import Lock, RLock
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from explorer.app.collector import return_freed_memory
from explorer.datasets.mapped import find_map

P = ParamSpec("P")
T = TypeVar("T")

MOST_BYTES, MOST_AT_WORK = 44_000_000, 64_000_000
"""Of all values together, on a server that should stay below 600 MB."""
HEAVY_SECONDS = 0.1
"""What takes longer to compute has used and freed much memory on the way."""
SMALLEST_BYTES = 500
"""What any entry is taken to cost."""


class Bounded:
    """Values by key, at most `most_bytes` of them together; one that is larger stays alone.

    What several of them share counts once.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, dict[int, int]]] = OrderedDict()
        """Each value with the bytes of its parts."""
        self._parts: dict[int, tuple[int, int]] = {}
        """Bytes of each part, and how many values hold it."""
        self._bytes = 0
        self._building: dict[Hashable, tuple[Any, int]] = {}
        """By key: the lock of those who wait for a value, and how many they are."""
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """What all values come to."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, key: Hashable) -> Any:
        """Return the value of a key, None where there is none."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def get(self, key: Hashable, build: Callable[[], T]) -> T:
        """Return the value of a key, built by the first who asks; the others wait for it.

        What `build` raises is raised, and nothing is kept: the next who waits tries anew.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
            turn, waiting = self._building.get(key, (RLock(), 0))
            self._building[key] = turn, waiting + 1
        try:
            with turn:
                with self._lock:
                    if key in self._kept:
                        found = self._kept[key][0]
                        return found
                began = time.thread_time()
                value = build()
                self.put(key, value)
                if time.thread_time() - began > HEAVY_SECONDS:
                    return_freed_memory()
                return value
        finally:
            with self._lock:
                turn, waiting = self._building.pop(key)
                if waiting > 1:
                    self._building[key] = turn, waiting - 1

    def put(self, key: Hashable, value: object) -> None:
        """Keep a value, in the place of an older one of its key."""
        parts = list_parts(value)
        with self._lock:
            if key in self._kept:
                self._release(*self._kept.pop(key))
            self._kept[key] = value, parts
            self._bytes += SMALLEST_BYTES
            for part, size in parts.items():
                known, holders = self._parts.get(part, (size, 0))
                self._bytes += 0 if holders else size
                self._parts[part] = known, holders + 1
            while self._bytes > self.most_bytes and len(self._kept) > 1:
                self._release(*self._kept.popitem(last=False)[1])

    def _release(self, _value: object, parts: Collection[int]) -> None:
        """Count a value no longer; it is handed over so that its parts' numbers stay theirs."""
        self._bytes -= SMALLEST_BYTES
        for part in parts:
            size, holders = self._parts.pop(part)
            if holders > 1:
                self._parts[part] = size, holders - 1
            else:
                self._bytes -= size

    def drop_all(self) -> None:
        """Let everything go."""
        with self._lock:
            self._kept.clear()
            self._parts.clear()
            self._bytes = 0


KEPT = Bounded()
"""The values of this process."""
AT_WORK = Bounded(MOST_AT_WORK)
"""Large tables that somebody works from right now: one of them must not push all answers out."""


def keep(function: Callable[P, T]) -> Callable[P, T]:
    """Have what a function returns kept in KEPT by its arguments; not to be changed by anyone.

    Arguments whose name begins with an underscore are no part of the key.
    """
    names = list(inspect.signature(function).parameters)
    shown = [place for place, name in enumerate(names) if not name.startswith("_")]
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def find(*values: P.args, **named: P.kwargs) -> T:
        assert not named, "Arguments are handed over by their places."
        key = (name, *(values[place] for place in shown))
        return KEPT.get(key, lambda: function(*values, **named))

    return find


def count_bytes(value: object) -> int:
    """Return about how much memory a value holds: arrays, tensors and bytes in whatever holds them.

    What is found twice in it counts once, and what lies in a mapped file not at all.
    """
    return sum(list_parts(value).values())


def list_parts(value: object) -> dict[int, int]:
    """Return the bytes of each piece of memory in a value, by a number that is the piece's own."""
    found, seen, left = dict[int, int](), set[int](), [value]
    while left:
        part = left.pop()
        if id(part) in seen or isinstance(part, type | ModuleType):
            continue
        seen.add(id(part))
        if isinstance(part, np.ndarray):
            if find_map(part) is None:  # Else the system lets it go where memory is short.
                base = part if part.base is None else part.base
                found[id(base)] = getattr(base, "nbytes", part.nbytes)
        elif isinstance(part, bytes | bytearray | str):
            found[id(part)] = sys.getsizeof(part)
        elif isinstance(part, Mapping):
            left += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            left += part
        elif (storage := _find_storage(part)) is not None:
            found[storage.data_ptr()] = storage.nbytes()
        else:
            left += vars(part).values() if hasattr(part, "__dict__") else ()
    return found


def _find_storage(part: Any) -> Any:
    """Return the memory behind a tensor, None for anything else."""
    torch = sys.modules.get("torch")
    return part.untyped_storage() if torch and isinstance(part, torch.Tensor) else None
