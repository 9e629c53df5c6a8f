"""Turns: one each, in the order of coming, whatever anybody else has waiting."""

from dataclasses import dataclass

from explorer.jobs.turns import order_fairly


@dataclass(frozen=True)
class Wish:
    owner: str
    number: int = 0


def wishes(owners):
    return [Wish(owner, number) for number, owner in enumerate(owners)]


def order(owners, **served):
    return "".join(f"{wish.owner}{wish.number}" for wish in order_fairly(wishes(owners), served))


def test_one_owner_has_the_order_of_coming():
    assert order("aaaa") == "a0a1a2a3"


def test_owners_alternate():
    assert order("aaaabb") == "a0b4a1b5a2a3"


def test_who_was_served_longest_ago_is_next():
    assert order("abc", a=3, b=1, c=2) == "b1c2a0"


def test_who_comes_for_the_first_time_goes_before_whoever_was_served():
    assert order("aab", a=1) == "b2a0a1"


def test_nothing_waits_for_more_turns_than_there_are_owners():
    turns = order_fairly(wishes("aaaaaaaabcd"), {})
    assert {wish.owner for wish in turns[:4]} == set("abcd")


def test_nothing_gives_nothing():
    assert order_fairly([], {"a": 1}) == []
