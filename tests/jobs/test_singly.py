"""Files are made one at a time for each visitor, and a few at a time in all."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.jobs.singly import Singly


class Kitchen:
    """Makes things that are done when it is told, and knows who is at it."""

    def __init__(self, singly: Singly) -> None:
        self.singly = singly
        self.at_it: list[str] = []
        self.changed = threading.Condition()
        self.done = threading.Semaphore(0)

    def make(self, owner: str) -> None:
        with self.singly.turn(owner):
            with self.changed:
                self.at_it.append(owner)
                self.changed.notify_all()
            assert self.done.acquire(timeout=10)
            with self.changed:
                self.at_it.remove(owner)
                self.changed.notify_all()

    def await_(self, owners: list[str]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: sorted(self.at_it) == owners, 10), self.at_it


@pytest.fixture
def kitchen():
    return Kitchen(Singly(2))


def test_one_owners_wait_for_each_other_and_take_no_place_of_others(kitchen):
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(kitchen.make, "anna") for _ in range(3)]
        kitchen.await_(["anna"])
        made.append(pool.submit(kitchen.make, "bela"))
        kitchen.await_(["anna", "bela"])
        for _ in made:
            kitchen.done.release()
        assert [future.result(10) for future in made] == [None] * 4


def test_a_server_makes_a_few_at_a_time(kitchen):
    with ThreadPoolExecutor(3) as pool:
        first = [pool.submit(kitchen.make, owner) for owner in ("anna", "bela")]
        kitchen.await_(["anna", "bela"])
        third = pool.submit(kitchen.make, "cleo")
        with pytest.raises(TimeoutError):
            third.result(0.1)
        for _ in range(3):
            kitchen.done.release()
        assert [future.result(10) for future in (*first, third)] == [None] * 3


def test_what_fails_gives_its_place_back_and_is_not_kept_in_mind(kitchen):
    singly = kitchen.singly
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), singly.turn("anna"):
            1 / 0  # noqa: B018
    assert len(singly._locks) == 0
