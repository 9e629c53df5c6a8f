"""Collections are short beside what lasts, and what has died is freed in the end."""

import gc
import weakref

import pytest

from explorer.app.collector import Collector


class Node:
    """One that can be part of a circle."""

    other: "Node"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def make_circle():
    first, second = Node(), Node()
    first.other, second.other = second, first
    return first


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def collector(clock):
    """One to which every full collection is long, alone with what this test makes."""
    gc.collect()
    gc.freeze()
    collector = Collector(0.0, 60.0, clock)
    gc.callbacks.append(collector)
    yield collector
    gc.callbacks.remove(collector)
    gc.unfreeze()


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
