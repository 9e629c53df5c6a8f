"""A student's line comes back out of whatever it was pasted into, or is known to be changed."""

import csv
import io

import pytest

from explorer.export.exercises.digest import digest
from explorer.export.exercises.lines import Line, read_line, write_line

LINE = write_line("week-3", "Ada Lovelace", {"gap": "-3.42", "active": "2"})
FOUND = Line("week-3", "Ada Lovelace", {"gap": -3.42, "active": 2.0})


def pasted(*cells, delimiter=","):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerow(cells)
    return stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        f"Ada: {LINE}",
        pasted("2026-11-28 09:00", LINE, "a form's cell"),
        pasted("2026-11-28 09:00", LINE, "a form's cell", delimiter=";"),
        ",".join(next(csv.reader([LINE]))),
        ";".join(next(csv.reader([LINE]))),
        "\t".join(next(csv.reader([LINE]))),
        LINE.replace('"', "”"),
        pasted(LINE.replace('"', "“")),
        f"> {LINE}  ",
        LINE + ',"","",""',
    ],
)
def test_a_line_survives_where_it_was_pasted(text):
    assert read_line(text) == FOUND


def test_what_is_cut_or_changed_is_no_answer():
    assert read_line(LINE[:-6]) == "changed"
    assert read_line(LINE.replace("3.42", "3.43")) == "changed"
    assert read_line(LINE.replace("Ada", "Eve")) == "changed"
    assert read_line('"latent-explorer 1"') == "changed"
    assert read_line("Timestamp,Answer") == "none"
    assert read_line('"a field without an end') == "none"


def test_what_is_no_number_is_known_as_such():
    found = read_line(write_line("s", "Ada", {"a": "nan", "b": "3,4", "c": "1e999"}))
    assert isinstance(found, Line) and set(found.numbers.values()) == {None}


def test_no_field_is_a_formula_for_a_table():
    assert all(field[0].isalpha() or field[0] == "#" for field in next(csv.reader([LINE])))


def test_the_digest_is_murmurs_mixing_of_fnv():
    # FNV-1a of "" and "a" are 811c9dc5 and e40c292c (Noll's table); fmix32 by MurmurHash3.
    def mix(value):
        value = ((value ^ value >> 16) * 0x85EBCA6B) % 2**32
        value = ((value ^ value >> 13) * 0xC2B2AE35) % 2**32
        return value ^ value >> 16

    assert (digest(""), digest("a")) == (mix(0x811C9DC5), mix(0xE40C292C))
