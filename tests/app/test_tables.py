"""Tables on a page: marked-up text in which what others wrote is text, in a spreadsheet too."""

import html
import math

import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.parts.tables import as_cell, write_table
from explorer.app.text import JOINER
from tests.helpers import list_tables, read_table

ROWS = [{"run": "=1+1", "nats": -2.5}, {"run": "digits", "nats": 1}]


def show(rows):
    from explorer.app.parts.tables import show_rows

    show_rows("runs", "Runs", rows, {"nats": ".1f"})


def test_a_name_that_would_be_a_formula_is_text_in_the_table_and_numbers_stay():
    app = AppTest.from_function(show, args=(ROWS,)).run()
    assert not app.exception
    (rows,) = list_tables(app)
    assert [row["run"] for row in rows] == [f"{JOINER}=1+1", "digits"]
    assert [row["nats"] for row in rows] == ["−2.5", "1.0"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_formulas_do(sign):
    assert as_cell(f"{sign}cmd") == f"{JOINER}{sign}cmd"


def test_what_others_wrote_is_no_markup_wherever_it_stands():
    typed = "<img src=x onerror=alert(1)> & \"quoted\" 'too'"
    marked = write_table(typed, [{typed: typed}], {})
    assert marked.count(html.escape(typed)) == 3 and "<img" not in marked
    assert read_table(marked) == [{typed: typed}]


def test_a_table_is_named_and_its_heads_say_what_they_are_of():
    marked = write_table("Runs", ROWS, {})
    assert marked.count("<caption>Runs</caption>") == 1
    assert marked.count('<th scope="col"') == 2 and marked.count('<th scope="row">') == 2


def test_numbers_stand_at_the_right_with_their_exact_value_and_absent_ones_are_empty():
    values = [1 / 3, None, 2, math.nan]
    rows = [{"run": "one", "nats": value, "count": 12_000} for value in values]
    marked = write_table("Runs", rows, {"nats": ".1f", "count": ",d"})
    assert [row["nats"] for row in read_table(marked)] == ["0.3", "", "2.0", ""]
    assert read_table(marked)[0]["count"] == "12,000"
    assert f'<td class="number" data-value="{1 / 3!r}">0.3</td>' in marked
    assert '<th scope="col" class="number">' in marked and '<th scope="row">one' in marked


def test_a_column_of_words_is_none_of_numbers():
    rows = [{"setting": "β", "first": value} for value in ("1", "1 → 24", None)]
    assert "number" not in write_table("Settings", rows, {})
