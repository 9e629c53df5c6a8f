"""Who reloads without end waits; whoever turns pages as people do never does."""

import pytest

from explorer.app.pace import BURST, LONGEST_SECONDS, PER_SECOND, Pace


@pytest.fixture
def pace(clock):
    return Pace(clock)


def test_the_first_few_wait_for_nothing_and_the_next_for_a_turn_each(pace):
    waits = [pace.take_turn("anna") for _ in range(BURST + 3)]
    assert waits[:BURST] == [0.0] * BURST
    assert waits[BURST:] == pytest.approx([i / PER_SECOND for i in (1, 2, 3)])


def test_ten_reloads_a_second_come_to_two(pace, clock):
    begun = []
    for number in range(600):
        clock.now = number / 10
        if (wait := pace.take_turn("anna")) is not None:
            begun.append(clock.now + wait)
    assert begun == sorted(begun)
    late = [time for time in begun if time > 20.0]
    assert len(late) / (begun[-1] - 20.0) == pytest.approx(PER_SECOND, rel=0.1)


def test_what_would_wait_too_long_is_refused_until_it_need_not(pace, clock):
    while pace.take_turn("anna") is not None:
        assert not pace.is_refused("anna") or pace.take_turn("anna") is None
    assert pace.is_refused("anna") and not pace.is_refused("bela")
    clock.now += 1 / PER_SECOND
    assert not pace.is_refused("anna")
    wait = pace.take_turn("anna")
    assert wait is not None and wait <= LONGEST_SECONDS


def test_one_visitors_haste_is_no_others(pace):
    for _ in range(100):
        pace.take_turn("anna")
    assert pace.take_turn("bela") == 0.0


def test_a_page_every_three_seconds_never_waits(pace, clock):
    for _ in range(100):
        assert pace.take_turn("anna") == 0.0
        clock.now += 3.0


def test_who_has_rested_is_forgotten(pace, clock):
    for number in range(1000):
        pace.take_turn(str(number))
    clock.now += BURST / PER_SECOND
    pace.take_turn("anna")
    assert set(pace._due) == {"anna"}
