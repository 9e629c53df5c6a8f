"""What came of somebody's files, told in every language."""

import dataclasses

import pytest

from explorer.app.parts.report import describe_reading, describe_set, explain_left_out
from explorer.datasets.own.fit import FITS
from explorer.datasets.own.read import read_images
from explorer.datasets.report import LISTED, REASONS, LeftOut
from explorer.text import LANGUAGES, catalogue
from tests.datasets.own.cases import draw, encode, pack


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Twelve pictures of two sizes, one of them broken."""
    members = [
        (f"{('cat', 'dog')[i % 2]}/{i}.png", encode(draw("star", 16 + i % 3, i), "PNG"))
        for i in range(12)
    ]
    return read_images(
        pack(tmp_path_factory.mktemp("own") / "pets.zip", [*members, ("cat/_b_.png", b"no")])
    )


def test_the_rules_stand_in_plain_sentences(dataset):
    lines = list(describe_reading(dataset.report))
    assert lines[0] == "12 images of 64 × 64 pixels, in colour."
    assert "12 of another size (16 × 16 to 18 × 18) were shrunk" in lines[1]
    assert lines[-1].startswith("A tenth of the images")
    assert describe_set(dataset) == "2 classes: cat, dog."


def test_what_was_left_out_stands_by_name_and_no_name_is_markdown(dataset):
    (line,) = explain_left_out(dataset.report)
    assert line.startswith(r"cat\/\_b\_\.png: it is ")


def test_of_many_the_first_are_named_and_all_are_counted(dataset):
    left_out = tuple(LeftOut(f"{i}.txt", "name") for i in range(LISTED))
    report = dataclasses.replace(dataset.report, left_out=left_out, reasons={"name": 5000})
    (line,) = explain_left_out(report)
    assert "and 4,992 more" in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_rule_has_its_sentence(language):
    known = catalogue(language)
    assert {f"own.reason.{reason}" for reason in REASONS} <= set(known)
    assert {f"own.report.fit.{fit}" for fit in FITS} <= set(known)
    for reason, sentence in REASONS.items():
        assert ("{detail}" in known[f"own.reason.{reason}"]) == ("{detail}" in sentence)
