"""One array: what its header says is believed where the file holds as much, and read in blocks."""

import io

import numpy as np
import pytest

from explorer.archives.npy import read_header, read_rows, read_whole
from explorer.errors import ExplorerError


def saved(array):
    """Return a stream that stands at the array's values, and its header."""
    stream = io.BytesIO()
    np.save(stream, array)
    size = stream.tell()
    stream.seek(0)
    return stream, read_header(stream, size, "It")


def forged(shape, kind, content):
    stream = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    stream.write(content)
    size = stream.tell()
    stream.seek(0)
    return read_header(stream, size, "It")


@pytest.mark.parametrize("block_bytes", [1, 24, 100, 10_000])
def test_rows_follow_each_other_and_make_the_array(block_bytes):
    array = np.arange(60.0).reshape(20, 3)
    stream, header = saved(array)
    parts = list(read_rows(stream, header, block_bytes))
    assert [row for row, _ in parts] == np.cumsum([0, *(len(rows) for _, rows in parts)])[
        :-1
    ].tolist()
    assert np.array_equal(np.concatenate([rows for _, rows in parts]), array)
    assert max(rows.nbytes for _, rows in parts) <= max(block_bytes, 24)


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(6).reshape(2, 3)), np.float64(3), np.zeros((0, 4))]
)
def test_other_orders_single_numbers_and_empty_arrays_come_at_once(array):
    stream, header = saved(array)
    ((row, rows),) = read_rows(stream, header, 8)
    assert row == 0 and rows.shape == array.shape and np.array_equal(rows, array)


def test_objects_are_never_unpacked():
    stream, header = saved(np.array([{"a": 1}], object))
    assert header.is_object and read_whole(stream, header).size == 0


@pytest.mark.parametrize(
    ("shape", "kind", "content"),
    [
        ((3,), "<f8", bytes(23)),
        ((3,), "<f8", bytes(25)),
        ((10**12,), "<f8", b""),
        ((9,), "<U0", b""),
    ],
)
def test_a_promise_that_is_not_kept_is_told(shape, kind, content):
    with pytest.raises(ExplorerError, match="^It promises .* and holds .*, or made to do harm"):
        forged(shape, kind, content)
