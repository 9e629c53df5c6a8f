"""Collections are short beside what lasts, what has died is freed in the end, and goes back."""

import gc
import subprocess
import sys
import weakref

import pytest

from explorer.app.collector import Collector


class Node:
    """One that can be part of a circle."""

    other: "Node"


def make_circle():
    first, second = Node(), Node()
    first.other, second.other = second, first
    return first


@pytest.fixture
def collector(clock):
    """One to which every full collection is long, alone with what this test makes.

    All else stays out of sight afterwards too, as `tests/conftest.py` has put it there.
    """
    gc.freeze()
    collector = Collector(0.0, 60.0, clock)
    gc.callbacks.append(collector)
    yield collector
    gc.callbacks.remove(collector)


def test_what_lasts_is_looked_through_once(collector):
    kept = [[number] for number in range(1000)]
    assert any(each is kept for each in gc.get_objects())
    gc.collect()
    assert not any(each is kept for each in gc.get_objects())


def test_younger_generations_settle_nothing(collector):
    kept = [[0]]
    gc.collect(1)
    assert any(each is kept for each in gc.get_objects())


def test_a_short_collection_settles_nothing(collector):
    collector.long_seconds = 1000.0
    kept = [[0]]
    gc.collect()
    assert any(each is kept for each in gc.get_objects())


def test_what_dies_out_of_sight_is_freed_in_the_end(collector, clock):
    circle = make_circle()
    ghost = weakref.ref(circle)
    gc.collect()
    del circle
    gc.collect()
    assert ghost() is not None, "out of sight"
    clock.now = 61.0
    gc.collect()
    assert ghost() is None


def test_it_is_looked_through_no_more_often_than_that(collector, clock):
    clock.now = 61.0
    gc.collect()
    frozen = gc.get_freeze_count()
    clock.now = 100.0
    gc.collect()
    assert gc.get_freeze_count() >= frozen > 0


def held(script, how):
    """Return the megabytes that a script says are held in the end, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script, how], capture_output=True, check=True)
    return float(done.stdout)


PINNED = """
import resource, sys
import numpy as np
from explorer.app.collector import keep_heaps_small

def megabytes():
    pages = int(open("/proc/self/statm", encoding="utf-8").read().split()[1])
    return pages * resource.getpagesize() / 1e6

if sys.argv[1] == "small":
    keep_heaps_small()
before, lasting = megabytes(), []
for turn in range(3):
    arrays = []
    for _ in range(20):
        arrays.append(np.ones(500_000))
        lasting.append(np.ones(15_000))  # What a page leaves behind stands above what it frees.
    del arrays
print(megabytes() - before - sum(array.nbytes for array in lasting) / 1e6)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_what_is_freed_among_what_lasts_goes_back_to_the_system():
    if held(PINNED, "as it is") < 40:
        pytest.skip("this C library gives it back by itself")
    assert held(PINNED, "small") < 10


FREED = """
import gc, sys
import numpy as np
from explorer.app.collector import shorten_collections

def megabytes():
    status = open("/proc/self/status", encoding="utf-8").read()
    return int(status.split("RssAnon:")[1].split()[0]) / 1000

if sys.argv[1] == "heeded":
    shorten_collections()
before = megabytes()
small = [np.ones(5_000) for _ in range(1500)]
lasting = np.ones(5_000)
del small
gc.collect()
print(megabytes() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_a_collection_gives_back_what_a_page_has_let_go_of():
    if held(FREED, "as it is") < 40:
        pytest.skip("this C library gives it back by itself")
    assert held(FREED, "heeded") < 10
