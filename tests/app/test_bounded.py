"""What a server keeps is bounded by bytes, is computed once, and goes in the order of its use."""

import threading
import tracemalloc

import numpy as np
import pytest
import torch

from explorer.app import bounded
from explorer.app.bounded import SMALLEST_BYTES, Bounded, count_bytes, keep
from explorer.datasets import ImageDataset

KILO = 1000


def array(kilobytes):
    return np.zeros(kilobytes * KILO, np.uint8)


def test_the_longest_unused_go_first():
    kept = Bounded(12 * KILO)
    for name in "abc":
        kept.put(name, array(3))
    kept.get("a", pytest.fail)
    kept.put("d", array(3))
    assert kept.peek("b") is None
    assert all(kept.peek(name) is not None for name in "acd")


def test_many_small_ones_stay_where_few_large_ones_do():
    kept = Bounded(20 * KILO)
    for number in range(100):
        kept.put(number, array(5))
        assert kept.bytes <= 20 * KILO
    assert len(kept) == 3
    for number in range(100):
        kept.put(-1 - number, b"x")
    assert len(kept) > 20


def test_what_is_larger_than_all_room_is_kept_alone():
    kept = Bounded(KILO)
    kept.put("small", b"")
    kept.put("large", array(50))
    assert len(kept) == 1 and kept.peek("large") is not None
    kept.put("small", b"")
    assert kept.peek("large") is None and kept.bytes < KILO


def test_what_is_shared_counts_once_and_as_long_as_it_is_held():
    kept, shared = Bounded(20 * KILO), array(8)
    for name in "abcd":
        kept.put(name, (shared, array(1)))
    assert kept.bytes == (8 + 4) * KILO + 4 * SMALLEST_BYTES
    kept.put("large", array(9))
    own = (len(kept) - 1) * (KILO + SMALLEST_BYTES)
    assert kept.bytes == 9 * KILO + SMALLEST_BYTES + 8 * KILO + own <= 20 * KILO
    kept.put("larger", array(20))
    assert kept.bytes == 20 * KILO + SMALLEST_BYTES and len(kept._parts) == 1


def test_a_value_that_is_replaced_counts_once():
    kept = Bounded()
    for _ in range(3):
        kept.put("a", array(4))
    assert kept.bytes == 4 * KILO + SMALLEST_BYTES
    kept.drop_all()
    assert (kept.bytes, len(kept)) == (0, 0)


def test_however_many_ask_one_computes():
    kept, begun, go_on, counted = Bounded(), threading.Event(), threading.Event(), []

    def build():
        counted.append(1)
        begun.set()
        go_on.wait(10)
        return "found"

    answers = []
    ask = lambda: answers.append(kept.get("key", build))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    assert kept.get("another", lambda: "at once") == "at once"
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert answers == ["found"] * 8 and counted == [1]
    assert kept._building == {}


def test_what_failed_is_tried_anew():
    kept = Bounded()
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 / 0)
    assert kept.get("key", lambda: 1) == 1
    assert kept._building == {}


def test_nothing_is_an_answer_too():
    kept = Bounded()
    assert kept.get("key", lambda: None) is None
    assert kept.get("key", pytest.fail) is None


def test_arguments_with_an_underscore_are_no_part_of_the_key(monkeypatch):
    monkeypatch.setattr(bounded, "KEPT", Bounded())

    @keep
    def double(fingerprint, _run):
        return 2 * _run

    assert [double("a", 1), double("a", 5), double("b", 5)] == [2, 2, 10]


def test_bytes_are_those_of_arrays_wherever_they_are_held():
    class Holder:
        def __init__(self, part):
            self.part = part

    million = np.zeros((1000, 1000), np.uint8)
    for value in (million, [million, million], {"a": (million,)}, Holder(Holder(million))):
        assert count_bytes(value) == pytest.approx(1e6, rel=0.01)
    assert count_bytes([million, million[:10], million.T]) == pytest.approx(1e6, rel=0.01)
    assert count_bytes(bytes(10**6)) == pytest.approx(1e6, rel=0.01)


def test_what_lies_in_a_mapped_file_does_not_count(tmp_path):
    np.save(tmp_path / "images.npy", np.ones((10, 1, 100, 100), np.uint8))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    images = ImageDataset("mapped", mapped).images
    assert count_bytes([mapped, images, images[:5], np.asarray(mapped).reshape(-1)]) == 0
    assert count_bytes(images + 1) == 10**5


def test_bytes_of_a_network_are_those_of_its_weights():
    layer = torch.nn.Linear(100, 200)
    assert count_bytes(layer) == pytest.approx(4 * 20_200, rel=0.2)
    assert count_bytes([layer, layer.weight[:5], layer.weight.data]) == pytest.approx(
        count_bytes(layer), rel=0.02
    )


def test_the_count_is_what_python_allocates():
    tracemalloc.start()
    held = {name: np.ones((100, 50 + i)) for i, name in enumerate("abcdefgh")}
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert count_bytes(held) == pytest.approx(used, rel=0.05)
