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
