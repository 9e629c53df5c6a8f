"""Formulas as MathML: read as LaTeX reads them, in role colours, and nothing is left out."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.words import COLLAPSE, sigma_loss
from explorer.text import LANGUAGES, catalogue


def words(latex):
    return "".join(ElementTree.fromstring(write_formula(latex)).itertext())


def test_a_command_takes_one_sign_and_braces_take_more():
    half = ElementTree.fromstring(write_formula(r"\tfrac12x")).find(".//mfrac")
    assert half is not None and [part.text for part in half] == ["1", "2"]
    more = ElementTree.fromstring(write_formula(r"\frac{12}{x}")).find(".//mfrac")
    assert more is not None and ["".join(part.itertext()) for part in more] == ["12", "x"]


def test_scripts_belong_to_what_stands_before_them():
    tree = ElementTree.fromstring(write_formula(r"\sigma^2 + z_i + \sum_i x"))
    assert ["".join(each.itertext()) for each in tree.iter("msup")] == ["σ2"]
    assert ["".join(each.itertext()) for each in tree.iter("msub")] == ["zi"]
    assert ["".join(each.itertext()) for each in tree.iter("munder")] == ["∑i"]


def test_roles_become_classes_and_minus_a_true_one():
    assert '<mrow class="role-kl">' in write_formula(r"@kl{\mathrm{KL}}")
    assert words("-1 < 2") == "−1<2"


def test_lines_are_a_table_whose_columns_meet():
    tree = ElementTree.fromstring(write_formula(r"\begin{aligned}a &= b \\ &= c\end{aligned}"))
    assert [len(row) for row in tree.iter("mtr")] == [2, 2]


@pytest.mark.parametrize("latex", [r"\unknown", "{x", r"\begin{aligned} x", r"\frac1"])
def test_what_is_not_known_is_an_error(latex):
    with pytest.raises(ValueError):
        write_formula(latex)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_symbol_of_the_prose_can_be_written(language):
    said = {
        key: sentence for key, sentence in catalogue(language).items() if key.startswith("learn.")
    }
    symbols = sum(len(re.findall(r"@\w+\[|\$[^$]+\$", sentence)) for sentence in said.values())
    written = "".join(map(write_prose, said.values()))
    assert symbols > 15 and written.count("<math") == symbols and "@" not in written


def test_the_formulas_of_chapters_are_well_formed():
    for latex in (sigma_loss(True), sigma_loss(False), COLLAPSE % ("objective", "wakes")):
        assert ElementTree.fromstring(write_formula(latex)).tag == "math"


def test_prose_is_bold_slanted_and_escaped():
    assert write_prose("**a** *b* <c>") == "<strong>a</strong> <em>b</em> &lt;c&gt;"
