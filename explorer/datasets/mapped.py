"""Arrays that lie in a file: what of them is in memory the system can read again."""

import mmap
from typing import Any


def find_map(array: Any) -> mmap.mmap | None:
    """Return the map of the file that an array is a view of, None for one in memory."""
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array


def let_go(array: Any) -> None:
    """Have a process no longer hold what it has read of a mapped array; it stays in the file.

    The next look finds it there again, as a rule without the disk. Windows does so by itself.
    """
    found = find_map(array)
    if found is not None and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)
