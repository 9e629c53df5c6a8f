"""Whose job is next: each owner one in turn, and of one owner's the first that came."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar


class Owned(Protocol):
    """What belongs to somebody."""

    @property
    def owner(self) -> str:
        """Whose it is."""
        ...


J = TypeVar("J", bound=Owned)


def order_fairly(waiting: Sequence[J], served: Mapping[str, int]) -> list[J]:
    """Return the jobs in the order of their turns.

    `waiting` is in the order of coming; `served` says of owners how late their last job began, any
    rising number. Who was served longest ago, or never, is next. One owner's jobs keep their order,
    so that where there is one owner the first that came is the next.
    """
    last, ordered, left = dict(served), [], list(waiting)
    turn = max(last.values(), default=0)
    while left:
        job = min(left, key=lambda job: last.get(job.owner, -1))
        left.remove(job)
        ordered.append(job)
        turn += 1
        last[job.owner] = turn
    return ordered
