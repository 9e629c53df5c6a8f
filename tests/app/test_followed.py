"""The table of columns on the Collapse page, in the visitor's words."""

from streamlit.testing.v1 import AppTest

from explorer.analysis.representation.columns import ColumnMatch, Match
from explorer.app.views.collapse.followed import describe_match
from tests.helpers import list_tables


def test_a_row_names_the_dimensions_as_the_file_counts_them():
    best = (Match(1, -0.81, 0.002), Match(0, 0.1, 0.3))
    row = describe_match(ColumnMatch("n_genes", "rho", best, 12_000, 5000), (0, 6))
    assert list(row.values()) == ["n_genes", "z₇ (ρ = −0.81)", 12_000]


def page(passing):
    def script(p):
        from explorer.analysis.representation.columns import ColumnMatch, Match
        from explorer.app.views.collapse.followed import show_followed

        show_followed([ColumnMatch("batch", "eta2", (Match(0, 0.5, p),), 12_000, 90)], (0,))

    return AppTest.from_function(script, args=(0.002 if passing else 0.5,)).run()


def test_columns_that_pass_are_a_table():
    shown = page(passing=True)
    assert not shown.exception
    ((row,),) = list_tables(shown)
    assert list(row.values()) == ["batch", "z₁ (η² = 0.50)", "12,000"]
    assert shown.caption[0].value.startswith("Columns that a dimension follows: 1 of 1.")


def test_without_any_that_is_said_instead_of_an_empty_table():
    shown = page(passing=False)
    assert not shown.exception and not list_tables(shown)
    assert shown.caption[0].value.startswith("Columns that a dimension follows: none of 1.")
