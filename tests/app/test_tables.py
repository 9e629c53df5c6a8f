"""Tables on a page: what others wrote is text, also once the table is a file of a spreadsheet."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.parts.tables import as_cell
from explorer.app.text import JOINER


def show():
    from explorer.app.parts.tables import show_rows

    show_rows([{"run": "=1+1", "nats": -2.5}, {"run": "digits", "nats": 1}], {"nats": ".1f"})


def test_a_name_that_would_be_a_formula_is_text_in_the_table_and_numbers_stay():
    frame = AppTest.from_function(show).run().dataframe[0].value
    assert list(frame["run"]) == [f"{JOINER}=1+1", "digits"]
    assert list(frame["nats"]) == [-2.5, 1.0]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_formulas_do(sign):
    assert as_cell(f"{sign}cmd") == f"{JOINER}{sign}cmd"
