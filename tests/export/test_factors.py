"""A run's payload carries what is known of its images, in the order of its codes."""

from dataclasses import replace

import numpy as np

from explorer.export.container import unpack
from explorer.export.factors import describe_factors
from explorer.export.payload import build_payload, pick_pictures
from tests.export.test_payload import make_run


def test_factors_follow_the_ids_of_the_codes() -> None:
    drawn = pick_pictures(np.zeros((4, 1, 8, 8), np.uint8), None, np.arange(4), "test")
    known = {"place": np.arange(200.0), "side": np.array(["left", "right"] * 100)}
    header = unpack(build_payload(make_run("mlp"), replace(drawn, factors=known)))
    place, side = header["codes"]["factors"]
    assert place["values"].tolist() == list(range(100, 120))
    assert (place["low"], place["high"]) == (100, 119)
    assert side["words"] == ["left", "right"] and side["values"].tolist() == [0, 1] * 10


def test_what_tells_nothing_or_too_much_is_left_out() -> None:
    ids = np.arange(150)
    known = {
        "constant": np.ones(150),
        "class": ids % 10,
        "name": np.array([f"picture {i}" for i in ids]),
        "elsewhere": np.arange(20.0),
    }
    assert describe_factors(known, ids, ids % 10) == []
    many = {f"f{i}": np.arange(150.0) for i in range(9)}
    assert [factor["name"] for factor in describe_factors(many, ids)] == [f"f{i}" for i in range(8)]


def test_a_number_that_is_missing_does_not_spoil_the_range() -> None:
    (told,) = describe_factors({"age": np.array([3.0, np.nan, 5.0])}, np.arange(3))
    assert (told["low"], told["high"]) == (3, 5) and np.isnan(told["values"][1])


def test_a_few_whole_numbers_from_0_or_1_on_are_classes() -> None:
    ids = np.arange(60)
    known = {
        "kind": ids % 3,
        "seen": (ids % 2).astype(float),
        "room": 1 + ids % 5,
        "count": ids % 6,
        "score": 3 + ids % 3,
        "half": (ids % 3) / 2,
        "gap": 2 * (ids % 3),
        "missing": np.where(ids % 3 == 0, np.nan, ids % 2),
    }
    told = {factor["name"]: factor for factor in describe_factors(known, ids)}
    assert {name: factor["words"] for name, factor in told.items() if factor["words"]} == {
        "kind": ["0", "1", "2"],
        "seen": ["0", "1"],
        "room": ["1", "2", "3", "4", "5"],
    }
    assert told["room"]["values"].tolist() == (ids % 5).tolist()
    # What a class is does not depend on which images are shown; one class alone tells nothing.
    assert describe_factors({"kind": ids % 3}, ids[::3]) == []
    (two,) = describe_factors({"kind": ids % 3}, ids[ids % 3 > 0])
    assert two["words"] == ["1", "2"]
