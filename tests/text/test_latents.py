"""A latent is z₁ and a threshold λ₁ wherever one reads of them, never z1 here and z₁ there."""

import re
from pathlib import Path

import pytest

from explorer.codes import latent_name, threshold_name

ROOT = Path(__file__).parents[2]
PLAIN = re.compile(
    r"(?<![\w.-])[zλ](\d|\{[^{}]*\+ 1\b|\$\{)"  # z1, f"z{axis + 1}", `z${axis + 1}`
    r"|(?<![\w.-])[zλ]\{(dimension|first|second|index)\b"
)
MAKERS = {
    "explorer/codes.py",
    "explorer/browser/shared/dom.js",
    # The headings of tables that programs write and read are plain.
    "explorer/browser/map/geometry/selection.js",
    "explorer/analysis/codes_in/tables.py",
    "CHANGELOG.md",
}


def _sources() -> list[Path]:
    shown = [
        path for path in (ROOT / "explorer").rglob("*") if path.suffix in (".py", ".js", ".json")
    ]
    books = [
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "examples").rglob("*.ipynb"),
    ]
    return [path for path in shown + books if path.relative_to(ROOT).as_posix() not in MAKERS]


def test_no_sentence_figure_or_control_names_a_latent_by_a_number_on_the_line():
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in _sources()
        if "node_modules" not in path.parts and "shipped" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if PLAIN.search(line)
    ]
    assert not found, found


@pytest.mark.parametrize(
    "line", ["the axis z1", 'f"z{axis + 1}"', "`z${axis + 1}`", '"z{dimension} fell"', "above λ1 a"]
)
def test_every_plain_way_is_found(line):
    assert PLAIN.search(line)


def test_numbers_of_two_digits_are_set_low_as_a_whole():
    assert (latent_name(9), threshold_name(11)) == ("z₁₀", "λ₁₂")
