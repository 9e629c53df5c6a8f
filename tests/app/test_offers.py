"""Payloads handed out by their fingerprint: the latest ones, and what a page will ask for."""

import pytest

from explorer.app.offers import MOST_BYTES, Offers
from explorer.export.container import pack


@pytest.fixture
def offers():
    made = Offers()
    made.is_open = True
    return made


def payload(number: int) -> bytes:
    return pack({"fingerprint": f"{number:016x}"})


def test_what_was_offered_is_found_by_its_fingerprint(offers):
    assert offers.offer(payload(7), "", "en") == "0000000000000007"
    assert offers.find("0000000000000007") == payload(7)
    assert offers.find("0000000000000008") is None


def test_nothing_is_offered_where_nobody_answers():
    offers = Offers()
    assert offers.offer(payload(1), "", "en") is None
    assert offers.find(f"{1:016x}") is None


def test_a_page_is_expected_to_ask_for_what_it_asked_for_last(offers):
    offers.offer(payload(1), "", "en")
    offers.offer(payload(2), "two", "en")
    offers.offer(payload(3), "", "zh-Hans")
    offers.offer(payload(4), "", "en")
    assert offers.expect("", "en") == f"{4:016x}"
    assert offers.expect("two", "en") == f"{2:016x}"
    assert offers.expect("two", "zh-Hans") is None


def test_the_longest_unasked_for_go_first_and_are_expected_no_more(offers):
    size = MOST_BYTES // 5 * 2
    for number, model in ((1, "one"), (2, "two"), (1, "one"), (3, "three")):
        offers.offer(payload(number) + bytes(size), model, "en")
    assert [offers.find(f"{number:016x}") is None for number in (1, 2, 3)] == [False, True, False]
    assert offers.expect("two", "en") is None


def test_what_the_cache_of_payloads_keeps_as_well_is_no_second_copy(offers):
    kept = payload(1)
    offers.offer(kept, "", "en")
    assert offers.find(f"{1:016x}") is kept
