"""Values of a file, each of its kind or told by its full name."""

import pytest

from explorer.runs.fields import LARGEST_WHOLE, Fields, WrongField, is_number, is_text

VALUES = {"name": "β", "step": 3, "share": 0.5, "flag": True, "none": None, "far": 10**400}
FIELDS = Fields({"part": VALUES, "names": ["a", "b"], "shape": [1, 8], "kl": [0.5, 1]})


def test_what_is_right_comes_back_as_it_is():
    part = FIELDS.part("part")
    assert (part.text("name"), part.whole("step"), part.number("share")) == ("β", 3, 0.5)
    assert part.number("step") == 3 and part.is_none("none") and not part.is_none("flag")
    assert FIELDS.texts("names") == ("a", "b") and FIELDS.wholes("shape", 1, 8) == (1, 8)
    assert FIELDS.numbers("kl", 2) == [0.5, 1]
    assert list(part) == list(VALUES)


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (lambda part: part.text("missing"), "part.missing"),
        (lambda part: part.text("step"), "part.step"),
        (lambda part: part.whole("share"), "part.share"),
        (lambda part: part.whole("flag"), "part.flag"),
        (lambda part: part.whole("step", 4), "part.step"),
        (lambda part: part.number("flag"), "part.flag"),
        (lambda part: part.number("far"), "part.far"),
        (lambda part: part.number("share", 1.0), "part.share"),
        (lambda part: part.part("name"), "part.name"),
        (lambda _: FIELDS.texts("shape"), "shape"),
        (lambda _: FIELDS.texts("part"), "part"),
        (lambda _: FIELDS.wholes("names", 0, 9), "names.0"),
        (lambda _: FIELDS.wholes("shape", 0, 7), "shape.1"),
        (lambda _: FIELDS.numbers("kl", 3), "kl"),
        (lambda _: FIELDS.numbers("names", 2), "names"),
        (lambda _: list(Fields({"x" * 300: 1})), "x" * 40),
        (lambda _: Fields([1]), "everything"),
    ],
)
def test_what_is_wrong_is_told_by_its_name(look, name):
    with pytest.raises(WrongField) as caught:
        look(FIELDS.part("part"))
    assert str(caught.value) == name


@pytest.mark.parametrize(
    "value", [True, None, "1", float("nan"), float("inf"), LARGEST_WHOLE + 1, 10**400, [1]]
)
def test_what_is_no_number(value):
    assert not is_number(value)


def test_text_can_be_shown():
    assert is_text("简 ß 😀", 5) and is_text("")
    assert not is_text("\ud83d") and not is_text("xx", 1) and not is_text(None)
