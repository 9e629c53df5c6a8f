"""The wire format: what is written is read again, and every broken message ends in one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.models.adopted.onnx.wire import (
    BrokenMessage,
    read_fields,
    read_packed,
    read_varint,
    signed,
    single,
    text,
)
from tests.models.adopted.onnx_writer import field, varint


@given(st.integers(0, 2**64 - 1))
def test_a_varint_is_read_as_it_was_written(number):
    assert read_varint(memoryview(varint(number)), 0) == (number, len(varint(number)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_negative_numbers_come_back_by_their_sign(number):
    assert signed(read_varint(memoryview(varint(number)), 0)[0]) == number


def test_fields_come_in_their_order_with_their_bytes_uncopied():
    message = field(1, 7) + field(2, "name") + field(3, 1.5)
    found = list(read_fields(memoryview(message)))
    assert found[0] == (1, 7)
    assert (found[1][0], bytes(found[1][1])) == (2, b"name")
    assert found[2][0] == 3 and single(found[2][1]) == 1.5


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_a_broken_message(data):
    try:
        assert sum(1 for _ in read_fields(memoryview(data))) <= len(data)
    except BrokenMessage as error:
        assert "ONNX" in str(error)


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",  # a key without its value
        b"\x80" * 11,  # a number without an end
        b"\x12\x7f\x00",  # a length beyond the end
        b"\x0b",  # a group
        b"\x00\x01",  # field number 0
        b"\x0d\x00\x00",  # half a float
    ],
)
def test_what_breaks_off_is_refused(data):
    with pytest.raises(BrokenMessage):
        list(read_fields(memoryview(data)))


def test_lists_and_texts_have_a_longest():
    with pytest.raises(BrokenMessage):
        read_packed(memoryview(bytes(5)), 4)
    assert read_packed(memoryview(bytes(4)), 4) == [0, 0, 0, 0]
    with pytest.raises(BrokenMessage):
        text(memoryview(bytes(1001)))
